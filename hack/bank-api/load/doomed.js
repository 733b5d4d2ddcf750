/**
 * One payment by the API's own code, in a process that kills itself at its n-th call to MongoDB, Redis or LND:
 * before the call, or with the call on its way and its answer never heard. Or it falls asleep before the call,
 * and makes it whenever it is woken. Started by `crash.js`.
 */
import { intraLedgerPaymentSend, lnInvoicePaymentSend } from "../src/payments.js";
import { open } from "../src/service.js";
import { OF_A_PAYMENT, OF_ITS_LOCKS, through } from "./calls.js";

const [at, moment, kind, input, key] = process.argv.slice(2);
/** The exit code of a payment that was refused or left pending. */
const OTHERWISE = 3;
let calls = 0;

const bank = await open();
while (!bank.nodes.active.length) await Promise.all(bank.nodes.all.map((node) => node.look()));
through([...OF_A_PAYMENT, ...OF_ITS_LOCKS], doomed);

const pay = kind === "send" ? lnInvoicePaymentSend : intraLedgerPaymentSend;
const { status } = await pay(bank, JSON.parse(input), { key, askedAt: Date.now() }).catch(({ message }) => ({ status: message }));
// Only one that came to its end had no more calls to die at.
process.exit(status === "SUCCESS" ? 0 : OTHERWISE);

/** @param {() => any} call */
function doomed(call) {
  calls += 1;
  const isLast = calls === Number(at);
  if (isLast && moment !== "during") process.kill(process.pid, moment === "asleep" ? "SIGSTOP" : "SIGKILL");
  const answer = call();
  const isDeadly = isLast && moment === "during";
  // By now the call is in the socket's buffer; a little later it is at the other side.
  if (isDeadly) setTimeout(() => process.kill(process.pid, "SIGKILL"), 2);
  return isDeadly ? new Promise(() => {}) : answer;
}
