/** Whether a payment that LND calls in flight is in any of its channels. Reads only, and by its own queries. */
import * as lightning from "lightning";

const ANSWER_MS = 10_000;

/**
 * Payment hashes of every HTLC in a node's channels; null where that cannot be said: LND does not answer, or a channel
 * is closing, whose HTLCs are told without a hash.
 * @param {import("../src/nodes.js").LightningNode} node
 * @returns {Promise<Set<string> | null>}
 */
export async function inChannels({ lnd }) {
  try {
    const [{ channels }, { pending_channels: pending }] = await within(
      Promise.all([lightning.getChannels({ lnd }), lightning.getPendingChannels({ lnd })]),
    );
    if (pending.some((one) => one.is_closing)) return null;
    return new Set(channels.flatMap((one) => one.pending_payments.map((htlc) => htlc.id)));
  } catch {
    return null;
  }
}

/** @template T @param {Promise<T>} asked @returns {Promise<T>} */
function within(asked) {
  const late = new Promise((_, reject) => setTimeout(reject, ANSWER_MS, new Error("no answer")).unref());
  return Promise.race([asked, /** @type {Promise<never>} */ (late)]);
}
