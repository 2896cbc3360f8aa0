/* What the pages of people, focus and profile work out without a browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clockText, endHeard, minutesText, phaseText, progressOf } from "../../../static/js/focus/clock.js";
import { presenceIn } from "../../../static/js/people/presence.js";
import { isLeftAlone, isQuietAt } from "../../../static/js/people/alone.js";
import { ENDS, statusOf } from "../../../static/js/status.js";
import { withFullName } from "../../../static/js/inbox/names.js";
import { manages, managesDepartments, readsFigures, rolesToGive } from "../../../static/js/people/rights.js";

test("a clock is read as people read it", () => {
  assert.deepEqual([0, 999, 1_001, 61_000, 1_500_000, 3_723_000].map(clockText), ["00:00", "00:01", "00:02", "01:01", "25:00", "1:02:03"]);
  assert.deepEqual([0, 0.4, 59.6, 60, 125].map(minutesText), ["0 min", "0 min", "1 h", "1 h", "2 h 5 min"]);
});

test("a phase has its words, and its part that is over", () => {
  const session = { status: "running", phase: "focus", focus_minutes: 25, break_minutes: 5 };
  assert.equal(phaseText(session), "Focus");
  assert.equal(phaseText({ ...session, status: "paused", phase: "break" }), "Break, paused");
  assert.equal(phaseText({ status: "waiting", phase: null }), "Waiting to start");
  assert.equal(progressOf(session, 25 * 60_000), 0);
  assert.equal(progressOf({ ...session, phase: "break" }, 150_000), 0.5);
  assert.equal(progressOf({ ...session, status: "finished", phase: null }, 0), 1);
  assert.equal(progressOf({ ...session, break_minutes: 0, phase: "break" }, 0), 0);
});

test("only the end of a running phase is heard, and only of the session one is in", () => {
  const running = { id: 1, status: "running", phase: "focus", title: "Menu" };
  assert.equal(endHeard(running, { ...running, phase: "break" }), "Time for a break.");
  assert.equal(endHeard({ ...running, phase: "break" }, running), "The break is over.");
  assert.equal(endHeard(running, { ...running, status: "finished", phase: null }), "Menu is over.");
  for (const now of [running, { ...running, status: "paused" }, { ...running, id: 2, phase: "break" }, null]) assert.equal(endHeard(running, now), "");
  assert.equal(endHeard(null, running), "");
  assert.equal(endHeard({ ...running, status: "paused" }, { ...running, status: "finished" }), "");
});

test("nobody is offered what the server would refuse about people", () => {
  const of = (role) => ({ role });
  assert.deepEqual(rolesToGive(of("manager"), of("employee")), []);
  assert.deepEqual(rolesToGive(of("supervisor"), of("employee")), ["employee", "atl", "manager", "supervisor"]);
  assert.deepEqual(rolesToGive(of("hr"), of("ceo")), []);
  assert.equal(rolesToGive(of("ceo"), of("ceo")).length, 6);
  assert.ok(manages(of("hr"), of("hr")) && !manages(of("hr"), of("ceo")) && !manages(of("supervisor"), of("employee")));
  assert.ok(managesDepartments(of("hr")) && !managesDepartments(of("supervisor")));
  assert.ok(readsFigures(of("atl")) && !readsFigures(of("employee")));
});

test("what the chat has heard of somebody is newer than what the list said", () => {
  const store = {
    rooms: new Map([[1, { participants: [{ id: 1 }, { id: 2 }, { id: 3 }] }], [2, { participants: [{ id: 4 }] }]]),
    online: new Map([[1, new Set([2])]]),
  };
  const isOnline = presenceIn(store, { id: 1 });
  assert.deepEqual([1, 2, 3, 4, 5].map((id) => isOnline({ id, is_online: true })), [true, true, false, true, true]);
  assert.deepEqual([1, 2, 3, 4, 5].map((id) => isOnline({ id, is_online: false })), [true, true, false, false, false]);
});

test("in the room of everybody the chat hears of everybody", () => {
  const store = { rooms: new Map([[1, { is_default: true, participants: [] }]]), online: new Map([[1, new Set([2])]]) };
  const isOnline = presenceIn(store, { id: 1 });
  assert.deepEqual([1, 2, 3].map((id) => isOnline({ id, is_online: true })), [true, true, false]);
});

test("quiet hours may reach over midnight, and are by their own clock", () => {
  const at = (time) => Date.parse(`2026-11-20T${time}:00Z`);
  const night = { start: "22:00", end: "07:00", time_zone: "UTC" };
  assert.deepEqual(["21:59", "22:00", "03:00", "06:59", "07:00"].map((time) => isQuietAt(night, at(time))), [false, true, true, true, false]);
  assert.ok(isQuietAt({ ...night, time_zone: "Asia/Tokyo" }, at("14:00")));
  assert.ok(!isQuietAt({ ...night, time_zone: "Nowhere/None" }, at("23:00")) && !isQuietAt(null, at("23:00")));
});

test("whoever focuses is left alone, unless they want to hear", () => {
  const session = { status: "running", phase: "focus" };
  assert.ok(isLeftAlone({}, session, 0));
  for (const other of [null, { ...session, phase: "break" }, { ...session, status: "paused" }]) assert.ok(!isLeftAlone({}, other, 0));
  assert.ok(!isLeftAlone({ hold_while_focusing: false }, session, 0));
});

test("a status is over when its time is, and its ends lie ahead", () => {
  const at = Date.parse("2026-11-20T10:00:00Z");
  assert.equal(statusOf({ status_emoji: "🍜", status_text: "At lunch", status_until: null }, at), "🍜 At lunch");
  assert.equal(statusOf({ status_text: "At lunch", status_until: "2026-11-20T10:00:00Z" }, at), "");
  assert.equal(statusOf(null, at), "");
  for (const { id, from } of ENDS) assert.ok(id === "" ? from(at) === null : from(at) > at, id);
});

test("who is told of is called by their full name", () => {
  const names = { cid: "Carla Featherstone", "a b": "Ann Bell" };
  const told = (text) => withFullName(text, (username) => names[username] ?? "");
  assert.equal(told("cid mentioned you"), "Carla Featherstone mentioned you");
  assert.equal(told("a b commented on “cid”"), "Ann Bell commented on “cid”");
  assert.equal(told("3 new messages from cid"), "3 new messages from Carla Featherstone");
  for (const text of ["ben mentioned you", "cid", "Due soon: cid", "New message from ben"]) assert.equal(told(text), text);
});
