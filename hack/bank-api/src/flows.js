/**
 * What becomes of a payment, and who may decide it.
 *
 *   intraledger   posting ------------------------------> settled
 *   Lightning     recorded -> sending -> settling ------> settled
 *                      \_________\____-> reversing -----> failed
 *
 * A step is taken by compare-and-set, so exactly one process takes it; what a state calls for can be done
 * again and again. LND is asked to pay once in a flow's life, by the one that took it from `recorded` to
 * `sending`: therefore what LND calls failed stays failed, and nobody who was asleep can pay what was reversed.
 *
 * A refusal is written too, before the customer hears "nothing was paid": a question of theirs that was asked
 * earlier may still be on its way in another process, and must not make that untrue.
 */
import { LIGHTNING, liabilities, post, reverse, settle } from "./books.js";
import { Flows, isFirst } from "./database.js";
import { Busy } from "./locks.js";
import { from } from "./steps.js";

/** Not begun. It stands before the others, and is no state of a payment. */
const REFUSED = "refused";
export const NOT_YET_BOOKED = ["posting", "recorded"];
export const OPEN = [...NOT_YET_BOOKED, "sending", "settling", "reversing"];
/** Clocks of two processes differ by less than this: what was asked so soon after a refusal may be older than it. */
const REFUSED_FOR_MS = 2_000;
/** LND refuses an invoice past its expiry; clocks may differ by less than this. */
const EXPIRED_FOR_SURE_MS = 60_000;

/**
 * @typedef {{_id: string, kind: string, state: string, walletId: string, recipientWalletId?: string, amount: number,
 *   maxFee: number, fee?: number, memo: string, hash?: string, externalId?: string, pubkey?: string,
 *   expiresAt?: Date, reason?: string, createdAt: Date}} Flow
 */

/** @param {string} id @returns {Promise<Flow | null>} */
export const flowOf = (id) => Flows.findOne({ _id: id, state: { $ne: REFUSED } }).lean();

/**
 * Set out to do it; where somebody already did, what they set out to do.
 * @param {Omit<Flow, "createdAt">} flow
 * @param {number} askedAt when the question came, in ms: what was refused since then is not begun
 */
export async function begin(flow, askedAt) {
  const { _id, ...facts } = flow;
  const newest = new Date(askedAt - REFUSED_FOR_MS);
  const free = { _id, state: REFUSED, [`refused.${flow.walletId}`]: { $not: { $gte: newest } } };
  const begun = { ...facts, createdAt: new Date(), updatedAt: new Date() };
  if (await claimed(free, { $set: begun })) return { _id, ...begun };
  const theirs = await flowOf(_id);
  if (!theirs) throw new Busy("This payment was refused a moment ago. Ask again.");
  return theirs;
}

/**
 * Before a customer hears that nothing was paid: no older question of theirs, still on its way, begins it any more.
 * @param {string} id
 * @param {string} walletId only this one's: others may still pay the same invoice
 * @returns {Promise<Flow | null>} what was begun already, which then is the answer
 */
export async function forgo(id, walletId) {
  const refused = { $max: { [`refused.${walletId}`]: new Date() } };
  while (true) {
    if (await claimed({ _id: id, state: REFUSED }, refused)) return null;
    const theirs = await flowOf(id);
    if (theirs) return theirs;
    // Another wallet was refused for the first time in the same moment: what is there now can be added to.
  }
}

/** Whether the flow was free, or not there, and now has this. @param {object} free @param {object} update */
const claimed = (free, update) => isFirst(Flows.updateOne(free, update, { upsert: true }));

/**
 * Take a step, if nobody took another since the flow was read: the flow as it is then, or null.
 * @param {Flow} flow
 * @param {"sending" | "settling" | "reversing"} to
 * @param {{fee?: number, reason?: string}} facts
 */
export async function advance(flow, to, facts = {}) {
  const as = from(flow, to);
  if (!as) return null;
  const step = { state: to, updatedAt: new Date(), ...facts };
  const { modifiedCount } = await Flows.updateOne(as, { $set: step });
  return modifiedCount === 1 ? { ...flow, ...step } : null;
}

