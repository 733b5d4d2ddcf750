/** Money going out or across: Blink's two ways to pay. Whoever asks again for the same gets the same answer. */
import { randomUUID } from "node:crypto";
import { parsePaymentRequest } from "invoices";
import { advance, begin, bookPending, carryOut, flowOf, forgo, learn } from "./flows.js";
import { paymentKey, walletKey } from "./locks.js";
import { exists, spendable } from "./wallets.js";

/**
 * @typedef {{status: "SUCCESS" | "PENDING" | "FAILURE" | "ALREADY_PAID", errors: {message: string, code: string}[]}} Answer
 * @typedef {{key?: string, askedAt: number}} Question when it came, in ms, and the customer's own name for the payment:
 *   asked twice by the same name, it is paid once
 * @typedef {{hold: ReturnType<typeof import("./locks.js").connect>["hold"], nodes: import("./nodes.js").Nodes}} Bank
 */

/** @param {string} code @param {string} message @returns {Answer} */
const refuse = (code, message) => ({ status: "FAILURE", errors: [{ code, message }] });

/** Refuses by writing it first; what was begun already answers instead. @param {string} id @param {string} walletId */
function refuser(id, walletId) {
  return async (/** @type {string} */ code, /** @type {string} */ message) => {
    const theirs = await forgo(id, walletId);
    return theirs ? answerTo(theirs, walletId, true) : refuse(code, message);
  };
}

/**
 * @param {Bank} bank
 * @param {{walletId: string, recipientWalletId: string, amount: number, memo?: string}} wanted
 * @param {Question} question
 * @returns {Promise<Answer>}
 */
export async function intraLedgerPaymentSend({ hold }, wanted, { key, askedAt }) {
  const { walletId, recipientWalletId, amount, memo = "" } = wanted;
  if (!isAmount(amount)) return refuse("INVALID_INPUT", "The amount is whole satoshis, 1 or more.");
  if (walletId === recipientWalletId) return refuse("INVALID_INPUT", "Both wallets are the same; nothing was paid.");
  const externalId = key ?? randomUUID();
  const _id = `intraledger/${walletId}/${externalId}`;
  // Without a key of the customer's there is no older question, and nothing to write.
  const notBegun = key ? refuser(_id, walletId) : refuse;
  if (!(await exists(recipientWalletId))) return notBegun("NOT_FOUND", "There is no such wallet; nothing was paid.");
  const facts = { walletId, recipientWalletId, amount, memo, externalId };
  return hold([walletKey(walletId)], async (signal) => {
    const isCovered = (await spendable(walletId)) >= amount;
    signal.throwIfAborted();
    const wanted = { _id, kind: "intraledger", state: "posting", maxFee: 0, ...facts };
    const flow = isCovered ? await begin(wanted, askedAt) : await flowOf(_id); // asked again, it was covered by itself
    if (!flow) return notBegun("INSUFFICIENT_BALANCE", "The balance is too low.");
    if (flow.amount !== amount || flow.recipientWalletId !== recipientWalletId) {
      return refuse("INVALID_INPUT", "This idempotency key already names another payment; nothing was paid.");
    }
    await carryOut(flow);
    return { status: "SUCCESS", errors: [] };
  });
}

/**
 * @param {Bank} bank
 * @param {{walletId: string, paymentRequest: string, memo?: string}} wanted
 * @param {Question} question the invoice is its own key
 * @returns {Promise<Answer>}
 */
export async function lnInvoicePaymentSend({ hold, nodes }, { walletId, paymentRequest, memo = "" }, { askedAt }) {
  const invoice = parsed(paymentRequest);
  if (!invoice?.mtokens) return refuse("INVALID_INPUT", "That is no invoice with an amount; nothing was paid.");
  const { id: hash, destination, mtokens, expires_at } = invoice;
  const _id = `payment/${hash}`;
  const known = await flowOf(_id);
  if (known) return answerTo(known, walletId, true);
  const notBegun = refuser(_id, walletId);
  if (nodes.by(destination)) {
    return notBegun("SELF_PAYMENT", "This invoice is this bank's own: pay its wallet with intraLedgerPaymentSend.");
  }
  const [node] = await nodes.usable();
  if (!node) return notBegun("NO_NODE", "No Lightning node of the bank answers; nothing was paid. Ask again later.");
  const expiresAt = new Date(expires_at);
  if (expiresAt.getTime() <= Date.now()) return notBegun("EXPIRED", "The invoice has expired; nothing was paid.");
  const amount = Number((BigInt(mtokens) + 999n) / 1000n);
  const maxFee = Math.max(10, Math.ceil(amount / 200));
  const { pubkey } = node;
  const facts = { walletId, amount, maxFee, memo, hash, pubkey, expiresAt };
  return hold([walletKey(walletId), paymentKey(hash)], async (signal) => {
    const known = await flowOf(_id);
    if (known) return answerTo(known, walletId, true);
    if ((await spendable(walletId)) < amount + maxFee) return notBegun("INSUFFICIENT_BALANCE", "The balance is too low.");
    signal.throwIfAborted();
    const flow = await begin({ _id, kind: "payment", state: "recorded", ...facts }, askedAt);
    // Begun by another meanwhile, for another wallet or by way of another node: it is theirs to send.
    if (flow.walletId !== walletId || flow.pubkey !== pubkey) return answerTo(flow, walletId, true);
    await bookPending(flow);
    // Whoever takes this step asks LND, once; a second holder of a lost lock stops here.
    const sending = await advance(flow, "sending");
    if (sending) {
      await node.pay(paymentRequest, maxFee);
      await learn(sending, nodes);
    }
    return answerTo(await flowOf(_id), walletId, false);
  });
}

/**
 * @param {import("./flows.js").Flow | null} flow
 * @param {string} walletId
 * @param {boolean} isAskedAgain
 * @returns {Answer}
 */
function answerTo(flow, walletId, isAskedAgain) {
  if (flow?.walletId !== walletId) return refuse("ALREADY_PAID", "Another wallet pays or paid this invoice.");
  if (flow.state === "settled") return { status: isAskedAgain ? "ALREADY_PAID" : "SUCCESS", errors: [] };
  if (flow.state !== "failed") return { status: "PENDING", errors: [] };
  return refuse("PAYMENT_FAILED", `${flow.reason}; the money is back in the wallet. Ask for a new invoice.`);
}

/** @param {string} request */
function parsed(request) {
  try {
    return parsePaymentRequest({ request });
  } catch {
    return null;
  }
}

/** @param {unknown} sats */
export const isAmount = (sats) => Number.isSafeInteger(sats) && Number(sats) > 0;
