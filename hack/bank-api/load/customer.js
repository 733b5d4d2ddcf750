/** A customer at the bank's GraphQL door: impatient enough to ask again, always for the same payment. */
import { setTimeout as pause } from "node:timers/promises";

const ANSWER_MS = 60_000;
const ASK_AGAIN_MS = 1_000;

const SEND = `mutation ($input: LnInvoicePaymentInput!) {
  it: lnInvoicePaymentSend(input: $input) { status errors { code message } } }`;
const ACROSS = `mutation ($input: IntraLedgerPaymentSendInput!) {
  it: intraLedgerPaymentSend(input: $input) { status errors { code message } } }`;
const INVOICE = `mutation ($input: LnInvoiceCreateInput!) {
  it: lnInvoiceCreate(input: $input) { invoice { paymentHash paymentRequest } errors { code message } } }`;

export class Customer {
  /** @param {string} url @param {string} name @param {number} patienceMs */
  constructor(url, name, patienceMs) {
    Object.assign(this, { url, name, patienceMs, walletId: "", isBusy: false });
  }

  async visit() {
    const { me } = await this.insist("{ me { defaultAccount { defaultWalletId } } }");
    this.walletId = me.defaultAccount.defaultWalletId;
    return this;
  }

  /** @returns {Promise<number>} in sat */
  async balance() {
    const { me } = await this.insist("{ me { defaultAccount { defaultWallet { balance } } } }");
    return me.defaultAccount.defaultWallet.balance;
  }

  /** @param {number} amount */
  async invoice(amount) {
    const { it } = await this.insist(INVOICE, { walletId: this.walletId, amount, expiresIn: 5 });
    if (!it.invoice) throw new Error(`No invoice: ${it.errors[0]?.message}`);
    return it.invoice;
  }

  /** @param {string} paymentRequest */
  send(paymentRequest) {
    return this.pay(SEND, { walletId: this.walletId, paymentRequest });
  }

  /** @param {string} recipientWalletId @param {number} amount @param {string} key */
  across(recipientWalletId, amount, key) {
    return this.pay(ACROSS, { walletId: this.walletId, recipientWalletId, amount }, key);
  }

  /**
   * The bank's last word on one payment. PENDING and no answer at all are asked again, as a customer does.
   * `heard` is every word that differed from the one before it, with its time since the first question.
   * @param {string} query @param {object} input @param {string} [key]
   * @returns {Promise<import("./asked.js").Answer>}
   */
  async pay(query, input, key) {
    const began = Date.now();
    /** @type {string[]} */
    const heard = [];
    let status = "NO_ANSWER";
    do {
      let why;
      let isFinal = false;
      try {
        const { it } = await this.ask(query, input, key);
        status = it.status === "ALREADY_PAID" ? "SUCCESS" : it.status;
        why = it.errors[0]?.message ?? "";
        isFinal = status === "SUCCESS" || status === "FAILURE";
      } catch (error) {
        status = "NO_ANSWER";
        why = String(error);
      }
      const word = `${status} ${why}`.trim();
      if (!heard.at(-1)?.endsWith(word)) heard.push(`${Date.now() - began} ms: ${word}`);
      if (isFinal) break;
      await pause(ASK_AGAIN_MS);
    } while (Date.now() - began < this.patienceMs);
    return { status, heard, ms: Date.now() - began };
  }

  /** An answer to something that may be asked as often as one likes. @param {string} query @param {object} [input] */
  async insist(query, input) {
    const began = Date.now();
    while (true) {
      try {
        return await this.ask(query, input);
      } catch (error) {
        if (Date.now() - began > this.patienceMs) throw error;
        await pause(ASK_AGAIN_MS);
      }
    }
  }

  /** @param {string} query @param {object} [input] @param {string} [key] @returns {Promise<any>} */
  async ask(query, input, key) {
    const response = await fetch(this.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${this.name}`,
        ...(key && { "x-idempotency-key": key }),
      },
      body: JSON.stringify({ query, variables: { input } }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(errors[0].message);
    return data;
  }
}