/** The payment as the customer's debt to the bank, before LND is asked: amount and the highest fee. @param {Flow} flow */
export function bookPending({ _id, walletId, amount, maxFee, memo, hash, pubkey }) {
  const total = amount + maxFee;
  const rows = [
    { account: liabilities(walletId), debit: total },
    { account: LIGHTNING, credit: total },
  ];
  return post({ key: _id, memo, rows, facts: { type: "payment", pending: true, hash, pubkey, fee: maxFee } });
}

/** Do what the flow's state calls for, however much of it was done before. @param {Flow} flow */
export async function carryOut(flow) {
  switch (flow.state) {
    case "posting":
      await move(flow);
      return finish(flow, "settled");
    case "settling":
      await settle(flow._id);
      await giveBackFee(flow);
      return finish(flow, "settled");
    case "reversing":
      await bookPending(flow); // a crash may have left half of it, and only a whole journal has a mirror
      await reverse(flow._id, flow.reason ?? "Payment failed");
      return finish(flow, "failed");
  }
}

/**
 * The only write that need not wait for a majority: taken back, it has the flow carried out once more.
 * @param {Flow} flow @param {"settled" | "failed"} state
 */
async function finish(flow, state) {
  const end = { $set: { state, updatedAt: new Date() } };
  await Flows.updateOne({ _id: flow._id, state: flow.state }, end, { writeConcern: { w: 1 } });
}

/** @param {Flow} flow */
function move({ _id, walletId, recipientWalletId, amount, memo, externalId }) {
  const rows = [
    { account: liabilities(walletId), debit: amount },
    { account: liabilities(/** @type {string} */ (recipientWalletId)), credit: amount },
  ];
  return post({ key: _id, memo, rows, facts: { type: "on_us", pending: false, external_id: externalId } });
}

/** @param {Flow} flow */
async function giveBackFee({ _id, walletId, maxFee, fee = 0, hash, pubkey }) {
  if (maxFee <= fee) return;
  const rows = [
    { account: LIGHTNING, debit: maxFee - fee },
    { account: liabilities(walletId), credit: maxFee - fee },
  ];
  const facts = { type: "fee_reimbursement", pending: false, hash, pubkey };
  await post({ key: `${_id}/fee`, memo: "fee reimbursement", rows, facts });
}

/**
 * Ask LND what became of a payment that was sent, and act on a certain answer only.
 * @param {Flow} flow
 * @param {import("./nodes.js").Nodes} nodes
 */
export async function learn(flow, nodes) {
  const told = await Promise.all(
    nodes.active.map(async (node) => ({ node, said: await node.payment(/** @type {string} */ (flow.hash)) })),
  );
  const paid = told.find(({ said }) => said?.state === "confirmed")?.said;
  const sender = told.find(({ node }) => node.pubkey === flow.pubkey)?.said;
  if (paid?.state === "confirmed") await advance(flow, "settling", { fee: paid.fee });
  else if (sender?.state === "failed") await advance(flow, "reversing", { reason: "LND could not pay it" });
  else if (sender?.state === "absent" && isExpired(flow)) {
    await advance(flow, "reversing", { reason: "LND never began to pay it" });
  }
  const now = await flowOf(flow._id);
  if (now) await carryOut(now);
}

/**
 * Bring to its end what another process began and seems to have left. It may only be slow: where it went on since the
 * flow was read, the step is its own, and not taken.
 * @param {Flow} flow as it was read
 * @param {import("./nodes.js").Nodes} nodes
 */
export async function takeUp(flow, nodes) {
  if (flow.state === "sending") return learn(flow, nodes);
  if (flow.state !== "recorded") return carryOut(flow);
  const reversing = await advance(flow, "reversing", { reason: "It was never sent" });
  if (reversing) await carryOut(reversing);
}

/** LND knows no such payment, and won't begin one any more. @param {Flow} flow */
const isExpired = ({ expiresAt }) => !!expiresAt && Date.now() > expiresAt.getTime() + EXPIRED_FOR_SURE_MS;
