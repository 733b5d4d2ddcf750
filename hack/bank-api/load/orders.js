/** Payments that stories ask for one by one: who pays whom, and what is asked. */
import { randomUUID } from "node:crypto";
import * as lightning from "lightning";
import { Customer } from "./customer.js";
import { funded } from "./run.js";

export const AMOUNT = 101;
/** What was cut off before LND heard of it is certain a minute after the invoice's end. */
const INVOICE_MS = 30_000;

/**
 * @typedef {"intraledger" | "send"} Kind
 * @typedef {[Customer, Customer]} Pair who pays, and who is paid
 * @typedef {{payment: import("./asked.js").Payment, input: any}} Order as it is remembered, and as the API takes it
 */

/**
 * Customers with money who nobody was before; the n-th payment's pair.
 * @param {number} count @param {{url: string, patienceMs: number, outside: any, asked: import("./asked.js").Asked}} wanted
 * @returns {Promise<(n: number) => Pair>}
 */
export async function pairs(count, wanted) {
  const name = randomUUID().slice(0, 8);
  const customer = (/** @type {number} */ n) => new Customer(wanted.url, `one-${name}-${n}`, wanted.patienceMs);
  const customers = Array.from({ length: 2 * count }, (_, n) => customer(n));
  await funded(customers, wanted);
  return (n) => [customers[n % count], customers[count + (n % count)]];
}

/** @param {Customer} from @param {Customer} to */
export const between = (from, to) => ({ customer: from.name, walletId: from.walletId, recipientWalletId: to.walletId });

/** @param {Kind} kind @param {Pair} pair @param {any} outside @returns {Promise<Order>} */
export async function order(kind, [from, to], outside) {
  const { key, input } = kind === "send" ? await invoice(outside) : across(to);
  return { payment: { ...between(from, to), key, kind, amount: AMOUNT }, input: { walletId: from.walletId, ...input } };
}

/** @param {Customer} to */
const across = (to) => ({ key: randomUUID(), input: { recipientWalletId: to.walletId, amount: AMOUNT } });

/** @param {any} outside */
async function invoice(outside) {
  const expires_at = new Date(Date.now() + INVOICE_MS).toISOString();
  const { id, request } = await lightning.createInvoice({ lnd: outside.lnd, tokens: AMOUNT, expires_at });
  return { key: id, input: { paymentRequest: request } };
}
