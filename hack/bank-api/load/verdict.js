/**
 * What is to be said of one payment, from what the customer was told, the books, and both ends of Lightning.
 * Pure: the same evidence always gives the same verdict.
 */

/**
 * @typedef {{from: number, to: number, isPending: boolean, isAwaited: boolean}} Books what the payment changed in its
 *   wallets, in sat; `isAwaited`: an invoice that the bank still looks after
 * @typedef {{moved: number, fee: number, times: number} | null} Lightning what moved over Lightning; null: not known yet
 * @typedef {{kind: import("./asked.js").Kind, amount: number, told?: string, books: Books, api: number,
 *   lightning: Lightning, hangs?: boolean}} Evidence `hangs`: it is in flight at a node and in no channel of it
 * @typedef {{verdict: "ok" | "lost" | "doubled" | "unknown" | "hung", why: string}} Verdict
 */

/** @param {Evidence} evidence @returns {Verdict} */
export function verdict(evidence) {
  const { kind, told, books, api, lightning, hangs } = evidence;
  if (hangs && (kind === "send" ? books.isPending : books.from === 0)) return say("hung", HUNG);
  if (books.isPending) return say("unknown", "the books still call it pending");
  if (kind !== "intraledger" && !lightning) return say("unknown", "a node does not say what became of it");
  if (lightning && lightning.times > 1) return say("doubled", `Lightning moved it ${lightning.times} times`);
  const booked = kind === "intraledger" ? across(evidence) : overLightning(evidence);
  if (booked.verdict !== "ok") return booked;
  if (api !== books.from) return say("lost", `the API says ${api} sat and the books say ${books.from}`);
  if (told === "SUCCESS" && books.from === 0) return say("lost", "the customer was told it is paid and it is not");
  if (told === "FAILURE" && books.from !== 0) return say("doubled", "the customer was told it failed, pays again, and it is paid");
  return booked;
}

/** @param {Evidence} evidence @returns {Verdict} */
function across({ amount, books: { from, to } }) {
  if (from === 0 && to === 0) return say("ok", "not made");
  if (from === -amount && to === amount) return say("ok", "made once");
  const times = to / amount;
  if (from === -to && times > 1) return say("doubled", `the books moved it ${times} times`);
  return say(from < -amount || to > amount ? "doubled" : "lost", `the books took ${-from} sat and gave ${to} of ${amount}`);
}

/** @param {Evidence} evidence @returns {Verdict} */
function overLightning({ kind, books: { from, isAwaited }, lightning }) {
  const { moved, fee } = /** @type {NonNullable<Lightning>} */ (lightning);
  const due = moved === 0 ? 0 : kind === "send" ? -(moved + fee) : moved;
  if (from === due) return say("ok", due ? "made once" : "not made");
  if (kind === "receive" && from === 0 && isAwaited) return say("unknown", "it is paid, and the bank has yet to credit it");
  const words = `Lightning moved ${moved} sat, the books ${from} where ${due} is due`;
  const isTooMuch = kind === "receive" ? from > due : from < due && due !== 0;
  return say(isTooMuch ? "doubled" : "lost", words);
}

const HUNG = "LND calls it in flight for ever and has it in no channel: nobody was paid, and the money is where it was";

/** @param {Verdict["verdict"]} verdict @param {string} why @returns {Verdict} */
const say = (verdict, why) => ({ verdict, why });
