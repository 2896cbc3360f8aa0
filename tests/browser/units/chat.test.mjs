/* The pure parts of the chat and of the frame around it. */
import assert from "node:assert/strict";
import test from "node:test";

globalThis.location = { hash: "", origin: "http://here" };
globalThis.addEventListener = () => null;
globalThis.localStorage = { getItem: () => null };
const load = (name) => import(`../../../static/js/${name}.js`);

const { askedAt, emojiFor, outsiderWords, outsidersIn, peopleFor, taken, withEmoji } = await load("chat/complete");
const { countIn, listedRooms, mayIn, nextUnread, onlyRoom, peopleWords, roomTitle, sectionsOf, toldIn, unreadIn } = await load("chat/roomfacts");
const { replaced } = await load("chat/shortcodes");
const { isPlain, partsOf, taskOfAddress, tasksIn, titleFrom } = await load("chat/text");
const { readersAt, rowsOf, seenOwn, withUnsent } = await load("chat/timeline");
const { MAX_ROWS, placeOfId, windowAround, windowAtEnd, windowKept, windowMoved } = await load("chat/window");
const { firstUnreadOf, ownEmoji, quoteOf, requoted, toggled, withPin, withReactions } = await load("chat/marks");
const { found, taskNumber } = await load("app/finding");
const { completionsOf, marked, questionOf, snippetOf, wantedWords } = await load("app/question");
const { pictureAfter, picturesOf, shownSize } = await load("chat/picture");
const { alertOf, alertOfNotification, desktopTrouble } = await load("app/alerts");
const { addressOf, placeOf } = await load("app/place");
const { mentions } = await load("mentions");
const { nextPlace } = await load("kit/list");

const me = { id: 1, username: "ann" };
const message = (id, sender = 2, minute = id, more = {}) => ({
  id, sender: { id: sender }, content: `m${id}`, timestamp: new Date(Date.UTC(2026, 10, 20, 9, minute)).toISOString(), ...more,
});
const many = (count) => Array.from({ length: count }, (_, index) => message(index + 1, 2, 0));

test("a text is told apart into links, mentions and tasks", () => {
  assert.deepEqual(partsOf("See #12, @ann.b: https://a.b/c?d=1)."), [
    "See ", { kind: "task", id: 12 }, ", ", { kind: "mention", username: "ann.b" }, ": ",
    { kind: "link", address: "https://a.b/c?d=1" }, ").",
  ]);
  assert.deepEqual(partsOf("ann@b.org, a#1, ##2, #0, /#3"), ["ann@b.org, a#1, ##2, #0, /#3"]);
  assert.deepEqual(partsOf("<img src=x onerror=alert(1)>"), ["<img src=x onerror=alert(1)>"]);
});

test("names of emoji are replaced where they stand alone", () => {
  const names = new Map([["tada", "🎉"], ["100", "💯"], ["+1", "👍"]]);
  assert.equal(replaced("(:tada:) :+1::tada: 10:100:20 a:tada:b :who:", names), "(🎉) :+1::tada: 10:100:20 a:tada:b :who:");
  assert.equal(replaced("http://a:100:b :100:", names), "http://a:100:b 💯");
});

test("a room is the only one while there is no other that could be meant", () => {
  assert.deepEqual(onlyRoom(new Map([[3, { id: 3 }]]).values()), { id: 3 });
  assert.equal(onlyRoom([{ id: 3 }, { id: 4 }]), null);
  assert.equal(onlyRoom([{ id: 3, is_hidden: true }]), null);
  assert.equal(onlyRoom([]), null);
});

test("tasks are found by number and by address, three at most and each once", () => {
  assert.equal(taskOfAddress("http://here/#task-7", "http://here"), 7);
  assert.equal(taskOfAddress("http://elsewhere/#task-7", "http://here"), null);
  assert.deepEqual(tasksIn("#7 http://here/#task-7 #8 #9 #10", "http://here"), [7, 8, 9]);
});

test("only what Markdown would change needs Markdown", () => {
  for (const text of ["hello - there", "a 3 < 4 & 5", "12:30, 50 % (ok)", "two\nlines"]) assert.ok(isPlain(text), text);
  for (const text of ["**b**", "`c`", "- a", "1. a", "> q", "# h", "a_b_c", "[a](b)", "    code"]) assert.ok(!isPlain(text), text);
});

