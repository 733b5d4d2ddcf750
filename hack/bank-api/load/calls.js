/** The calls of a payment to whoever keeps something: MongoDB, Redis, LND. What a process may stop at. */
import Redis from "ioredis";
import mongoose from "mongoose";
import { LightningNode } from "../src/nodes.js";

const { Collection, AbstractCursor } = mongoose.mongo;
const COLLECTION = ["insertOne", "insertMany", "updateOne", "updateMany", "findOne", "countDocuments", "deleteOne"];

/** @typedef {[any, string[]]} Methods of one prototype */
/** @type {Methods[]} */
export const OF_A_PAYMENT = [
  [Collection.prototype, COLLECTION],
  [AbstractCursor.prototype, ["toArray"]],
  [LightningNode.prototype, ["pay", "payment"]],
];
/** @type {Methods[]} */
export const OF_ITS_LOCKS = [[Redis.prototype, ["sendCommand"]]];

/**
 * From now on each of these calls goes through `around`, which makes it, late, or never.
 * @param {Methods[]} methods @param {(call: () => any) => any} around
 */
export function through(methods, around) {
  for (const [prototype, names] of methods) {
    for (const name of names) {
      const original = prototype[name];
      prototype[name] = function (/** @type {any[]} */ ...given) {
        return around(() => original.apply(this, given));
      };
    }
  }
}
