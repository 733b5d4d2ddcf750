/** What customers, books and nodes hold, for whoever shows it to a person. Reads only, by its own queries. */
import * as lightning from "lightning";
import mongoose from "mongoose";
import { Customer } from "./customer.js";

/** By the bank's own word. @param {string} url @param {string[]} names @param {number} patienceMs */
export async function balances(url, names, patienceMs) {
  return Promise.all(
    names.map(async (name) => ({ name, sats: await new Customer(url, name, patienceMs).balance() })),
  );
}

/** By MongoDB's and by LND's. @param {import("../src/nodes.js").LightningNode[]} nodes */
export async function books(nodes) {
  return { accounts: await accounts(), nodes: await Promise.all(nodes.map(channels)) };
}

/** Each account's rows added up; the customers' wallets as one. */
async function accounts() {
  const isWallet = { $eq: [{ $arrayElemAt: ["$account_path", 0] }, "Liabilities"] };
  const _id = { $cond: [isWallet, "Liabilities", "$accounts"] };
  const sums = { credit: { $sum: "$credit" }, debit: { $sum: "$debit" }, rows: { $sum: 1 } };
  const steps = [{ $group: { _id, ...sums } }, { $sort: { _id: 1 } }];
  const rows = mongoose.connection.collection("medici_transactions");
  const found = await rows.aggregate(steps, { readConcern: "majority" }).toArray();
  return found.map(({ _id: name, ...rest }) => ({ name, ...rest }));
}

/** A node's side of its channels and the other one; null while it does not say. @param {any} node */
async function channels({ name, pubkey, lnd }) {
  const found = await lightning.getChannels({ lnd }).catch(() => null);
  if (!found) return { name, pubkey, channels: null };
  const sum = (/** @type {"local_balance" | "remote_balance"} */ side) =>
    found.channels.reduce((total, one) => total + one[side], 0);
  const active = found.channels.filter((one) => one.is_active).length;
  return { name, pubkey, channels: { active, local: sum("local_balance"), remote: sum("remote_balance") } };
}
