/**
 * The component that finishes what others began: it credits invoices as they are paid, and carries to an end
 * each payment whose process died, by what LND says of its payment hash. One is enough; two do no harm.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Flows, InvoiceUsers } from "./database.js";
import { OPEN, takeUp } from "./flows.js";
import { credit, lookAfter } from "./invoices.js";
import { isHealthy, open, serve } from "./service.js";

const SWEEP_MS = 3_000;
/** Younger ones still have their own process looking after them. */
const ABANDONED_AFTER_MS = 10_000;
const AT_ONCE = 8;

const bank = await open();
serve(
  bank.triggerPort,
  async () => (await isHealthy(bank)) && bank.nodes.active.length > 0,
  (_, response) => void response.writeHead(404).end(),
);
for (const node of bank.nodes.all) void listen(node);
while (true) {
  await sweep();
  await pause(SWEEP_MS);
}

/** @param {import("./nodes.js").LightningNode} node */
async function listen(node) {
  while (true) {
    if (node.isActive) {
      await node.invoicesPaid((hash, received) => void attempt(`Invoice ${hash}`, () => credit(bank, hash, received)));
    }
    await pause(SWEEP_MS); // what is paid meanwhile, the sweep finds
  }
}

async function sweep() {
  await attempt("Payments", async () => {
    const before = new Date(Date.now() - ABANDONED_AFTER_MS);
    await each(Flows.find({ state: { $in: OPEN }, createdAt: { $lt: before } }).lean(), (flow) => takeUp(flow, bank.nodes));
  });
  await attempt("Invoices", async () => {
    const before = new Date(Date.now() - SWEEP_MS);
    const waiting = { processingCompleted: false, timestamp: { $lt: before } };
    await each(InvoiceUsers.find(waiting).lean(), (invoice) => lookAfter(bank, invoice));
  });
}

/**
 * A few at once, each on its own: one that fails now is found again by the next sweep.
 * @param {import("mongoose").Query<any, any>} query
 * @param {(document: any) => Promise<unknown>} act
 */
async function each(query, act) {
  const one = (/** @type {any} */ document) => attempt(document._id, () => act(document));
  await query.cursor().eachAsync(one, { parallel: AT_ONCE });
}

/** @param {string} what @param {() => Promise<unknown>} act */
async function attempt(what, act) {
  try {
    await act();
  } catch (error) {
    console.warn(`${what}: ${error instanceof Error ? error.message : error} It is tried again.`);
  }
}
