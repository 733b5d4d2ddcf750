/** The bank's documents. Every write waits for a majority; what is not acknowledged by one is asked for again. */
import mongoose from "mongoose";

const { Schema } = mongoose;

/** One customer, one wallet. Ids come from the name, so that two first visits at once make one customer. */
const account = new Schema({ _id: String, walletId: String, createdAt: Date }, { versionKey: false });

/**
 * What the bank has set out to do, written before it is done: whoever finds a crash's remains knows how to go on.
 * `flows.js` has the states and what each may become.
 */
const flow = new Schema(
  {
    _id: String,
    kind: { type: String, enum: ["intraledger", "payment"] },
    state: String,
    walletId: String,
    recipientWalletId: String,
    amount: Number,
    maxFee: Number,
    fee: Number,
    memo: String,
    hash: String,
    externalId: String,
    pubkey: String,
    expiresAt: Date,
    reason: String,
    /** When it was last refused to whom, by wallet: `flows.js`. */
    refused: Schema.Types.Mixed,
    createdAt: Date,
    updatedAt: Date,
  },
  { versionKey: false, collection: "paymentflowstates" },
);
flow.index({ state: 1, createdAt: 1 });
flow.index({ walletId: 1, state: 1 });
account.index({ walletId: 1 }, { unique: true });

/** An invoice belongs to the node that made it: only that node can say whether it was paid. */
const invoiceUser = new Schema(
  {
    _id: String,
    walletId: String,
    pubkey: String,
    amount: Number,
    memo: String,
    paid: { type: Boolean, default: false },
    processingCompleted: { type: Boolean, default: false },
    timestamp: Date,
    expiresAt: Date,
  },
  { versionKey: false, collection: "invoiceusers" },
);
invoiceUser.index({ processingCompleted: 1, pubkey: 1, timestamp: 1 });
invoiceUser.index({ walletId: 1, timestamp: -1 });

export const Accounts = mongoose.model("Account", account);
export const Flows = mongoose.model("PaymentFlowState", flow);
export const InvoiceUsers = mongoose.model("InvoiceUser", invoiceUser);

/** @param {string} uri */
export async function connect(uri) {
  mongoose.set("autoIndex", false);
  mongoose.set("autoCreate", false);
  await mongoose.connect(uri, {
    writeConcern: { w: "majority" },
    readPreference: "primary",
    serverSelectionTimeoutMS: 15_000,
    socketTimeoutMS: 120_000,
  });
}

export const isConnected = () => mongoose.connection.readyState === 1;

/** Whether this write made the document: false where it was there. @param {PromiseLike<unknown>} write */
export async function isFirst(write) {
  try {
    await write;
    return true;
  } catch (/** @type {any} */ error) {
    if (error?.code === 11000) return false;
    throw error;
  }
}
