/* The pure parts of the protocol page: entries, the log, filters, the shown part of it, rows and the room. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { mask, pretty, summary, toJsonLines, typeOf } from "../../../static/js/protocol/entries.js";
import { bodyOf } from "../../../static/js/protocol/eventkinds.js";
import { EVERYTHING, wants } from "../../../static/js/protocol/filter.js";
import { placeOf } from "../../../static/js/protocol/kinds.js";
import { createLog } from "../../../static/js/protocol/log.js";
import { NO_ROOM, after } from "../../../static/js/protocol/room.js";
import { heightOf, offsetOf, rowAt, visibleRows } from "../../../static/js/protocol/rows.js";
import { brought, emptyView, paused, refiltered, resumed, waiting } from "../../../static/js/protocol/view.js";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyX2lkIjo3fQ.c2lnbmF0dXJl";
const texts = (entries) => entries.map(({ text }) => text);

function filled(count, options) {
  const log = createLog(options);
  for (let number = 1; number <= count; number += 1) log.frame("in", `{"type":"n","n":${number}}`, "chat");
  return log;
}

test("secrets are covered wherever they stand", () => {
  for (const text of [
    `{"type":"auth","token":"${JWT}"}`,
    `{"access":"short one","refresh":"another"}`,
    '{"password":"a \\"quoted\\" horse","current_password":"old","new_password":"new"}',
    `{"url":"ws://host/ws/chat/?token=${JWT}&since=1"}`,
    "the session's own value: opaque",
  ]) {
    const safe = mask(text, ["opaque", null]);
    for (const secret of [JWT, "short one", "another", "horse", "old", '"new"', "opaque"]) assert.ok(!safe.includes(secret), safe);
  }
  assert.equal(mask('{"content":"no secret"}'), '{"content":"no secret"}');
});

test("a frame is named by its type or its mode", () => {
  assert.deepEqual(
    ['{"type":"ping"}', '{"mode":"all"}', "{}", "[1]", "null", "{ nonsense"].map(typeOf),
    ["ping", "all", "untyped", "untyped", "untyped", "not JSON"],
  );
});

test("JSON is indented, and anything else stays as it is", () => {
  assert.equal(pretty('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(pretty("{ nonsense"), "{ nonsense");
});

test("the log keeps the newest, by number and by size", () => {
  const log = filled(250, { maxEntries: 100 });
  assert.equal(log.length, 100);
  assert.equal(log.oldestId, 151);
  assert.deepEqual(log.after(248).map(({ id }) => id), [249, 250]);
  assert.equal(log.after(0).length, 100);

  const small = createLog({ maxCharacters: 1_000 });
  for (const letter of "abc") small.frame("in", letter.repeat(400), "chat");
  assert.deepEqual(texts(small.after(0)).map((text) => text[0]), ["b", "c"]);
  small.frame("in", "d".repeat(5_000), "chat");
  assert.equal(small.length, 1);
});

test("a cleared log goes on counting", () => {
  const log = filled(3);
  log.clear();
  assert.equal(log.length, 0);
  assert.deepEqual(log.after(0), []);
  log.frame("out", "{}", "chat");
  assert.deepEqual(log.after(0).map(({ id }) => id), [4]);
});

test("a closed socket is told by its code", () => {
  const log = createLog();
  log.event("close", { code: 4429, reason: "too many" }, "flood");
  const [entry] = log.after(0);
  assert.equal(entry.code, 4429);
  assert.equal(summary(entry, (code, reason) => `${code}: ${reason}`), "4429 4429: too many");
});

test("what is saved can be read line by line", () => {
  const lines = toJsonLines(filled(2).after(0)).trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ text }) => JSON.parse(text).n), [1, 2]);
  assert.ok(lines.every(({ at }) => !Number.isNaN(Date.parse(at))));
});

test("a filter takes words, words that must not occur, and exact choices", () => {
  const entry = { id: 1, at: 0, direction: "in", socket: "workspace 3", type: "notification", size: 1, text: '{"title":"Tea is READY"}' };
  const isIn = (filter) => wants({ ...EVERYTHING, ...filter })(entry);
  for (const filter of [{}, { text: "tea ready" }, { text: "workspace" }, { direction: "in" }, { text: "-ping" }, { text: "-" }]) assert.ok(isIn(filter));
  for (const filter of [{ text: "tea coffee" }, { text: "tea -ready" }, { direction: "out" }, { socket: "workspace" }, { type: "hello" }]) assert.ok(!isIn(filter));
});

test("what is shown follows the log, and a pause holds it", () => {
  const log = filled(3, { maxEntries: 10 });
  let view = brought(emptyView({ ...EVERYTHING, text: '"n"' }), log);
  assert.equal(view.shown.length, 3);
  view = paused(view, log);
  for (let number = 4; number <= 20; number += 1) log.frame("in", `{"type":"n","n":${number}}`, "chat");
  view = brought(view, log);
  assert.deepEqual([view.shown.length, waiting(view, log)], [3, 17]);
  view = resumed(view, log);
  assert.deepEqual([view.shown.length, view.shown[0].id, waiting(view, log)], [10, 11, 0]);
  view = refiltered(view, log, { ...EVERYTHING, text: '"n":15' });
  assert.deepEqual(view.shown.map(({ id }) => id), [15]);
  log.frame("out", "{}", "chat");
  view = brought(view, log);
  assert.equal(view.shown.length, 1);
  assert.equal(brought(view, log).shown, view.shown);
});

test("only the rows in sight are rendered, also beside opened ones", () => {
  const layout = { count: 5_000, rowHeight: 30, taller: new Map([[10, 300], [4_990, 600]]) };
  assert.equal(heightOf(layout), 5_000 * 30 + 900);
  for (const index of [0, 9, 10, 11, 2_500, 4_999]) assert.equal(rowAt(layout, offsetOf(layout, index)), index);
  for (const top of [0, 15_000, heightOf(layout) - 700]) {
    const { start, end, above, below } = visibleRows(layout, { top, height: 700 });
    assert.ok(end - start <= 100 && end - start >= 60, `${start} ${end}`);
    assert.ok(start <= rowAt(layout, top) && end > rowAt(layout, top + 699));
    assert.equal(above, offsetOf(layout, start));
    assert.equal(above + (offsetOf(layout, end) - above) + below, heightOf(layout));
  }
  const short = visibleRows({ count: 25, rowHeight: 30, taller: new Map() }, { top: 700, height: 50 });
  assert.deepEqual(short, { start: 0, end: 25, above: 0, below: 0 });
  assert.deepEqual(visibleRows({ count: 0, rowHeight: 30, taller: new Map() }, { top: 0, height: 700 }), { start: 0, end: 0, above: 0, below: 0 });
});

test("a socket is found by its name, with a number where one belongs", () => {
  assert.equal(placeOf("chat").path, "/ws/chat/");
  assert.equal(placeOf("workspace 3").path, "/ws/tasks/3");
  assert.equal(placeOf("focus 12").path, "/ws/focus-session/12");
  for (const name of ["workspace", "chat 3", "nothing", "workspace x", ""]) assert.equal(placeOf(name), null);
});

test("the room follows the frames", () => {
  const message = (id, room_id, content) => ({ type: "chat_message", seq: id, data: { id, room_id, content } });
  const frames = [
    { type: "room_created", data: { id: 7, room_type: "group", name: "Kitchen" } },
    { type: "room_joined", data: { room_id: 7 } },
    message(2, 7, "second"), message(1, 7, "first"), message(3, 8, "elsewhere"), message(2, 7, "second"),
    { type: "message_updated", data: { id: 2, room_id: 7, content: "second, edited" } },
    { type: "typing", data: {} },
  ];
  const room = frames.reduce(after, { ...NO_ROOM, isJoining: true });
  assert.deepEqual([room.openId, room.isJoining], [7, false]);
  assert.deepEqual(room.messages.map(({ content }) => content), ["first", "second, edited"]);
  assert.equal(after(room, { type: "room_left", data: { room_id: 7 } }).openId, 7);
  assert.deepEqual(after(room, { type: "room_left", seq: 9, data: { room_id: 7 } }), { ...NO_ROOM });
});

test("an event's form says what is no JSON, and leaves out what is empty", () => {
  assert.deepEqual(bodyOf("task", { task_id: "5", title: " Tea ", target_user_ids: "1, 2 x" }).json, { task_id: 5, title: "Tea", action: "created", target_user_ids: [1, 2, "x"] });
  assert.deepEqual(bodyOf("system", { title: "a", data: "{" }), { json: { title: "a" }, problems: { data: "This is not JSON." } });
});
