/* What webhooks are called, without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventName, outcomeOf, ROOM_EVENTS, stateOf, WORKSPACE_EVENTS } from "../../../static/js/hooks/words.js";

test("each event has words, and one that only a newer server knows its name", () => {
  for (const { id, label } of [...ROOM_EVENTS, ...WORKSPACE_EVENTS]) assert.equal(eventName(id), label);
  assert.equal(eventName("test"), "a test");
  assert.equal(eventName("task.melted"), "task.melted");
});

test("how a webhook is", () => {
  const hook = { is_active: true, off_reason: null, failing_since: null, waiting: 0 };
  const time = () => "9:30";
  assert.equal(stateOf(hook, time), "On.");
  assert.equal(stateOf({ ...hook, waiting: 2 }, time), "On; 2 waiting.");
  assert.equal(stateOf({ ...hook, failing_since: "…", waiting: 2 }, time), "Its receiver has taken nothing since 9:30; 2 waiting.");
  assert.match(stateOf({ ...hook, is_active: false, off_reason: "failing" }, time), /for a day/);
  assert.equal(stateOf({ ...hook, is_active: false, off_reason: "unheard of" }, time), "Off.");
});

test("what came of a delivery", () => {
  const line = { state: "waiting", status: null, error: "", attempts: 0, duration_ms: null };
  assert.equal(outcomeOf(line), "waiting");
  assert.equal(outcomeOf({ ...line, attempts: 3, error: "It is away." }), "waiting: It is away. (3 attempts)");
  assert.equal(outcomeOf({ ...line, state: "delivered", status: 204, attempts: 1, duration_ms: 7 }), "204 in 7 ms");
  assert.equal(outcomeOf({ ...line, state: "dropped" }), "dropped");
});