test("the first line of a message makes the title of a task", () => {
  assert.equal(titleFrom("\n> ## Paint the fence\nsoon"), "Paint the fence");
  assert.equal(titleFrom("Please order **chairs** and `tape`\nsoon"), "Please order chairs and tape");
  assert.equal(titleFrom("x".repeat(300)).length, 120);
});

test("an @ or a : at the caret asks for an offer, elsewhere it does not", () => {
  assert.deepEqual(askedAt("hello @an", 9), { sign: "@", word: "an", start: 6 });
  assert.deepEqual(askedAt(":th", 3), { sign: ":", word: "th", start: 0 });
  assert.equal(askedAt("mail@an", 7), null);
  assert.equal(askedAt("at 12:3", 7), null);
  assert.deepEqual(taken("hi @an there", 6, { start: 3 }, { text: "@ann " }), { text: "hi @ann there", caret: 8 });
});

test("people are offered by name and username, emoji by name", () => {
  const people = [{ id: 1, username: "zoe", full_name: "Anna Zander" }, { id: 2, username: "anton" }, { id: 3, username: "bob" }];
  assert.deepEqual(peopleFor("an", people).map((one) => one.text), ["@anton ", "@zoe "]);
  const list = [["👍", "thumbsup yes"], ["🦃", "turkey"]];
  assert.deepEqual(emojiFor("ye", list).map((one) => one.text), ["👍 "]);
  assert.deepEqual(withEmoji("ok :yes:", 8, list), { text: "ok 👍", caret: 5 });
  assert.equal(withEmoji("ok :no:", 7, list), null);
});

test("days, groups and the unread line stand where they belong", () => {
  const messages = [message(1), message(2), message(3, 1), message(4, 2, 60 * 30)];
  const kinds = rowsOf({ messages, start: 0, end: 4, firstUnread: 4, me }).map((row) => [row.kind, row.isFirst]);
  assert.deepEqual(kinds, [
    ["day", undefined], ["message", true], ["message", false], ["message", true], ["day", undefined], ["unread", undefined], ["message", true],
  ]);
  // What comes before may not be here yet: then the first row looks as if it went on.
  assert.deepEqual(rowsOf({ messages, start: 0, end: 1, me, hasMore: true }).map((row) => [row.kind, row.isFirst]), [["message", false]]);
});

test("what others have read is told", () => {
  const items = [message(1, 1), message(2, 1), message(3, 2)];
  const people = [me, { id: 2 }, { id: 3 }];
  const reads = new Map([[2, 3], [3, 1]]);
  assert.deepEqual(seenOwn(items, reads, people, me), { id: 2, who: [{ id: 2 }] });
  assert.deepEqual([...readersAt(items, reads, people, me)], [[1, [{ id: 3 }]]], "nobody is shown beside what they wrote");
  assert.deepEqual([...readersAt([...items, message(4, 3)], new Map([[2, 9]]), people, me)], [[4, [{ id: 2 }]]]);
  assert.equal(seenOwn(items, new Map(), people, me), null);
});

test("a window never holds more than it may, wherever one reads", () => {
  const messages = many(3_000);
  let range = windowAtEnd({ start: 0, end: 0 }, messages.length);
  assert.deepEqual(range, { start: 2_940, end: 3_000 });
  while (range.start > 0) {
    range = windowMoved(range, messages.length, { above: 0, below: 500 });
    assert.ok(range.end - range.start <= MAX_ROWS);
  }
  while (range.end < messages.length) range = windowMoved(range, messages.length, { above: 500, below: 0 });
  assert.equal(range.end - range.start, MAX_ROWS);
  assert.deepEqual(windowAround(5, 3_000), { start: 0, end: MAX_ROWS });
  // The same messages stay when others come in front of them.
  assert.deepEqual(windowKept({ start: 0, end: 10 }, 51, messages), { start: 50, end: 60 });
  assert.equal(placeOfId(messages, 3_001), 3_000);
  // What arrives at the end is added, until there is too much.
  assert.deepEqual(windowAtEnd({ start: 2_940, end: 3_000 }, 3_001), { start: 2_940, end: 3_001 });
  assert.deepEqual(windowAtEnd({ start: 2_940, end: 3_060 }, 3_061), { start: 3_001, end: 3_061 });
});

