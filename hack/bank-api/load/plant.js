/** Breaks the books by hand, to see that the check tells. On regtest only. */
import mongoose from "mongoose";

/**
 * @param {"loss" | "double"} what
 * @param {import("./asked.js").Asked} asked
 */
export async function plant(what, asked) {
  const rows = mongoose.connection.collection("medici_transactions");
  const journals = mongoose.connection.collection("medici_journals");
  const made = asked.read().filter(({ kind, answer }) => kind === "intraledger" && answer?.status === "SUCCESS");
  // Not the same one, so that both can be planted.
  const { key, walletId } = made[Math.floor(made.length * (what === "loss" ? 0.3 : 0.7))];
  const row = await rows.findOne({ external_id: key, accounts: `Liabilities:${walletId}` });
  if (!row) throw new Error(`Payment ${key} has no row: it is lost already.`);
  if (what === "loss") {
    await rows.deleteOne({ _id: row._id });
  } else {
    const journal = await journals.findOne({ _id: row._journal });
    const _journal = new mongoose.Types.ObjectId();
    const twice = await rows.find({ _journal: row._journal }).toArray();
    const copies = twice.map((one) => ({ ...one, _id: new mongoose.Types.ObjectId(), _journal }));
    await rows.insertMany(copies);
    await journals.insertOne({ ...journal, _id: _journal, _transactions: copies.map((one) => one._id) });
  }
  console.log(`Planted a ${what}: intraledger ${key}`);
}
