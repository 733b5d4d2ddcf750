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
const PAYERS = 8;
/** What was cut off before LND heard of it is certain a minute after the invoice's end. */
const INVOICE_MS = 30_000;

/** @param {{url: string, outside: any, asked: import("./asked.js").Asked, patienceMs: number}} wanted */
export async function crash(wanted) {
  const name = randomUUID().slice(0, 8);
  const customers = Array.from({ length: PAYERS }, (_, n) => new Customer(wanted.url, `crash-${name}-${n}`, wanted.patienceMs));
  await funded(customers, wanted);
  for (const kind of /** @type {const} */ (["intraledger", "send"])) {
    for (const moment of ["before", "during"]) {
      const calls = await dieAtEach(kind, moment, customers, wanted);
      console.log(`${kind}: died ${moment} each of ${calls} calls`);
    }
  }
}

/** @param {"intraledger" | "send"} kind @param {string} moment @param {Customer[]} customers @param {any} wanted */
async function dieAtEach(kind, moment, customers, { outside, asked }) {
  for (let at = 1; ; at += 1) {
    const [from, to] = [customers[at % PAYERS], customers[(at + 1) % PAYERS]];
    const { walletId } = from;
    let input = { walletId, recipientWalletId: to.walletId, amount: AMOUNT };
    let key = randomUUID();
    if (kind === "send") {
      const expires_at = new Date(Date.now() + INVOICE_MS).toISOString();
      const { id, request } = await lightning.createInvoice({ lnd: outside.lnd, tokens: AMOUNT, expires_at });
      input = /** @type {any} */ ({ walletId, paymentRequest: request });
      key = id;
    }
    asked.asks({ key, kind, amount: AMOUNT, customer: from.name, walletId, recipientWalletId: to.walletId });
    const child = spawn(process.execPath, [DOOMED, String(at), moment, kind, JSON.stringify(input), key], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const [code, signal] = await new Promise((resolve) => child.once("exit", (...ended) => resolve(ended)));
    if (code === 0) return at - 1;
    if (signal !== "SIGKILL") throw new Error(`The doomed process ended by itself with ${code}: see above.`);
  }
}
