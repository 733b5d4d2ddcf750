/**
 * Asks the bank for payments at a steady rate. A customer makes one payment at a time: where all of them wait
 * for the bank, the rate falls, is caught up when they can, and is told at the end. SIGTERM brings the end: nothing
 * new is asked for, and what was asked is waited for.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import * as lightning from "lightning";
import { Customer } from "./customer.js";

const CUSTOMERS = 40;
/** So large a part pays over Lightning; the others across. A wallet is locked for the length of its Lightning payment. */
const SENDERS = 0.35;
const FUNDS_SAT = 20_000;
const FUNDED_AT_ONCE = 5;
const TICK_MS = 25;
/** Short, so that a payment that was cut off before LND heard of it is certain soon. */
const INVOICE_MS = 120_000;

/**
 * @param {{url: string, outside: any, asked: import("./asked.js").Asked, seconds: number,
 *   rates: {intraledger: number, lightning: number}, patienceMs: number, names: string[], fundsSat: number}} wanted
 */
export async function run({ url, outside, asked, seconds, rates, patienceMs, names, fundsSat }) {
  const customers = (names.length ? names : strangers()).map((name) => new Customer(url, name, patienceMs));
  const load = await funded(customers, { outside, asked, fundsSat });
  process.once("SIGTERM", () => load.close());
  console.log(`${customers.length} customers have ${fundsSat / 2} sat or more each; ${seconds} s of load begin.`);
  const lasted = await load.keepUp(seconds, [
    [rates.intraledger, () => load.across()],
    [rates.lightning / 2, () => load.send()],
    [rates.lightning / 2, () => load.receive(any(customers), between(100, 600))],
  ]);
  return load.summary(lasted);
}

/** Names that nobody had before. */
function strangers() {
  const run = randomUUID().slice(0, 8);
  return Array.from({ length: CUSTOMERS }, (_, n) => `load-${run}-${n}`);
}

/** Customers with money: who has less than half of that is paid it over Lightning. @param {Customer[]} customers @param {any} wanted */
export async function funded(customers, { outside, asked, fundsSat = FUNDS_SAT }) {
  const load = new Load(customers, outside, asked);
  await Promise.all(customers.map((customer) => customer.visit()));
  const poor = await poorer(customers, fundsSat / 2);
  for (let n = 0; n < poor.length; n += FUNDED_AT_ONCE) {
    await Promise.all(poor.slice(n, n + FUNDED_AT_ONCE).map((customer) => load.receive(customer, fundsSat)));
  }
  const areFunded = async () => (await poorer(customers, fundsSat / 2)).length === 0;
  await until(areFunded, 60_000, "the customers have their first money");
  load.done = [];
  return load;
}

class Load {
  /** @param {Customer[]} customers @param {any} outside @param {import("./asked.js").Asked} asked */
  constructor(customers, outside, asked) {
    Object.assign(this, { customers, outside, asked, inFlight: new Set(), done: [], isOpen: true });
    const senders = Math.ceil(customers.length * SENDERS);
    this.senders = customers.slice(0, senders);
    this.payers = customers.slice(senders);
  }

  /** For how many seconds it was. @param {number} seconds at most @param {[number, () => Promise<void>][]} streams */
  async keepUp(seconds, streams) {
    const began = Date.now();
    const begun = streams.map(() => 0);
    while (this.isOpen && Date.now() - began < seconds * 1_000) {
      for (const [n, [rate, start]] of streams.entries()) {
        const due = ((Date.now() - began) / 1_000) * rate;
        while (begun[n] < due && this.begin(start)) begun[n] += 1;
      }
      await pause(TICK_MS);
    }
    const lasted = (Date.now() - began) / 1_000;
    await Promise.all(this.inFlight);
    return lasted;
  }

  close() {
    this.isOpen = false;
  }

  /** Whether there was a customer to do it. @param {() => Promise<void> | undefined} start */
  begin(start) {
    const going = start()?.catch((error) => console.warn(`Not asked: ${error.message}`));
    if (!going) return false;
    this.inFlight.add(going);
    void going.finally(() => this.inFlight.delete(going));
    return true;
  }

