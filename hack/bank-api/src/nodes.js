/**
 * The bank's Lightning nodes. A node is used only while it answers under the pubkey it is known by:
 * another identity at the same address is another wallet.
 * Answers are what LND said or null for "no answer"; no answer is never taken for no.
 */
import { connect } from "node:net";
import * as lightning from "lightning";
import { avoided } from "./mode.js";

const ANSWER_MS = 5_000;
const POLL_MS = 5_000;
/** While one is away: payments may be waiting for it. */
const AWAY_POLL_MS = 1_000;
const LISTENS_MS = 500;
/** A new connection costs a third of a second: the pause before one is doubled each time, until one is of use. */
const REDIAL_MS = 5_000;
const REDIAL_MOST_MS = 120_000;
/** gRPC's word for a connection that calls go over. */
const READY = 2;
const CALLS_LAST_MS = 600_000;
const PAYMENT_MS = 45_000;

export class LightningNode {
  /** @param {import("./environment.js").Slot} slot */
  constructor({ name, pubkey, socket, cert, macaroon }) {
    this.name = name;
    this.pubkey = pubkey;
    this.isActive = false;
    this.isSilent = false;
    this.wasAway = false;
    this.redialled = -Infinity;
    this.redialPauseMs = REDIAL_MS;
    this.socket = socket;
    this.dial = () => {
      this.lnd = lightning.authenticatedLndGrpc({ cert, macaroon, socket }).lnd;
      this.unlocked = lightning.unauthenticatedLndGrpc({ cert, socket }).lnd;
    };
    this.dial();
  }

  /**
   * A connection that failed is tried again ever later, up to two minutes: to an LND that is back a new one is made.
   * The former clients are closed when no call of theirs can last any more: some calls are two, and the second one on
   * a closed client would end the process.
   */
  redial() {
    this.redialled = performance.now();
    this.redialPauseMs = Math.min(2 * this.redialPauseMs, REDIAL_MOST_MS);
    const clients = /** @type {any[]} */ ([this.lnd, this.unlocked].flatMap((one) => Object.values(one)));
    this.dial();
    setTimeout(() => clients.forEach((client) => client.close()), CALLS_LAST_MS).unref();
  }

  /**
   * Whether it takes connections and ours are none, or are to an LND that was away since. Looks are seconds apart, and
   * none may fall into the time for which it was.
   */
  async isBack() {
    const wasAway = this.wasAway;
    this.wasAway = !(await listens(this.socket));
    return !this.wasAway && (wasAway || !this.isConnected);
  }

  /** Whether both questions of a look have a connection to go over. */
  get isConnected() {
    const channels = /** @type {any[]} */ ([this.unlocked.status, this.lnd.default]).map((one) => one.getChannel());
    return channels.every((channel) => channel.getConnectivityState(false) === READY);
  }

  get mayRedial() {
    return performance.now() - this.redialled >= this.redialPauseMs;
  }

  async look() {
    if (this.isSilent && this.mayRedial && (await this.isBack())) this.redial();
    const state = await answer(lightning.getWalletStatus({ lnd: this.unlocked }));
    const identity = state?.is_active ? await answer(lightning.getIdentity({ lnd: this.lnd })) : null;
    if (identity && identity.public_key !== this.pubkey) {
      console.error(`${this.name} answers as ${identity.public_key}: another wallet. It gets no payments.`);
    }
    this.isSilent = state === null || (state.is_active && identity === null);
    if (!this.isSilent) Object.assign(this, { wasAway: false, redialPauseMs: REDIAL_MS });
    this.isActive = identity?.public_key === this.pubkey;
  }

  /**
   * Ask LND to pay, once, and wait for an end as long as a customer would. What came of it is asked of
   * `payment`: an error here may be the network's, with the payment on its way.
   * @param {string} request
   * @param {number} maxFee
   */
  async pay(request, maxFee) {
    const { lnd } = this;
    const paying = lightning.payViaPaymentRequest({ lnd, request, max_fee: maxFee, pathfinding_timeout: PAYMENT_MS });
    await Promise.race([paying.catch(() => {}), after(PAYMENT_MS, null)]);
  }

  /**
   * @param {string} hash
   * @returns {Promise<{state: "confirmed", fee: number} | {state: "failed" | "pending" | "absent"} | null>}
   */
  async payment(hash) {
    const found = await answer(lightning.getPayment({ id: hash, lnd: this.lnd }), "SentPaymentNotFound");
    if (found === null) return null;
    if (found === ABSENT) return { state: "absent" };
    if (found.is_confirmed && found.payment) return { state: "confirmed", fee: found.payment.safe_fee };
    return { state: found.is_failed ? "failed" : "pending" };
  }

