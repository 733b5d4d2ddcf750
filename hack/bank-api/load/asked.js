/**
 * Everything the load asked the bank for, one line each, on disk before it is asked: a load that dies
 * still knows what it may have set in motion.
 */
import { appendFileSync, readFileSync } from "node:fs";

/**
 * @typedef {"intraledger" | "send" | "receive"} Kind
 * @typedef {{key: string, kind: Kind, customer: string, walletId: string, amount: number,
 *   recipientWalletId?: string, recipient?: string}} Payment `key` is the idempotency key or the payment hash
 * @typedef {{status: string, heard?: string[], ms: number}} Answer
 */

export class Asked {
  /** @param {string} file */
  constructor(file) {
    this.file = file;
  }

  /** @param {Payment} payment */
  asks(payment) {
    this.write({ asked: payment });
  }

  /** @param {Payment} payment @param {Answer} answer */
  hears({ key }, answer) {
    this.write({ key, answer });
  }

  /** @param {object} line */
  write(line) {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }

  /** @returns {(Payment & {answer?: Answer})[]} what was asked, each with its last answer */
  read() {
    const payments = new Map();
    for (const line of readFileSync(this.file, "utf8").trim().split("\n")) {
      const { asked, key, answer } = JSON.parse(line);
      if (asked) payments.set(asked.key, asked);
      else payments.get(key).answer = answer;
    }
    return [...payments.values()];
  }
}