  across() {
    const from = idle(this.payers);
    const to = any(this.customers.filter((one) => one !== from));
    const about = { kind: "intraledger", amount: between(1, 50), recipientWalletId: to.walletId, recipient: to.name };
    const pay = ({ amount, key }) => from.across(to.walletId, amount, key);
    return from && this.settle(from, async () => ({ ...about, key: randomUUID() }), pay);
  }

  send() {
    const from = idle(this.senders);
    const amount = between(100, 600);
    let invoice;
    const about = async () => {
      const expires_at = new Date(Date.now() + INVOICE_MS).toISOString();
      invoice = await lightning.createInvoice({ lnd: this.outside.lnd, tokens: amount, expires_at });
      return { kind: "send", key: invoice.id, amount };
    };
    return from && this.settle(from, about, () => from.send(invoice.request));
  }

  /** @param {Customer} to @param {number} amount */
  async receive(to, amount) {
    const { paymentHash, paymentRequest } = await to.invoice(amount);
    const payment = { kind: "receive", key: paymentHash, amount, customer: to.name, walletId: to.walletId };
    this.asked.asks(payment);
    const began = Date.now();
    const status = await lightning
      .payViaPaymentRequest({ lnd: this.outside.lnd, request: paymentRequest, max_fee: 100, pathfinding_timeout: 30_000 })
      .then(() => "SUCCESS", () => "NO_ANSWER"); // what came of it, the check asks both sides
    this.hears(payment, { status, ms: Date.now() - began });
  }

  /** @param {Customer} from @param {() => Promise<any>} about @param {(payment: any) => Promise<any>} pay */
  async settle(from, about, pay) {
    from.isBusy = true;
    try {
      const payment = { ...(await about()), customer: from.name, walletId: from.walletId };
      this.asked.asks(payment);
      this.hears(payment, await pay(payment));
    } finally {
      from.isBusy = false;
    }
  }

  /** @param {any} payment @param {import("./asked.js").Answer} answer */
  hears(payment, answer) {
    this.asked.hears(payment, answer);
    this.done.push({ kind: payment.kind, at: Date.now(), ...answer });
  }

  /** @param {number} seconds */
  summary(seconds) {
    for (const kind of ["intraledger", "send", "receive"]) {
      const answers = this.done.filter((one) => one.kind === kind);
      const told = [...new Set(answers.map((one) => one.status))];
      const times = answers.map((one) => one.ms).sort((a, b) => a - b);
      const at = (/** @type {number} */ part) => times[Math.floor(times.length * part)] ?? 0;
      const rate = (answers.length / seconds).toFixed(1);
      const words = told.map((status) => `${answers.filter((one) => one.status === status).length} ${status}`).join(", ");
      console.log(`${kind.padEnd(12)} ${rate}/s  ${words}  p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`);
    }
    for (const kinds of [["intraledger"], ["send", "receive"]]) {
      console.log(`longest time without a ${kinds.join(" or ")} that succeeded: ${(this.gap(kinds) / 1_000).toFixed(1)} s`);
    }
  }

  /** @param {string[]} kinds */
  gap(kinds) {
    const ends = this.done.filter((one) => kinds.includes(one.kind) && one.status === "SUCCESS").map((one) => one.at);
    return Math.max(0, ...ends.slice(1).map((end, n) => end - ends[n]));
  }
}

const between = (/** @type {number} */ low, /** @type {number} */ high) => low + Math.floor(Math.random() * (high - low + 1));
const any = (/** @type {any[]} */ those) => those[between(0, those.length - 1)];
const idle = (/** @type {Customer[]} */ those) => any(those.filter((one) => !one.isBusy));

/** Those who have less. @param {Customer[]} customers @param {number} sats */
async function poorer(customers, sats) {
  const balances = await Promise.all(customers.map((one) => one.balance()));
  return customers.filter((_, n) => balances[n] < sats);
}

/** @param {() => Promise<boolean>} condition @param {number} ms @param {string} what */
export async function until(condition, ms, what) {
  for (const began = Date.now(); !(await condition()); await pause(300)) {
    if (Date.now() - began > ms) throw new Error(`Not within ${ms / 1_000} s: ${what}.`);
  }
}