test("newcomers of the room that everybody is in are counted once they are seen", () => {
  const everybody = { is_default: true, member_count: 1 };
  assert.equal(countIn(everybody, new Set([1, 2])), 2);
  assert.equal(countIn({ ...everybody, member_count: 5 }, new Set([1, 2])), 5);
  assert.equal(countIn({ participants: [{ id: 1 }] }, new Set([1, 2])), 1);
  assert.equal(peopleWords(everybody, { id: 1 }, { online: new Set([1, 2]) }), "2 people, 2 online");
  assert.doesNotMatch(peopleWords(everybody, { id: 1 }, { online: new Set() }), /online/, "nobody reads that nobody is online");
});

test("a room is called by the other's name, and stands where the newest is", () => {
  const nameOf = ({ username }) => username.toUpperCase();
  const direct = { id: 1, room_type: "direct", participants: [me, { id: 2, username: "bob" }], created_at: "2026-01-01" };
  const group = { id: 2, room_type: "group", name: "Kitchen", created_at: "2026-01-02", unread_count: 2, participants: [] };
  const muted = { id: 3, room_type: "group", name: "Noise", is_muted: true, unread_count: 9, last_message: { timestamp: "2026-01-03" } };
  const rooms = [direct, group, muted];
  assert.equal(roomTitle(direct, me, nameOf), "BOB");
  assert.deepEqual(listedRooms(rooms).map(({ id }) => id), [3, 2, 1]);
  assert.deepEqual(listedRooms(rooms.map((room) => ({ ...room, is_hidden: true }))).map(({ id }) => id), [2]);
  assert.equal(nextUnread(rooms, null).id, 2);
  assert.equal(unreadIn(rooms), 2);
  const facts = { online: new Set(), lastSeen: new Map(), nameOf, listTime: String, names: (all) => all.join(", ") };
  assert.equal(peopleWords(direct, me, facts), "Offline");
  assert.equal(peopleWords(direct, me, { ...facts, online: new Set([2]) }), "Online");
});

test("favourites stand first, and a list without them has no headings", () => {
  const rooms = [{ id: 1 }, { id: 2, is_favourite: true }, { id: 3 }];
  assert.deepEqual(sectionsOf(rooms).map(({ label, rooms: inside }) => [label, inside.map(({ id }) => id)]), [["Favourites", [2]], ["Other rooms", [1, 3]]]);
  assert.deepEqual(sectionsOf([rooms[0]]).map(({ label }) => label), [""]);
  assert.deepEqual(sectionsOf([rooms[1]]).map(({ label }) => label), ["Favourites"]);
});

test("a room tells of as much as one wants to hear", () => {
  const room = { unread_count: 5, mention_count: 2 };
  assert.deepEqual(["all", "mentions", "none"].map((level) => toldIn({ ...room, level })), [5, 2, 0]);
  assert.equal(unreadIn([room, { ...room, level: "mentions" }, { ...room, level: "none" }]), 7);
});

test("what is offered in a room is what the server allows", () => {
  const group = { room_type: "group", role: "member" };
  assert.deepEqual(mayIn(group, me), { rename: true, open: false, add: true, leave: true, run: false, own: false });
  assert.deepEqual(mayIn({ ...group, is_open: true }, me).rename, false);
  assert.deepEqual(mayIn({ ...group, is_open: true, role: "admin" }, me), { rename: true, open: true, add: true, leave: true, run: true, own: false });
  const everybody = { ...group, is_open: true, is_default: true };
  assert.equal(mayIn(everybody, { ...me, role: "hr" }).own, true);
  assert.deepEqual(mayIn(everybody, { ...me, role: "employee" }), { rename: false, open: false, add: false, leave: false, run: false, own: false });
  assert.equal(mayIn({ room_type: "direct", role: "member" }, me).rename, false);
});