  /**
   * @param {string} hash
   * @returns {Promise<{state: "settled", received: number} | {state: "open" | "canceled" | "absent"} | null>}
   */
  async invoice(hash) {
    const found = await answer(lightning.getInvoice({ id: hash, lnd: this.lnd }), "InvoiceNotFound", NOT_FOUND);
    if (found === null) return null;
    if (found === ABSENT) return { state: "absent" };
    if (found.is_confirmed) return { state: "settled", received: found.received };
    return { state: found.is_canceled ? "canceled" : "open" };
  }

  /** What the node has on its side of its channels; null while it does not say. */
  async channelSats() {
    return (await answer(lightning.getChannelBalance({ lnd: this.lnd })))?.channel_balance ?? null;
  }

  /**
   * Payment hashes of every HTLC in its channels; null where that cannot be said: it does not answer, or a channel is
   * closing, whose HTLCs are told without a hash.
   * @returns {Promise<Set<string> | null>}
   */
  async htlcHashes() {
    const { lnd } = this;
    const asked = [lightning.getChannels({ lnd }), lightning.getPendingChannels({ lnd })];
    const [open, pending] = await Promise.all(asked.map((one) => answer(one)));
    if (!open || !pending || pending.pending_channels.some((/** @type {any} */ one) => one.is_closing)) return null;
    const htlcs = open.channels.flatMap((/** @type {any} */ one) => one.pending_payments);
    return new Set(htlcs.map((/** @type {any} */ htlc) => htlc.id));
  }

  /** @param {{secret: string, amount: number, memo: string, expiresAt: Date}} wanted */
  async createInvoice({ secret, amount, memo, expiresAt }) {
    const wanted = { secret, tokens: amount, description: memo, expires_at: expiresAt.toISOString() };
    return answer(lightning.createInvoice({ lnd: this.lnd, ...wanted }));
  }

  /**
   * Tell of every invoice that is paid, until the stream ends.
   * @param {(hash: string, received: number) => void} onPaid
   * @returns {Promise<void>}
   */
  invoicesPaid(onPaid) {
    const stream = lightning.subscribeToInvoices({ lnd: this.lnd });
    return new Promise((resolve) => {
      const end = () => {
        stream.removeAllListeners();
        stream.on("error", () => {});
        resolve();
      };
      stream.on("invoice_updated", (invoice) => invoice.is_confirmed && onPaid(invoice.id, invoice.received));
      stream.on("error", end);
      stream.on("end", end);
    });
  }
}

/** Whether anybody takes a connection there. @param {string} socket host:port @returns {Promise<boolean>} */
function listens(socket) {
  const [host, port] = socket.split(":");
  const tried = connect({ host, port: Number(port), timeout: LISTENS_MS });
  return new Promise((resolve) => {
    for (const end of ["connect", "error", "timeout"]) tried.once(end, () => resolve(end === "connect"));
  }).finally(() => tried.destroy());
}

const ABSENT = Symbol("absent");
const NOT_FOUND = /unable to locate invoice|there are no existing invoices|isn't initiated|invoice not found/i;

/**
 * What was answered in time; ABSENT for LND's word that it has no such thing; null for no answer.
 * @template T
 * @param {Promise<T>} asked
 * @param {string} [absentCode]
 * @param {RegExp} [absentWords]
 * @returns {Promise<any>}
 */
async function answer(asked, absentCode, absentWords) {
  try {
    return await Promise.race([asked, after(ANSWER_MS, null)]);
  } catch (/** @type {any} */ error) {
    const words = error?.[2]?.err?.details ?? "";
    return (absentCode && error?.[1] === absentCode) || absentWords?.test(words) ? ABSENT : null;
  }
}

/**
 * @template T
 * @param {number} ms
 * @param {T} value
 * @returns {Promise<T>}
 */
const after = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value).unref());

/** Nodes in order of priority, looked at again and again. */
export class Nodes {
  /**
   * @param {import("./environment.js").Slot[]} slots
   * @param {string} [modeFile] beside which the operator names nodes that are about to be stopped
   */
  constructor(slots, modeFile) {
    this.all = slots.map((slot) => new LightningNode(slot));
    this.modeFile = modeFile;
  }

  async watch() {
    await Promise.all(this.all.map((node) => node.look()));
    const areThere = this.all.every((node) => node.isActive);
    setTimeout(() => this.watch(), areThere ? POLL_MS : AWAY_POLL_MS).unref();
  }

  get active() {
    return this.all.filter((node) => node.isActive);
  }

  /** Those on which something new may be begun. */
  async usable() {
    const leaving = await avoided(this.modeFile);
    return this.active.filter((node) => !leaving.includes(node.name));
  }

  /** @param {string} pubkey */
  by(pubkey) {
    return this.all.find((node) => node.pubkey === pubkey);
  }
}
