import assert from "node:assert/strict";
import { test } from "node:test";
import { verdict } from "./verdict.js";

/** A payment of 100 sat that was made once, but for what is said otherwise. */
const seen = {
  intraledger: (but = {}) => ({ kind: "intraledger", amount: 100, told: "SUCCESS", ...books(-100, 100), api: -100, lightning: null, ...but }),
  send: (but = {}) => ({ kind: "send", amount: 100, told: "SUCCESS", ...books(-103, 0), api: -103, lightning: moved(100, 3, 1), ...but }),
  receive: (but = {}) => ({ kind: "receive", amount: 100, told: "SUCCESS", ...books(100, 0), api: 100, lightning: moved(100, 0, 1), ...but }),
};
const books = (from, to, isPending = false, isAwaited = false) => ({ books: { from, to, isPending, isAwaited } });
const moved = (sats, fee, times) => ({ moved: sats, fee, times });
const nothing = moved(0, 0, 0);

const CASES = [
  ["across, made once", seen.intraledger(), "ok"],
  ["across, refused and not made", seen.intraledger({ ...books(0, 0), api: 0, told: "FAILURE" }), "ok"],
  ["across, no answer and made", seen.intraledger({ told: "NO_ANSWER" }), "ok"],
  ["across, its taking row is gone", seen.intraledger({ ...books(0, 100), api: 0 }), "lost"],
  ["across, its giving row is gone", seen.intraledger(books(-100, 0)), "lost"],
  ["across, both rows are gone", seen.intraledger({ ...books(0, 0), api: 0 }), "lost"],
  ["across, booked twice", seen.intraledger({ ...books(-200, 200), api: -200 }), "doubled"],
  ["across, called failed and made", seen.intraledger({ told: "FAILURE" }), "doubled"],
  ["across, the API says otherwise", seen.intraledger({ api: 0 }), "lost"],
  ["sent, made once", seen.send(), "ok"],
  ["sent, failed and given back", seen.send({ ...books(0, 0), api: 0, told: "FAILURE", lightning: nothing }), "ok"],
  ["sent, paid and not booked", seen.send({ ...books(0, 0), api: 0, told: "NO_ANSWER" }), "lost"],
  ["sent, booked and never paid", seen.send({ lightning: nothing, told: "NO_ANSWER" }), "lost"],
  ["sent, booked twice", seen.send({ ...books(-206, 0), api: -206 }), "doubled"],
  ["sent, paid by both nodes", seen.send({ lightning: moved(100, 3, 2) }), "doubled"],
  ["sent, the fee was not given back", seen.send({ ...books(-110, 0), api: -110 }), "doubled"],
  ["sent, still pending", seen.send(books(-110, 0, true)), "unknown"],
  ["sent, a node is silent", seen.send({ lightning: null }), "unknown"],
  ["sent, in flight and in no channel", seen.send({ ...books(-110, 0, true), lightning: null, hangs: true }), "hung"],
  ["sent, hangs and is given back", seen.send({ ...books(0, 0), api: 0, lightning: null, hangs: true }), "unknown"],
  ["received, its payer hangs", seen.receive({ ...books(0, 0), api: 0, lightning: null, hangs: true }), "hung"],
  ["received, its payer hangs and it is credited", seen.receive({ lightning: null, hangs: true }), "unknown"],
  ["received, credited once", seen.receive(), "ok"],
  ["received, not credited", seen.receive({ ...books(0, 0), api: 0 }), "lost"],
  ["received, not yet credited", seen.receive({ ...books(0, 0, false, true), api: 0 }), "unknown"],
  ["received nothing, still waited for", seen.receive({ ...books(0, 0, false, true), api: 0, told: "NO_ANSWER", lightning: nothing }), "ok"],
  ["received, credited and given away", seen.receive({ ...books(50, 0, false, true), api: 50 }), "lost"],
  ["received, credited twice", seen.receive({ ...books(200, 0), api: 200 }), "doubled"],
  ["received nothing, credited", seen.receive({ lightning: nothing, told: "NO_ANSWER" }), "doubled"],
];

for (const [name, evidence, expected] of CASES) {
  test(`${name}: ${expected}`, () => assert.equal(verdict(evidence).verdict, expected));
}