test("a muted room tells of mentions, in any case of letters, and a silent one of nothing", () => {
  for (const text of ["@ann", "hi @Ann!", "(@ANN)"]) assert.ok(mentions(text, "ann"), text);
  for (const text of ["@anna", "a@ann", "ann", "", null]) assert.ok(!mentions(text, "ann"), text);
  const about = { room: { room_type: "group", level: "none", is_muted: true }, isOwn: false, username: "ann", nameOf: () => "Ben", titleOf: () => "Kitchen" };
  assert.equal(alertOf({ content: "@ann" }, about), null);
  const muted = { ...about, id: 1, room: { ...about.room, level: "mentions" } };
  assert.equal(alertOf({ content: "yes", quote: { sender: { id: 1 } } }, muted).text, "yes");
  assert.equal(alertOf({ content: "yes", quote: { sender: { id: 2 } } }, muted), null);
  assert.equal(alertOfNotification({ notification_type: "mention" }), null);
  assert.equal(alertOfNotification({ notification_type: "assignment", notification_id: 3, title: "New task", content: "" }).tag, "notification-3");
});

test("one box finds by the beginning of a word first", () => {
  const entries = [{ kind: "room", label: "All hands" }, { kind: "room", label: "Hall" }, { kind: "person", label: "Ben", detail: "@hal" }];
  assert.deepEqual(found(entries, "ha").map(({ label }) => label), ["Hall", "Ben", "All hands"]);
  assert.deepEqual(found(entries, "zzz"), []);
  assert.equal(taskNumber(" #12 "), 12);
  assert.equal(taskNumber("12 eggs"), null);
});

test("arrows walk in a list and stop at its ends", () => {
  assert.equal(nextPlace("ArrowDown", 2, 3), 2);
  assert.equal(nextPlace("k", 1, 3), 0);
  assert.equal(nextPlace("End", 0, 3), 2);
  assert.equal(nextPlace("a", 0, 3), -1);
});

test("what is worth an alert is told by who, and in which room", () => {
  const about = { room: { room_type: "group" }, isOwn: false, username: "ann", nameOf: () => "Ben Okafor", titleOf: () => "Kitchen" };
  assert.deepEqual(alertOf({ content: "**soup**" }, about), { title: "Ben Okafor in Kitchen", text: "soup" });
  assert.equal(alertOf({ content: "soup" }, { ...about, room: { room_type: "direct" } }).title, "Ben Okafor");
  assert.equal(alertOf({ content: "soup" }, { ...about, isOwn: true }), null);
  const muted = { ...about, room: { room_type: "group", is_muted: true } };
  assert.equal(alertOf({ content: "soup, @anna" }, muted), null);
  assert.equal(alertOf({ content: "soup, @ann!" }, muted).text, "soup, @ann!");
});

test("one sentence says why the desktop is not told", () => {
  assert.match(desktopTrouble({ isSecure: false, permission: "denied" }), /https/);
  assert.match(desktopTrouble({ isSecure: true, permission: undefined }), /no desktop notifications/);
  assert.match(desktopTrouble({ isSecure: true, permission: "denied" }), /settings/);
  assert.equal(desktopTrouble({ isSecure: true, permission: "default" }), "");
});

test("an address says where one is", () => {
  assert.deepEqual(placeOf("#room-7/812"), { view: "chat", kind: "room", name: "", id: 7, part: 812, query: {} });
  assert.deepEqual(placeOf("#tasks?mine=1&q=a%20b").query, { mine: "1", q: "a b" });
  for (const [hash, view] of [["", "chat"], ["#bell", "inbox"], ["#task-3", "tasks"], ["#person-3", "people"], ["#nonsense-x", "chat"]]) {
    assert.equal(placeOf(hash).view, view, hash);
  }
  assert.equal(addressOf("tasks", { mine: true, q: "", due: null, person: 3 }), "#tasks?mine=1&person=3");
});

