/**
 * Two at work on one payment, by the API's and the trigger's own code, on the real database and the real LND: the API
 * stops before a call; the trigger takes up what it finds there and stops before one of its own calls; the API goes on
 * to a later one; the trigger, with what it had read, comes to its end, and then the API. So at every such three calls
 * in turn. `check` finds out afterwards whether what the customer was told stayed true.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { flowOf, OPEN, takeUp } from "../src/flows.js";
import { intraLedgerPaymentSend, lnInvoicePaymentSend } from "../src/payments.js";
import { open } from "../src/service.js";
import { OF_A_PAYMENT, through } from "./calls.js";
import { insist } from "./insist.js";
import { order, pairs } from "./orders.js";

/** Payments that stop at different calls, each with customers of its own. */
const AT_ONCE = 8;
const PAY = { intraledger: intraLedgerPaymentSend, send: lnInvoicePaymentSend };
const FLOW = {
  intraledger: (/** @type {any} */ { walletId, key }) => `intraledger/${walletId}/${key}`,
  send: (/** @type {any} */ { key }) => `payment/${key}`,
};

/**
 * @typedef {{at: number, nth: number, on: number}} Place the API's call, the trigger's call, and how many calls the API
 *   goes on before the trigger does
 * @typedef {"overtaken" | "ended" | "not open" | "taken up" | "paid" | null} Outcome the trigger overtook the API; or the
 *   API came to its end before it stopped; or there was nothing to take up; or the trigger came to its end before it
 *   stopped; or the API did where it should have gone on only a little; null: the payment was refused or left pending
 * @typedef {import("./orders.js").Kind} Kind
 * @typedef {import("./orders.js").Pair} Pair
 * @typedef {import("./orders.js").Order} Order
 * @typedef {{outside: any, asked: import("./asked.js").Asked, url: string, patienceMs: number, step: number}} Wanted
 */

/** `step` 1: at each call of the API; 4: at every fourth. @param {Wanted} wanted */
export async function overtake(wanted) {
  const pair = await pairs(AT_ONCE, wanted);
  const bank = await open();
  while (!bank.nodes.active.length) await Promise.all(bank.nodes.all.map((node) => node.look()));
  through(OF_A_PAYMENT, (call) => workers.getStore()?.mayCall().then(call) ?? call());
  for (const kind of /** @type {const} */ (["intraledger", "send"])) {
    const lanes = Array.from({ length: AT_ONCE }, (_, n) => lane(n, kind, pair(n), bank, wanted));
    const times = (await Promise.all(lanes)).reduce((sum, one) => sum + one);
    console.log(`${kind}: overtaken by its trigger ${times} times`);
    if (!times) throw new Error(`No ${kind} was overtaken: nothing was tested.`);
  }
}

/**
 * How often it was overtaken at each of the lane's calls.
 * @param {number} n @param {Kind} kind @param {Pair} pair @param {any} bank @param {Wanted} wanted
 */
async function lane(n, kind, pair, bank, { step, outside, asked }) {
  const meet = async (/** @type {Place} */ place) => met(place, bank, await order(kind, pair, outside), asked);
  let times = 0;
  for (let at = 1 + n * step; ; at += AT_ONCE * step) {
    const more = await everywhere(at, step, meet);
    if (more === null) return times;
    times += more;
  }
}

/**
 * How often it was overtaken where the API stops at this call; null where it has fewer calls.
 * @param {number} at @param {number} step @param {(place: Place) => Promise<Outcome>} meet
 */
async function everywhere(at, step, meet) {
  let times = 0;
  for (let nth = 1; ; nth += 1) {
    for (let on = 1; ; on += step) {
      const outcome = await insist(() => meet({ at, nth, on }), `A payment at call ${at}`);
      if (outcome === "ended") return null;
      if (outcome === "not open" || outcome === "taken up") return times;
      if (outcome === "paid") break;
      times += 1;
    }
  }
}

/** @param {Place} place @param {any} bank @param {Order} order @param {import("./asked.js").Asked} asked @returns {Promise<Outcome>} */
async function met({ at, nth, on }, bank, { payment, input }, asked) {
  asked.asks(payment);
  const api = new Worker(() => PAY[payment.kind](bank, input, { key: payment.key, askedAt: Date.now() }));
  try {
    if (!(await api.goOn(at))) return (await api.ended).status === "SUCCESS" ? "ended" : null;
    const flow = await flowOf(FLOW[payment.kind](payment));
    if (!flow || !OPEN.includes(flow.state)) return "not open";
    const trigger = new Worker(() => takeUp(flow, bank.nodes));
    try {
      if (!(await trigger.goOn(nth))) return "taken up";
      return (await api.goOn(at + on)) ? "overtaken" : "paid";
    } finally {
      await trigger.goOn();
    }
  } finally {
    await api.goOn();
    const { status } = await api.ended;
    if (status === "SUCCESS" || status === "FAILURE") asked.hears(payment, { status, ms: 0 });
  }
}

/** @type {AsyncLocalStorage<Worker>} whose call it is */
const workers = new AsyncLocalStorage();

/** Work that stops before a call of its own, and goes on when it is told to. */
class Worker {
  /** @param {() => Promise<any>} work */
  constructor(work) {
    this.calls = 0;
    this.stopsAt = 1;
    this.stops = () => {};
    /** @type {(() => void)[]} calls that wait: it may make several at once */
    this.waiting = [];
    this.ended = workers.run(this, work).catch(({ message }) => ({ status: message }));
  }

  /** Let it go until before its call `at`: whether it came there, or to its end. */
  async goOn(at = Infinity) {
    const stopped = new Promise((resolve) => {
      this.stops = () => resolve(true);
    });
    this.stopsAt = at;
    for (const go of this.waiting.splice(0)) go();
    return Promise.race([stopped, this.ended.then(() => false)]);
  }

  async mayCall() {
    this.calls += 1;
    const mine = this.calls;
    while (mine >= this.stopsAt) {
      const told = new Promise((/** @type {(value?: any) => void} */ resolve) => this.waiting.push(resolve));
      this.stops();
      await told;
    }
  }
}
