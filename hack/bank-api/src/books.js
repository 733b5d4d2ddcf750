/**
 * The bank's double-entry books, kept by medici as Blink keeps them: without sessions.
 *
 * medici writes the rows (w:1) and then the journal, and can be cut off in between. So a journal's id and its
 * rows' ids are made from what it is for: writing it again completes it and never doubles it, and it counts
 * as written only when all of it has been read back from a majority.
 */
import { createHash } from "node:crypto";
import { Book, setTransactionSchema } from "medici";
import mongoose from "mongoose";

const MAJORITY = /** @type {const} */ ({ writeConcern: { w: "majority" } });
export const LIGHTNING = "Assets:Reserve:Lightning";
export const liabilities = (/** @type {string} */ walletId) => `Liabilities:${walletId}`;

const { ObjectId, Mixed } = mongoose.Schema.Types;
const MEDICI_FIELDS = {
  credit: Number,
  debit: Number,
  meta: Mixed,
  datetime: Date,
  account_path: [String],
  accounts: String,
  book: String,
  memo: String,
  _journal: { type: ObjectId, ref: "Medici_Journal" },
  timestamp: Date,
  voided: Boolean,
  void_reason: String,
  _original_journal: { type: ObjectId, ref: "Medici_Journal" },
};
const BANK_FIELDS = {
  type: { type: String },
  pending: Boolean,
  hash: String,
  external_id: String,
  pubkey: String,
  currency: String,
  satsAmount: Number,
  fee: Number,
};
const schema = new mongoose.Schema({ ...MEDICI_FIELDS, ...BANK_FIELDS }, { id: false, versionKey: false });
schema.index({ hash: 1 }, { partialFilterExpression: { hash: { $exists: true } } });
schema.index({ external_id: 1 }, { partialFilterExpression: { external_id: { $exists: true } } });
schema.index({ type: 1, pending: 1, pubkey: 1 });
setTransactionSchema(schema, undefined, { defaultIndexes: true });

// Snapshots compare row ids as if they grew with time; ours don't, and a w:1 snapshot may outlive a rollback.
const book = new Book("MainBook", { balanceSnapshotSec: 0 });

const rows = () => mongoose.connection.collection("medici_transactions");
const journals = () => mongoose.connection.collection("medici_journals");

/** @param {string} key */
const idOf = (key) => new mongoose.Types.ObjectId(createHash("sha256").update(key).digest("hex").slice(0, 24));

/**
 * @typedef {{account: string, credit?: number, debit?: number}} Row
 * @typedef {{key: string, memo: string, rows: Row[], facts: object, reverses?: mongoose.Types.ObjectId}} Journal
 */

/** @param {Journal} journal */
export async function post({ key, memo, rows: wanted, facts, reverses }) {
  const entry = book.entry(memo, null, reverses);
  entry.journal._id = idOf(key);
  for (const { account, credit, debit } of wanted) {
    const amount = credit ?? debit ?? 0;
    const extra = { ...facts, _id: idOf(`${key}/${account}`), currency: "BTC", satsAmount: amount };
    if (credit) entry.credit(account, amount, extra);
    else entry.debit(account, amount, extra);
  }
  try {
    await entry.commit();
    if (await hasRows(entry)) return;
    // The rows' w:1 was taken back by an election between the two.
  } catch {
    // All, some or nothing of it is there: a crash, a second try, a failover.
  }
  await complete(entry);
  if (!((await hasRows(entry)) && (await hasJournal(entry)))) {
    throw new Error(`Journal ${key} is not yet on a majority: it is written again.`);
  }
}

/** Whatever of the entry is missing, waiting for a majority. @param {any} entry */
async function complete(entry) {
  await tolerant(rows().insertMany(entry.transactions, { ordered: false, ...MAJORITY }));
  entry.journal._transactions = entry.transactions.map((/** @type {any} */ row) => row._id);
  await tolerant(journals().insertOne(entry.journal.toObject(), MAJORITY));
}

/** A row that is there is what was wanted. @param {Promise<any>} insert */
async function tolerant(insert) {
  try {
    await insert;
  } catch (/** @type {any} */ error) {
    const errors = [error.writeErrors ?? error].flat();
    if (error.writeConcernErrors?.length || !errors.every((one) => one.code === 11000)) throw error;
  }
}

/** On a majority. @param {any} entry */
async function hasRows({ journal, transactions }) {
  const count = await rows().countDocuments({ _journal: journal._id }, { readConcern: "majority" });
  return count === transactions.length;
}

/** On a majority. @param {any} entry */
async function hasJournal({ journal: { _id } }) {
  return (await journals().findOne({ _id }, { readConcern: "majority", projection: { _id: 1 } })) !== null;
}

/** The journal's rows are no longer pending: the money has moved. @param {string} key */
export async function settle(key) {
  await rows().updateMany({ _journal: idOf(key) }, { $set: { pending: false } }, MAJORITY);
}

/**
 * What medici's void does, in steps that can each be done again: void() refuses a journal whose
 * voiding was cut off, and its mirror would then be missing for ever.
 * @param {string} key
 * @param {string} reason
 */
export async function reverse(key, reason) {
  const original = idOf(key);
  const theirs = await rows().find({ _journal: original }).toArray();
  const voided = { $set: { voided: true, void_reason: reason, pending: false } };
  await journals().updateOne({ _id: original }, { $set: { voided: true, void_reason: reason } }, MAJORITY);
  await rows().updateMany({ _journal: original }, voided, MAJORITY);
  const [{ type, hash, external_id, pubkey }] = theirs;
  await post({
    key: `${key}/void`,
    memo: reason,
    rows: theirs.map((row) => ({ account: row.accounts, credit: row.debit || undefined, debit: row.credit || undefined })),
    facts: { type, hash, external_id, pubkey, pending: false },
    reverses: original,
  });
}

/** Credits less debits of a wallet. @param {string} walletId */
export async function balance(walletId) {
  const found = await book.balance({ account: liabilities(walletId) }, { readPreference: "primary" });
  return found.balance;
}

/**
 * The wallet's rows, newest first.
 * @param {string} walletId
 * @param {object} filter
 * @param {number} first
 */
export function statement(walletId, filter, first) {
  const query = { book: book.name, accounts: liabilities(walletId), ...filter };
  return rows().find(query).sort({ datetime: -1 }).limit(first).toArray();
}