test("emoji of people stand in the order in which they came, and go with the last of them", () => {
  const react = (one, id, ...own) => withReactions(one, { user_id: id, user_emoji: own });
  let one = react(react(react(message(1), 2, "A"), 1, "B"), 1, "B", "A");
  assert.deepEqual(one.reactions, [{ emoji: "A", count: 2, user_ids: [2, 1] }, { emoji: "B", count: 1, user_ids: [1] }]);
  assert.deepEqual(ownEmoji(one, 1), ["A", "B"]);
  assert.deepEqual(toggled(one, 1, "A"), ["B"]);
  assert.deepEqual(toggled(one, 2, "C"), ["A", "C"]);
  assert.deepEqual(react(one, 1, "B", "A").reactions, one.reactions, "the same twice changes nothing");
  one = react(react(one, 2), 1, "B");
  assert.deepEqual(one.reactions, [{ emoji: "B", count: 1, user_ids: [1] }]);
});

test("a quote follows the message, and a pin names who has put it there", () => {
  const said = message(1, 2, 1, { content: "one\n two " + "x".repeat(300) });
  const quote = quoteOf(said);
  assert.equal(quote.content.length, 200);
  assert.ok(quote.content.startsWith("one two xxx"));
  assert.deepEqual(quoteOf({ ...said, deleted_at: "now" }), { id: 1, sender: { id: 2 }, content: "", is_deleted: true });
  const all = [said, message(2, 1, 2, { reply_to: 1, quote }), message(3)];
  assert.equal(requoted(all, message(3)), all);
  assert.deepEqual(requoted(all, { ...said, content: "new" }).map((one) => one.quote?.content), [undefined, "new", undefined]);
  assert.equal(withPin(said, { user_id: 3, pinned_at: "now" }).pinned_by, 3);
  assert.equal(withPin(said, { user_id: 3, pinned_at: null }).pinned_by, null);
});

test("what is unread begins with the first of so many messages of others", () => {
  const isOwn = (one) => one.sender.id === 1;
  const all = [message(1), message(2, 1), message(3), message(4, 1), message(5)];
  assert.equal(firstUnreadOf(all, 2, isOwn), 3);
  assert.equal(firstUnreadOf(all, 0, isOwn), null);
  assert.equal(firstUnreadOf(all, 9, isOwn), null);
});

test("a question is read, completed and marked in what was found", () => {
  assert.deepEqual(questionOf('budget from:ann in:"Launch team" x'), { plain: "budget x", hasOperators: true });
  assert.deepEqual(questionOf("xfrom:ann to:ben"), { plain: "xfrom:ann to:ben", hasOperators: false });
  const known = { people: [{ username: "ann", full_name: "Ann Schmidt" }, { username: "ben" }], rooms: [{ name: "Launch team" }, { name: "Kitchen" }] };
  const texts = (query) => completionsOf(query, known).map((one) => one.query);
  assert.deepEqual(texts("plan from:sch"), ["plan from:ann "]);
  assert.deepEqual(texts('in:"la'), ['in:"Launch team" ']);
  assert.deepEqual(texts("in:"), ['in:"Launch team" ', "in:Kitchen "]);
  assert.deepEqual(texts("from:ann "), []);
  assert.deepEqual(texts("from:ann"), []);
  const wanted = wantedWords("Köln BUD");
  assert.deepEqual(marked("In Koln: budgets, abud", wanted).filter(({ isWanted }) => isWanted).map(({ text }) => text), ["Koln", "budgets"]);
  const long = `${"before ".repeat(60)}budget${" after".repeat(60)}`;
  assert.match(snippetOf(long, wanted), /^….*budget.*…$/);
  assert.ok(snippetOf(long, wanted).length <= 122);
  assert.equal(snippetOf("a\n b", wanted), "a b");
});

test("whoever is mentioned and not in the room is named", () => {
  const people = [{ id: 1, username: "ann" }, { id: 2, username: "Ben.B" }, { id: 3, username: "cyd" }];
  const named = (text) => outsidersIn(text, [{ id: 1 }], people).map(({ id }) => id);
  assert.deepEqual(named("hi @ann and @ben.b, @cyd."), [2, 3]);
  assert.deepEqual(named("mail cyd@example.org, @cyde"), []);
  assert.equal(outsiderWords([]), "");
  assert.equal(outsiderWords(["Cyd"]), "Cyd is not in this room and will not be told.");
  assert.equal(outsiderWords(["Ben", "Cyd"]), "Ben and Cyd are not in this room and will not be told.");
});

