/** Which states a payment goes through, and from which of them a step may be taken (pure: `flows.js` takes it). */

/** @type {Record<string, string[]>} */
const NEXT = { recorded: ["sending", "reversing"], sending: ["settling", "reversing"] };

/**
 * What has to be true in the database for this step; null where there is no such step.
 *
 * Only from the state that was read. Who saw a payment `recorded` and is about to call it never sent, while another
 * process takes it to `sending`, must not take it from there: LND pays it.
 * @param {{_id: string, state: string}} flow as it was read
 * @param {string} to
 */
export const from = ({ _id, state }, to) => (NEXT[state]?.includes(to) ? { _id, state } : null);
