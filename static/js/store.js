/*
 * What the page knows: rooms, the messages of opened rooms, who types, who has
 * read what. The one place where server objects are merged, so that an event
 * that comes twice, late or out of step changes nothing it should not.
 */
import { firstUnreadOf, requoted, withPin, withReactions } from "./chat/marks.js";
import { mentions } from "./mentions.js";

/* What is put on a message while the message is on its way: a page that was read before does not undo it. */
const MAX_MARKS = 100;
const MARKS_MS = 10_000;
const PAGE = 50; // a conversation of fewer messages is here whole
const PREVIEW_MS = 10_000; // the page may still be showing it, or about to

/** A closed room's messages are not kept: only an opened room has a thread. */
const emptyThread = () => ({ items: [], hasMore: true, status: "loading", firstUnread: null });

/** What a room is to this person alone: events for everybody do not say it. */
const COUNTED = { unread_count: 0, mention_count: 0, last_message: null };
const CHOSEN = { is_muted: false, level: "all", is_favourite: false, is_hidden: false, role: "member" };
const ownOf = (defaults, ...rooms) => Object.fromEntries(Object.entries(defaults).map(([name, value]) =>
  [name, rooms.map((room) => room[name]).find((known) => known !== undefined && known !== null) ?? value]));

const byId = (a, b) => a.id - b.id;
const isNewer = (next, old) => (next.version ?? 0) >= (old.version ?? 0);
const lastActivity = (room) => room.last_message?.timestamp ?? room.created_at ?? "";