test("a picture has its place before it has come", () => {
  assert.deepEqual(shownSize({ width: 1600, height: 900 }), { width: 320, height: 180 });
  assert.deepEqual(shownSize({ width: 30, height: 20 }), { width: 30, height: 20 });
  assert.deepEqual(shownSize({ width: 10, height: 10_000 }), { width: 1, height: 240 });
  assert.equal(shownSize({}), null);
  const files = [{ id: 1, content_type: "image/png", width: 5 }, { id: 2, content_type: "image/png", width: null }, { id: 3, content_type: "image/png" }, { id: 4, content_type: "text/html", width: 5 }];
  assert.deepEqual(picturesOf(files).map(({ id }) => id), [1, 3]);
  assert.deepEqual(["ArrowRight", "ArrowLeft", "Home", "End", "x"].map((key) => pictureAfter(key, 0, 3)), [1, 2, 0, 2, null]);
});

test("what is written between reading a room and joining it is fetched", async () => {
  const { createChat } = await load("chat");
  const { createStore } = await load("store");
  const store = createStore({ dropped: () => null });
  store.reset(me);
  store.setRooms([{ id: 7, room_type: "group", participants: [] }]);
  const asked = [];
  let answer = null;
  const messages = (id, { after } = {}) => {
    asked.push(after);
    return after ? Promise.resolve({ results: [message(5)], has_more: false }) : new Promise((done) => { answer = done; });
  };
  const chat = createChat({
    store, say: assert.fail, show: () => null, isWatching: () => false, restRefused: () => false, frameKib: () => 64,
    socket: { send: () => true, state: { name: "connected" } }, kept: () => ({}),
    api: () => ({ messages, rooms: () => Promise.resolve([...store.rooms.values()]) }),
  });
  const opened = chat.openRoom(7);
  chat.receive({ type: "room_joined", data: { room_id: 7, room_type: "group", last_message_id: 5, online: [] } });
  answer({ results: [message(4)], has_more: false });
  await opened;
  await Promise.resolve();
  assert.deepEqual(asked, [undefined, 4]);
  assert.deepEqual(store.threads.get(7).items.map(({ id }) => id), [4, 5]);
});

for (const [seq, resumes] of [[41, [{ type: "resume", since: 41 }]], [42, []]]) {
  test(`rooms read before the connection, at ${seq} of 42, are followed from there`, async () => {
    const { createChat } = await load("chat");
    const { createStore } = await load("store");
    const store = createStore({ dropped: () => null });
    store.reset(me);
    const sent = [];
    const socket = { send: (frame) => sent.push(frame), state: { name: "connecting" } };
    const chat = createChat({
      store, socket, say: assert.fail, show: () => null, isWatching: () => false, restRefused: () => false, frameKib: () => 64,
      kept: () => ({}), api: () => ({ rooms: () => Promise.resolve(Object.assign([], { seq })) }),
    });
    await chat.start();
    assert.equal(store.roomsLoaded, true);
    socket.state = { name: "connected" };
    for (let times = 0; times < 2; times += 1) await chat.receive({ type: "hello", seq: 42 });
    assert.deepEqual(sent, resumes);
  });
}

test("an early answer is taken once, and none after the start", async (t) => {
  const answer = (text) => Promise.resolve({ response: { ok: true, status: 200 }, text });
  globalThis.taskroomEarly = new Map([["GET /a?b=1", answer('"early"')], ["GET /late", answer('"early"')]]);
  const { forgetEarly, request } = await import("../../../static/js/http.js?a-page-of-its-own");
  t.mock.method(globalThis, "fetch", async () => ({ ok: true, status: 200, text: async () => '"asked"' }));
  const ask = (path, query) => request("http://server", "GET", path, { query });
  assert.equal(await ask("/a", { b: 1 }), "early");
  assert.equal(await ask("/a", { b: 1 }), "asked");
  forgetEarly();
  assert.equal(await ask("/late"), "asked");
});

