/**
 * Dies at every call of a payment in turn, and remembers what it asked for: the trigger has to finish each,
 * and `check` to find nothing lost and nothing doubled. And falls asleep at every call, while the customer spends
 * the money elsewhere and asks again: what they were told then must stay true when it wakes.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { insist } from "./insist.js";
import { AMOUNT, between, order, pairs } from "./orders.js";

const DOOMED = fileURLToPath(new URL("doomed.js", import.meta.url));
/** In turn: a dead process's lock on its wallet holds for its ten seconds. */
const PAYERS = 16;
const AT_ONCE = 4;
/** Each waits for the end of its own lock: the more at once, the sooner. */
const ASLEEP_AT_ONCE = 8;
/** Longer than a sleeper's lock on its wallet holds. */
const PATIENCE_WITH_A_SLEEPER_MS = 20_000;
/** Longer than the API takes a question for older than a refusal that was told before it. */
const LATER_MS = 2_500;
const LOOK_MS = 50;

/**
 * @typedef {import("./customer.js").Customer} Customer
 * @typedef {import("./orders.js").Pair} Pair
 * @typedef {import("./orders.js").Kind} Kind
 */

/**
 * `step` 1: at each call; 4: at every fourth.
 * @param {{url: string, outside: any, asked: import("./asked.js").Asked, patienceMs: number, step: number}} wanted
 */
export async function crash(wanted) {
  const pair = await pairs(PAYERS, wanted);
  for (const kind of /** @type {const} */ (["intraledger", "send"])) {
    for (const moment of ["before", "during"]) {
      const times = await along((at) => dies(at, kind, moment, pair(at), wanted), wanted.step);
      console.log(`${kind}: died ${moment} its call ${times} times, ${wanted.step} apart`);
    }
    const refused = new Set();
    const slept = await along((at) => sleeps(at, kind, pair(at), wanted, refused), 1, ASLEEP_AT_ONCE);
    console.log(`${kind}: slept before each of its ${slept} calls; ${refused.size} were refused meanwhile`);
    if (!refused.size) throw new Error(`No sleeping ${kind} was refused: nothing was tested.`);
  }
}

/**
 * How many calls there were to stop at.
 * @param {(at: number) => Promise<boolean | null>} stops null where the payment was refused before it came there
 * @param {number} step
 * @param {number} [atOnce]
 */
async function along(stops, step, atOnce = AT_ONCE) {
  for (let times = 0; ; times += atOnce) {
    const places = Array.from({ length: atOnce }, (_, n) => 1 + (times + n) * step);
    const stopped = await Promise.all(places.map((at) => insist(() => stops(at), `A payment at call ${at}`)));
    if (stopped.includes(false)) return times + stopped.indexOf(false);
  }
}

/**
 * Whether the process died there; one that has fewer calls comes to its end.
 * @param {number} at @param {Kind} kind @param {string} moment @param {Pair} pair @param {any} wanted
 */
async function dies(at, kind, moment, pair, { outside, asked }) {
  const { ended } = begun(at, moment, await order(kind, pair, outside), asked);
  const [code, signal] = await ended;
  return signal === "SIGKILL" || (code === 0 ? false : null);
}

/**
 * Whether the process slept there. Its customer spends everything elsewhere, asks again, and is refused where
 * nothing was begun; then gets the money back. So there is nothing but the refusal to stop who wakes.
 * @param {number} at @param {Kind} kind @param {Pair} pair @param {any} wanted @param {Set<number>} refused
 */
async function sleeps(at, kind, [payer, to], { outside, asked }, refused) {
  const { payment, input } = await order(kind, [payer, to], outside);
  const { child, ended } = begun(at, "asleep", { payment, input }, asked);
  if (!(await isAsleep(child))) return (await ended)[0] === 0 ? false : null;
  const from = Object.assign(Object.create(payer), { patienceMs: PATIENCE_WITH_A_SLEEPER_MS });
  try {
    const rest = await from.balance();
    const isShifted = await shift(from, to, rest, asked);
    const answer = await (kind === "send" ? from.send(input.paymentRequest) : from.across(to.walletId, AMOUNT, payment.key));
    asked.hears(payment, answer);
    if (answer.status === "FAILURE") refused.add(at);
    if (isShifted) await shift(to, from, rest, asked);
    await pause(LATER_MS);
  } finally {
    child.kill("SIGCONT");
  }
  await ended;
  return true;
}

/**
 * Whether it was paid.
 * @param {Customer} from @param {Customer} to @param {number} amount @param {import("./asked.js").Asked} asked
 */
async function shift(from, to, amount, asked) {
  const payment = { ...between(from, to), key: randomUUID(), kind: "intraledger", amount };
  asked.asks(payment);
  const answer = await from.across(to.walletId, amount, payment.key);
  asked.hears(payment, answer);
  return answer.status === "SUCCESS";
}

/**
 * It, in a process of its own.
 * @param {number} at @param {string} moment @param {{payment: any, input: object}} order
 * @param {import("./asked.js").Asked} asked
 */
function begun(at, moment, { payment, input }, asked) {
  asked.asks(payment);
  const words = [DOOMED, String(at), moment, payment.kind, JSON.stringify(input), payment.key];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise((resolve) => child.once("exit", (...told) => resolve(told)));
  return { child, ended };
}

/** False once it has ended. @param {import("node:child_process").ChildProcess} child */
async function isAsleep(child) {
  while (child.exitCode === null && child.signalCode === null) {
    if (/\) T/.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) return true;
    await pause(LOOK_MS);
  }
  return false;
}
