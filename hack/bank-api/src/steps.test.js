import assert from "node:assert/strict";
import { test } from "node:test";
import { from } from "./steps.js";

const STATES = ["refused", "posting", "recorded", "sending", "settling", "reversing", "settled", "failed"];
const STEPS = ["recorded -> sending", "recorded -> reversing", "sending -> settling", "sending -> reversing"];

test("a step is taken from the state that was read, and from no other", () => {
  for (const state of STATES) {
    for (const to of STATES) {
      const wanted = STEPS.includes(`${state} -> ${to}`) ? { _id: "payment/a", state } : null;
      assert.deepEqual(from({ _id: "payment/a", state }, to), wanted, `${state} -> ${to}`);
    }
  }
});
