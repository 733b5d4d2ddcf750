/** Money coming in: an invoice is written down with its node's pubkey before the node makes it. */
import { createHash, randomBytes } from "node:crypto";
import { LIGHTNING, liabilities, post } from "./books.js";
import { InvoiceUsers } from "./database.js";
import { paymentKey } from "./locks.js";

const EXPIRES_IN_MS = 4 * 3_600_000;
/** LND takes no payment for an invoice past its expiry; clocks may differ by less than this. */
const EXPIRED_FOR_SURE_MS = 60_000;

/**
 * @param {import("./payments.js").Bank} bank
 * @param {{walletId: string, amount: number, memo?: string, expiresInMs?: number}} wanted
 */
export async function lnInvoiceCreate({ nodes }, { walletId, amount, memo = "", expiresInMs = EXPIRES_IN_MS }) {
  for (const node of inTurn(await nodes.usable())) {
    // Another node gets another secret: the first may have made the invoice and lost only its answer.
    const secret = randomBytes(32);
    const hash = createHash("sha256").update(secret).digest("hex");
    const expiresAt = new Date(Date.now() + expiresInMs);
    const written = { _id: hash, walletId, pubkey: node.pubkey, amount, memo, timestamp: new Date(), expiresAt };
    await InvoiceUsers.create([written]);
    const made = await node.createInvoice({ secret: secret.toString("hex"), amount, memo, expiresAt });
    if (made) return { paymentHash: hash, paymentRequest: made.request, satoshis: amount };
  }
  return null;
}

let turn = 0;

/** Each of them first in turn: then all have coins to pay with when one is not there. @template T @param {T[]} nodes */
function inTurn(nodes) {
  turn += 1;
  return nodes.map((_, n) => nodes[(turn + n) % nodes.length]);
}

/**
 * Credit what LND says was received. Done again it changes nothing.
 * @param {import("./payments.js").Bank} bank
 * @param {string} hash
 * @param {number} received
 */
export async function credit({ hold }, hash, received) {
  const invoice = await InvoiceUsers.findById(hash).lean();
  if (!invoice || invoice.paid || !received) return;
  await hold([paymentKey(hash)], async () => {
    const { walletId, pubkey, memo } = invoice;
    const rows = [
      { account: liabilities(/** @type {string} */ (walletId)), credit: received },
      { account: LIGHTNING, debit: received },
    ];
    await post({ key: `invoice/${hash}`, memo: memo ?? "", rows, facts: { type: "invoice", pending: false, hash, pubkey } });
    await InvoiceUsers.updateOne({ _id: hash }, { $set: { paid: true, processingCompleted: true } });
  });
}

/**
 * Look at one invoice that is still waited for: credit it, or give it up once its own node can't be paid for it.
 * @param {import("./payments.js").Bank} bank
 * @param {{_id: string, pubkey?: string | null, expiresAt?: Date | null}} invoice
 */
export async function lookAfter(bank, { _id: hash, pubkey, expiresAt }) {
  const node = bank.nodes.by(pubkey ?? "");
  if (!node?.isActive) return;
  const said = await node.invoice(hash);
  if (said?.state === "settled") return credit(bank, hash, said.received);
  const isExpired = Date.now() > (expiresAt?.getTime() ?? Infinity) + EXPIRED_FOR_SURE_MS;
  if (said?.state === "canceled" || (said?.state === "absent" && isExpired)) {
    await InvoiceUsers.updateOne({ _id: hash, paid: false }, { $set: { processingCompleted: true } });
  }
}
