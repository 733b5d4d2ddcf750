/**
 * One payment by the API's own code, in a process that kills itself at its n-th call to MongoDB, Redis or LND:
 * before the call, or with the call on its way and its answer never heard. Or it falls asleep before the call,
 * and makes it whenever it is woken. Started by `crash.js`.
 */
import Redis from "ioredis";
import mongoose from "mongoose";
import { LightningNode } from "../src/nodes.js";
import { intraLedgerPaymentSend, lnInvoicePaymentSend } from "../src/payments.js";
import { open } from "../src/service.js";

const [at, moment, kind, input, key] = process.argv.slice(2);
const COLLECTION = ["insertOne", "insertMany", "updateOne", "updateMany", "findOne", "countDocuments", "deleteOne"];
const LND = ["pay", "payment"];
/** The exit code of a payment that was refused or left pending. */
const OTHERWISE = 3;
let calls = 0;

const bank = await open();
while (!bank.nodes.active.length) await Promise.all(bank.nodes.all.map((node) => node.look()));
const { Collection, AbstractCursor } = mongoose.mongo;
for (const name of COLLECTION) doom(Collection.prototype, name);
doom(AbstractCursor.prototype, "toArray");
for (const name of LND) doom(LightningNode.prototype, name);
doom(Redis.prototype, "sendCommand");

const pay = kind === "send" ? lnInvoicePaymentSend : intraLedgerPaymentSend;
const { status } = await pay(bank, JSON.parse(input), { key, askedAt: Date.now() }).catch(({ message }) => ({ status: message }));
// Only one that came to its end had no more calls to die at.
process.exit(status === "SUCCESS" ? 0 : OTHERWISE);

/** @param {any} prototype @param {string} name */
function doom(prototype, name) {
  const original = prototype[name];
  prototype[name] = function (...given) {
    calls += 1;
    const isLast = calls === Number(at);
    if (isLast && moment !== "during") process.kill(process.pid, moment === "asleep" ? "SIGSTOP" : "SIGKILL");
    const answer = original.apply(this, given);
    const isDeadly = isLast && moment === "during";
    // By now the call is in the socket's buffer; a little later it is at the other side.
    if (isDeadly) setTimeout(() => process.kill(process.pid, "SIGKILL"), 2);
    return isDeadly ? new Promise(() => {}) : answer;
  };
}