test("a short conversation that was read in an earlier visit begins with its first message", async () => {
  const { createStore } = await load("store");
  const store = createStore({ dropped: () => null });
  store.reset(me);
  store.recall({ rooms: [{ id: 7 }, { id: 8 }], threads: [[7, many(3)], [8, many(50)]] });
  assert.deepEqual([7, 8].map((id) => store.threads.get(id).hasMore), [false, true]);
});

test("a message that comes while the first page of an empty room is on its way stays", async () => {
  const { createStore } = await load("store");
  const store = createStore({ dropped: () => null });
  store.reset(me);
  store.setRooms([{ id: 7, room_type: "group", participants: [] }]);
  store.openThread(7);
  store.receive({ ...message(1), room_id: 7 });
  store.renewThread(7, [], { status: "ready", hasMore: false });
  assert.deepEqual(store.threads.get(7).items.map(({ id }) => id), [1]);
});

test("a picture on its way is let go of when nothing shows it any more", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const revoke = t.mock.method(URL, "revokeObjectURL", () => undefined);
  const { createStore } = await load("store");
  const store = createStore({ dropped: () => null });
  store.putPending({ client_id: "a", room_id: 7, previews: ["blob:one", null] });
  store.dropPending("a");
  assert.equal(revoke.mock.callCount(), 0);
  t.mock.timers.tick(60_000);
  assert.deepEqual(revoke.mock.calls.map((call) => call.arguments), [["blob:one"]]);
});

test("whoever makes a group owns it at once, whether its answer or its event comes first", async () => {
  const { createStore } = await load("store");
  const { createIncoming } = await load("incoming");
  const event = { type: "room_created", seq: 9, data: { id: 7, room_type: "group", name: "Kitchen", created_by: me.id, participants: [me] } };
  const answer = { ...event.data, role: "owner", level: "mentions", unread_count: 0 };
  for (const answersFirst of [true, false]) {
    const store = createStore({ dropped: () => null });
    store.reset(me);
    const receive = createIncoming({ store, on: { newRoom: () => null } });
    if (answersFirst) store.mergeRoom(answer);
    receive(event);
    assert.equal(store.rooms.get(7).role, "owner");
    store.mergeRoom(answer);
    assert.deepEqual([store.rooms.get(7).role, store.rooms.get(7).level], ["owner", "mentions"]);
  }
  const store = createStore({ dropped: () => null });
  store.reset({ ...me, id: 2 });
  createIncoming({ store, on: { newRoom: () => null } })({ ...event, data: { ...event.data, participants: [me, { id: 2 }] } });
  assert.equal(store.rooms.get(7).role, "member");
});

test("a message without an answer is not given up before the wire has been tried", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { createOutbox } = await load("outbox");
  const { createStore } = await load("store");
  const store = createStore({ dropped: () => null });
  store.reset(me);
  const sent = [];
  let tried = 0;
  const socket = { state: { name: "connected" }, send: (frame) => sent.push(frame.message), wake: () => { tried += 1; } };
  const outbox = createOutbox({ store, socket, api: () => ({}), kept: () => ({ set: () => null }), frameKib: () => 64, restRefused: () => false });
  const states = () => [...store.pending.values()].map(({ state }) => state);

  outbox.add({ id: 7, room_type: "group" }, "Kitchen", "over a dead wire", []);
  t.mock.timers.tick(20_000);
  assert.deepEqual([states(), tried], [["sending"], 1]);
  socket.state = { name: "waiting" }; // it was dead
  t.mock.timers.tick(20_000);
  assert.deepEqual(states(), ["sending"]);
  socket.state = { name: "connected" };
  outbox.flush();
  t.mock.timers.tick(1);
  assert.deepEqual(sent, ["over a dead wire", "over a dead wire"]);

  // A server that answers pings and not this.
  t.mock.timers.tick(20_000);
  assert.deepEqual([states(), tried], [["sending"], 2]);
  t.mock.timers.tick(20_000);
  assert.deepEqual(states(), ["failed"]);
});

test("a message that has arrived is not shown as on its way beside itself", () => {
  const items = [message(1), message(2, 1, 2, { client_id: "a" })];
  const [a, b] = ["a", "b"].map((id) => ({ client_id: id, content: id }));
  assert.deepEqual(withUnsent(items, [a, b]), [...items, b]);
});