/** `dropped(message)` hears of every unsent message that is one no more. */
export function createStore({ dropped }) {
  const listeners = new Map();
  const store = {
    me: null,
    connection: { name: "idle" },
    rooms: new Map(),
    roomsLoaded: false,
    threads: new Map(),
    past: new Map(), // room id -> the stretch around an older message that is shown instead (past.js)
    pending: new Map(), // client_id -> unsent message
    typing: new Map(), // room id -> Map of user id -> user
    reads: new Map(), // room id -> Map of user id -> message id
    online: new Map(), // room id -> Set of user ids
    lastSeen: new Map(), // user id -> when they went
    openRoomId: null,
    leftUnread: new Set(), // rooms that one wants to read again later: looking at them does not count
  };
  let marks = []; // {at, id, change(message)}

  function changed(...topics) {
    for (const topic of topics) for (const listener of listeners.get(topic) ?? []) listener();
  }

  /** Topics: me, connection, rooms, thread, typing, open, pins. */
  function on(topics, listener) {
    for (const topic of topics) {
      if (!listeners.has(topic)) listeners.set(topic, new Set());
      listeners.get(topic).add(listener);
    }
  }

  /** For the next person: views of the last one must not hear of it. */
  const unwatch = () => listeners.clear();

  /* What came through one's hook is news to oneself, too. */
  const isMine = (message) => message.sender?.id === store.me?.id && !message.hook;
  /** Also what the server says of one's own deeds is nothing new to oneself. */
  const isOwnDeed = (message) => isMine(message) || (message.actor_id && message.actor_id === store.me?.id);

  function setConnection(state) {
    store.connection = state;
    changed("connection");
  }

  function reset(me) {
    store.me = me;
    store.roomsLoaded = false;
    store.openRoomId = null;
    for (const name of ["rooms", "threads", "past", "pending", "typing", "reads", "online", "lastSeen", "leftUnread"]) store[name].clear();
    marks = [];
    changed("me", "rooms", "thread", "typing", "open");
  }

  // Rooms

  /** The server's whole list: what is missing in it is gone. */
  /** `before` are the rooms that were known when the list was asked for: one that came meanwhile is not in it. */
  function setRooms(list, before = []) {
    const names = new Set(list.map((room) => room.id));
    for (const id of before) if (!names.has(id)) forgetRoom(id);
    for (const room of list) store.rooms.set(room.id, keepNewest(room));
    store.roomsLoaded = true;
    changed("rooms", "open");
  }

  /** The list may have been on its way while a newer message came in. */
  function keepNewest(room) {
    const old = store.rooms.get(room.id);
    const overtaken = old?.last_message && old.last_message.id > (room.last_message?.id ?? 0);
    return overtaken
      ? { ...room, last_message: old.last_message, unread_count: old.unread_count, mention_count: old.mention_count }
      : { unread_count: 0, ...room };
  }

  /** An event's room says nothing about this viewer: what is known of that stays. An answer's does, but news may be newer. */
  function mergeRoom(room) {
    const old = store.rooms.get(room.id) ?? {};
    store.rooms.set(room.id, { ...old, ...room, ...ownOf(COUNTED, old, room), ...ownOf(CHOSEN, room, old) });
    changed("rooms", "open");
  }

  /** What this person wants of a room, told by another of their devices or by the server's answer. */
  function prefer(roomId, wishes) {
    const room = store.rooms.get(roomId);
    if (!room) return;
    if ("level" in wishes) wishes = { is_muted: wishes.level !== "all", ...wishes };
    else if ("is_muted" in wishes && wishes.is_muted !== ((room.level ?? "all") !== "all")) wishes = { ...wishes, level: wishes.is_muted ? "mentions" : "all" };
    store.rooms.set(roomId, { ...room, ...wishes });
    changed("rooms", "open");
  }

  function forgetRoom(id) {
    for (const name of ["rooms", "threads", "typing", "reads", "online"]) store[name].delete(id);
    if (store.openRoomId === id) store.openRoomId = null;
  }

  function dropRoom(id) {
    forgetRoom(id);
    changed("rooms", "thread", "open");
  }

  const sortedRooms = () =>
    [...store.rooms.values()].sort((a, b) => (lastActivity(a) < lastActivity(b) ? 1 : lastActivity(a) > lastActivity(b) ? -1 : b.id - a.id));

  const unreadTotal = () => [...store.rooms.values()].reduce((sum, room) => sum + (room.unread_count ?? 0), 0);

  function setUnread(roomId, count) {
    const room = store.rooms.get(roomId);
    if (!room || (room.unread_count === count && (count || !room.mention_count))) return;
    room.unread_count = count;
    if (!count) room.mention_count = 0;
    changed("rooms");
  }

  /** What was shown in an earlier visit stands until the server says what is there now. */
  function recall({ rooms, threads }) {
    for (const room of rooms) store.rooms.set(room.id, room);
    for (const [id, items] of threads) {
      if (store.rooms.has(id)) store.threads.set(id, { ...emptyThread(), items, status: "recalled", hasMore: items.length >= PAGE });
    }
    if (rooms.length) changed("rooms", "thread"); // rooms are shown at intervals: nothing must not hold up the first of them
  }

  // Messages

  function openThread(roomId) {
    if (!store.threads.has(roomId)) store.threads.set(roomId, emptyThread());
    return store.threads.get(roomId);
  }

  /** Takes any mix of known and unknown messages; the newer version of each stays. */
  function mergeMessages(roomId, found, facts = {}) {
    const thread = store.threads.get(roomId);
    if (!thread) return;
    const messages = marked(found);
    if (messages.length === 1 && messages[0].id > (thread.items.at(-1)?.id ?? 0)) {
      thread.items = [...thread.items, messages[0]]; // as nearly all arrive
      settle(messages[0]);
      Object.assign(thread, facts);
      changed("thread");
      return;
    }
    const known = new Map(thread.items.map((message) => [message.id, message]));
    for (const message of messages) {
      const old = known.get(message.id);
      if (!old || isNewer(message, old)) known.set(message.id, message);
      settle(message);
    }
    thread.items = [...known.values()].sort(byId);
    Object.assign(thread, facts);
    changed("thread");
  }

  /** With what was put on them while they were on their way. */
  function marked(messages) {
    const since = Date.now() - MARKS_MS;
    marks = marks.filter(({ at }) => at > since);
    if (!marks.length) return messages;
    return messages.map((message) => marks.reduce((now, { id, change }) => (id === now.id ? change(now) : now), message));
  }

  function mark(roomId, id, change) {
    marks = [...marks, { at: Date.now(), id, change }].slice(-MAX_MARKS);
    const changedOf = (message) => (message.id === id ? change(message) : message);
    for (const thread of shownThreads(roomId)) {
      if (!thread.items.some((message) => message.id === id)) continue;
      thread.items = thread.items.map(changedOf);
      changed("thread");
    }
  }

  /** The newest messages of a room, and the stretch of older ones that is shown instead. */
  const shownThreads = (roomId) => [store.threads.get(roomId), store.past.get(roomId)].filter((thread) => thread !== undefined);

  /** Somebody's emoji on a message. */
  const react = (state) => mark(state.room_id, state.message_id, (message) => (message.deleted_at ? message : withReactions(message, state)));

  function pin(state) {
    mark(state.room_id, state.message_id, (message) => (message.deleted_at ? message : withPin(message, state)));
    changed("pins");
  }

  /** The newest messages, newest first, in the place of older ones that may have changed since. */
  function renewThread(roomId, newest, facts) {
    const thread = store.threads.get(roomId);
    if (!thread) return;
    const oldest = newest.at(-1)?.id ?? 0; // a page without messages says nothing of one that came meanwhile
    thread.items = thread.items.filter(({ id }) => id >= oldest);
    mergeMessages(roomId, newest, facts);
  }
  const isForMe = ({ content, quote }) => mentions(content, store.me?.username) || (quote?.sender?.id ?? 0) === store.me?.id;

  /** True when the message is new to this page. */
  function receive(message) {
    const roomId = message.room_id;
    const room = store.rooms.get(roomId);
    settle(message);
    if (message.sender && !message.hook && !isMine(message)) noteRead(roomId, message.sender.id, message.id);
    stopTyping(roomId, message.sender?.id);
    if (store.threads.has(roomId)) mergeMessages(roomId, [message]);
    const past = store.past.get(roomId);
    if (past && !past.hasNewer && message.id > (past.items.at(-1)?.id ?? 0)) past.items = [...past.items, message];
    if (!room || message.id <= (room.last_message?.id ?? 0)) return false;
    room.last_message = message;
    if (!isOwnDeed(message)) {
      room.unread_count = (room.unread_count ?? 0) + 1;
      if (room.level !== "none" && isForMe(message)) room.mention_count = (room.mention_count ?? 0) + 1;
    }
    changed("rooms");
    return true;
  }

  /** A change to a message that is not on the page must not put it there: there would be a hole. */
  function update(message) {
    const thread = store.threads.get(message.room_id);
    const old = thread?.items.find((item) => item.id === message.id);
    if (thread) thread.items = requoted(thread.items, message);
    const past = store.past.get(message.room_id);
    if (past) past.items = requoted(past.items, message).map((item) => (item.id === message.id && isNewer(message, item) ? message : item));
    for (const waiting of requoted([...store.pending.values()], message)) store.pending.set(waiting.client_id, waiting);
    if (old) mergeMessages(message.room_id, [message]);
    else if (past) changed("thread");
    if (!old || old.pinned_at || message.pinned_at) changed("pins");
    const room = store.rooms.get(message.room_id);
    if (room?.last_message?.id === message.id) {
      room.last_message = message;
      changed("rooms");
    }
  }

  /** Lets go of all but the newest `most` messages of a room: they are fetched again for whoever reads back. */
  function trim(roomId, most) {
    const thread = store.threads.get(roomId);
    if (!thread || thread.items.length <= most) return;
    thread.items = thread.items.slice(-most);
    thread.hasMore = true;
    changed("thread");
  }

  const newestId = (roomId) => store.threads.get(roomId)?.items.at(-1)?.id ?? 0;

  // Unsent messages

  function putPending(message) {
    store.pending.set(message.client_id, message);
    changed("thread");
  }

  function dropPending(clientId) {
    const message = store.pending.get(clientId);
    if (!message) return;
    for (const preview of message.previews) if (preview) setTimeout(() => URL.revokeObjectURL(preview), PREVIEW_MS);
    store.pending.delete(clientId);
    dropped(message);
    changed("thread");
  }

  function settle(message) {
    if (message.client_id && isMine(message)) dropPending(message.client_id);
  }

  /** Unsent messages for rooms that this person is no longer in. */
  const strayPending = () => (store.roomsLoaded ? [...store.pending.values()].filter((message) => !store.rooms.has(message.room_id)) : []);

  const pendingOf = (roomId) => [...store.pending.values()].filter((message) => message.room_id === roomId);

  // Typing, reading, presence

  function startTyping(roomId, user) {
    if (!store.typing.has(roomId)) store.typing.set(roomId, new Map());
    store.typing.get(roomId).set(user.id, user);
    store.online.get(roomId)?.add(user.id);
    changed("typing", "rooms", "open");
  }

  function stopTyping(roomId, userId) {
    if (store.typing.get(roomId)?.delete(userId)) changed("typing", "rooms");
  }

  /** Whether that is news. */
  function noteRead(roomId, userId, messageId) {
    if (!store.reads.has(roomId)) store.reads.set(roomId, new Map());
    const reads = store.reads.get(roomId);
    if ((reads.get(userId) ?? 0) >= messageId) return false;
    reads.set(userId, messageId);
    return true;
  }

  function setReads(roomId, positions) {
    for (const { user_id: userId, last_message_id: messageId } of positions) noteRead(roomId, userId, messageId);
    changed("thread");
  }

  /** One wants to read the room again from there, on all one's devices. */
  function markUnread({ room_id: roomId, user_id: userId, last_message_id: messageId, unread_count: count }) {
    store.leftUnread.add(roomId);
    store.reads.get(roomId)?.set(userId, messageId);
    const thread = store.threads.get(roomId);
    if (thread) thread.firstUnread = firstUnreadOf(thread.items, count, isOwnDeed);
    setUnread(roomId, count);
    changed("thread");
  }

  function markRead(roomId, userId, messageId) {
    if (!noteRead(roomId, userId, messageId)) return;
    if (userId === store.me?.id) setUnread(roomId, unreadAfter(roomId, messageId));
    changed("thread");
  }

  function unreadAfter(roomId, messageId) {
    const room = store.rooms.get(roomId);
    if (!room?.last_message || room.last_message.id <= messageId) return 0;
    const thread = store.threads.get(roomId);
    if (!thread || thread.status === "recalled") return room.unread_count;
    return thread.items.filter((item) => item.id > messageId && !isOwnDeed(item)).length;
  }

  function setOnline(roomId, ids) {
    store.online.set(roomId, new Set(ids));
    changed("open", "rooms");
  }

  /** Somebody has come or gone: that shows in every room which they share with this person. */
  function setPresence({ user_id: id, is_online: isOnline, last_seen: lastSeen }) {
    if (lastSeen) store.lastSeen.set(id, lastSeen);
    for (const room of store.rooms.values()) {
      const online = store.online.get(room.id);
      if (!isOnline) online?.delete(id);
      else if (room.is_default || room.participants?.some((person) => person.id === id)) store.online.set(room.id, new Set([...online ?? [], id]));
    }
    changed("open", "rooms");
  }

  /** Where the line of what is unread stands for whoever comes to a room now. */
  function showUnread(roomId) {
    store.leftUnread.delete(roomId);
    const thread = store.threads.get(roomId);
    if (thread?.status === "ready") thread.firstUnread = firstUnreadOf(thread.items, store.rooms.get(roomId)?.unread_count ?? 0, isOwnDeed);
  }

  function open(roomId) {
    if (roomId !== store.openRoomId) {
      showUnread(roomId);
      store.past.clear();
    }
    store.openRoomId = roomId;
    changed("open", "rooms", "thread", "typing");
  }

  return Object.assign(store, {
    on, unwatch, changed, reset, setConnection, isMine, isOwnDeed,
    recall, setRooms, mergeRoom, prefer, dropRoom, sortedRooms, unreadTotal, setUnread,
    openThread, mergeMessages, renewThread, receive, update, react, pin, trim, newestId,
    putPending, dropPending, pendingOf, strayPending,
    startTyping, stopTyping, markRead, markUnread, setReads, setOnline, setPresence, showUnread, open,
  });
}

// What a room is called and who is in it, seen by one person

export const othersIn = (room, me) => (room.participants ?? []).filter((person) => person.id !== me?.id);

export function roomName(room, me) {
  const others = othersIn(room, me).map((person) => person.username);
  if (room.room_type === "direct" && others.length) return others.join(", ");
  return room.name || others.join(", ") || `Room ${room.id}`;
}
