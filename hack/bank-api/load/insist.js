/** A busy machine leaves a payment pending now and then; that says nothing of what a story wants to know of it. */

const ATTEMPTS = 5;

/**
 * What came of it, asked for again where it was refused or left pending (null). Throws where that does not end.
 * @template T
 * @param {() => Promise<T | null>} attempt @param {string} what @returns {Promise<T>}
 */
export async function insist(attempt, what) {
  for (let times = 0; times < ATTEMPTS; times += 1) {
    const outcome = await attempt();
    if (outcome !== null) return outcome;
  }
  throw new Error(`${what} was refused or left pending ${ATTEMPTS} times: the bank is not well.`);
}
