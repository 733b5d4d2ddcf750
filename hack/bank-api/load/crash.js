/**
 * Dies at every call of a payment in turn, and remembers what it asked for: the trigger has to finish each,
 * and `check` to find nothing lost and nothing doubled.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import * as lightning from "lightning";
import { Customer } from "./customer.js";
import { funded } from "./run.js";

const DOOMED = fileURLToPath(new URL("doomed.js", import.meta.url));
const AMOUNT = 101;
/** In turn: a dead process's lock on its wallet holds for its ten seconds. */
const PAYERS = 16;
const AT_ONCE = 4;
/** A busy machine leaves one pending now and then; that says nothing of how many calls there are. */
const ATTEMPTS = 5;
/** What was cut off before LND heard of it is certain a minute after the invoice's end. */
const INVOICE_MS = 30_000;

/**
 * `step` 1: at each call; 4: at every fourth.
 * @param {{url: string, outside: any, asked: import("./asked.js").Asked, patienceMs: number, step: number}} wanted
 */
export async function crash(wanted) {
  const name = randomUUID().slice(0, 8);
  const customers = Array.from({ length: PAYERS }, (_, n) => new Customer(wanted.url, `crash-${name}-${n}`, wanted.patienceMs));
  await funded(customers, wanted);
  for (const kind of /** @type {const} */ (["intraledger", "send"])) {
    for (const moment of ["before", "during"]) {
      const times = await dieAlong(kind, moment, customers, wanted);
      console.log(`${kind}: died ${moment} its call ${times} times, ${wanted.step} apart`);
    }
  }
}

/**
 * How many calls there were to die at.
 * @param {"intraledger" | "send"} kind @param {string} moment @param {Customer[]} customers @param {any} wanted
 */
async function dieAlong(kind, moment, customers, wanted) {
  for (let times = 0; ; times += AT_ONCE) {
    const places = Array.from({ length: AT_ONCE }, (_, n) => 1 + (times + n) * wanted.step);
    const died = await Promise.all(places.map((at) => dies(at, kind, moment, customers, wanted)));
    if (died.includes(false)) return times + died.indexOf(false);
  }
}

/**
 * Whether the process died there; one that has fewer calls comes to its end.
 * @param {number} at @param {string} kind @param {string} moment @param {Customer[]} customers @param {any} wanted
 */
async function dies(at, kind, moment, customers, { outside, asked }) {
  const [from, to] = [customers[at % PAYERS], customers[(at + 1) % PAYERS]];
  const { walletId } = from;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const { key, input } = kind === "send" ? await invoice(outside) : across(to);
    asked.asks({ key, kind, amount: AMOUNT, customer: from.name, walletId, recipientWalletId: to.walletId });
    const words = [DOOMED, String(at), moment, kind, JSON.stringify({ walletId, ...input }), key];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
    const [code, signal] = await new Promise((resolve) => child.once("exit", (...ended) => resolve(ended)));
    if (signal === "SIGKILL") return true;
    if (code === 0) return false;
  }
  throw new Error(`A ${kind} at call ${at} was refused or left pending ${ATTEMPTS} times: the bank is not well.`);
}

/** @param {Customer} to */
const across = (to) => ({ key: randomUUID(), input: { recipientWalletId: to.walletId, amount: AMOUNT } });

/** @param {any} outside */
async function invoice(outside) {
  const expires_at = new Date(Date.now() + INVOICE_MS).toISOString();
  const { id, request } = await lightning.createInvoice({ lnd: outside.lnd, tokens: AMOUNT, expires_at });
  return { key: id, input: { paymentRequest: request } };
}
