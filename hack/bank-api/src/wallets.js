/** Customers and what they may spend. */
import { createHash } from "node:crypto";
import { balance } from "./books.js";
import { Accounts, Flows, isFirst } from "./database.js";
import { NOT_YET_BOOKED } from "./flows.js";

/** @type {Map<string, {_id: string, walletId: string}>} accounts never change, so what was read stays true */
const known = new Map();
const KEPT = 10_000;

/** The customer of that name, made at the first visit. @param {string} username */
export async function accountOf(username) {
  return known.get(username) ?? remember((await Accounts.findById(username).lean()) ?? (await made(username)));
}

/** @param {string} username */
async function made(username) {
  const digest = createHash("sha256").update(`wallet of ${username}`).digest("hex");
  const walletId = digest.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  const account = { _id: username, walletId, createdAt: new Date() };
  await isFirst(Accounts.create([account]));
  return account;
}

/** @param {string} walletId */
export async function exists(walletId) {
  if (known.has(walletId)) return true;
  const account = await Accounts.findOne({ walletId }).lean();
  if (account) remember(account);
  return account !== null;
}

/** @param {any} account @returns {{_id: string, walletId: string}} */
function remember(account) {
  if (known.size >= KEPT) known.clear();
  known.set(account._id, account).set(account.walletId, account);
  return account;
}

/** The balance less what is promised but not yet in the books. Only true under the wallet's lock. @param {string} walletId */
export async function spendable(walletId) {
  const [booked, [promised]] = await Promise.all([
    balance(walletId),
    Flows.aggregate([
      { $match: { walletId, state: { $in: NOT_YET_BOOKED } } },
      { $group: { _id: null, sats: { $sum: { $add: ["$amount", "$maxFee"] } } } },
    ]),
  ]);
  return booked - (promised?.sats ?? 0);
}
