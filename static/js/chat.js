/*
 * The chat as the person uses it: open a room, write, edit, read. Keeps the
 * store in step with the server through both of its doors, REST and socket.
 */
import { ownEmoji, toggled } from "./chat/marks.js";
import { createIncoming } from "./incoming.js";
import { createPast } from "./past.js";
import { createOutbox } from "./outbox.js";
import { roomName } from "./store.js";

/* Rooms are joined in small groups: a hundred joins at once would count as flooding. */
const JOIN_GROUP = 10;
const JOIN_PAUSE_MS = 1_000;
const TYPING_REPEAT_MS = 3_000;
const TYPING_IDLE_MS = 5_000;
const REFETCH_MS = 300;
/* Of a conversation that the server has not given yet in this visit. */
const UNREAD = ["failed", "recalled"];

/**
 * `restRefused()` is true where only the socket may be used (a page from disk);
 * `show(roomId)` brings a room before the person's eyes; `kept()` is what stays
 * of them in the browser's storage, `frameKib()` the most that one frame may hold.
 */
export function createChat({ store, socket, api, kept, frameKib, restRefused, say, isWatching, show }) {
  const outbox = createOutbox({ store, socket, api, kept, frameKib, restRefused });
  const receive = createIncoming({
    store,
    on: {
      ready, joined, gap: fillGap, roomsChanged: refetchRooms, newRoom: (room) => join([room]),
      takenOut, resync: startAfresh, error: refused,
    },
  });
  const past = createPast({ store, api, say });
  const typist = { roomId: null, lastSent: 0, idle: 0 };
  let refetching = 0;
  let isJoiningByNumber = false;
  let starting = null;
  let listSeq = null; // the newest event before the rooms were read, until the connection has gone on from there
  const leaving = new Set();
  const gaps = new Set(); // rooms in which something was written while they were loaded

  // Coming and going of the connection

  /** Asks for the rooms while the connection is being made (`ready`). */
  function start() {
    starting = loadRooms();
    return starting;
  }

  /** The list may be older than the connection, which then brings what happened in between. */
  function goOnFromList(seq) {
    if (listSeq !== null && listSeq < seq) socket.send({ type: "resume", since: listSeq });
    listSeq = null;
  }

  async function ready({ seq }) {
    await starting;
    if (!store.roomsLoaded) await loadRooms();
    goOnFromList(seq);
    join(store.sortedRooms());
    outbox.flush();
    if (UNREAD.includes(store.threads.get(store.openRoomId)?.status)) openRoom(store.openRoomId);
    markRead();
  }

  /** Goes on with what was not sent in an earlier visit. */
  async function restore() {
    await outbox.restore();
    if (socket.state.name === "connected") outbox.flush();
  }

  /** The events in between are no longer kept: everything is read anew. */
  async function startAfresh() {
    for (const id of store.threads.keys()) if (id !== store.openRoomId) store.threads.delete(id);
    await loadRooms();
    if (!store.openRoomId) return;
    store.threads.delete(store.openRoomId);
    openRoom(store.openRoomId);
  }

  async function loadRooms() {
    if (restRefused()) return;
    const before = [...store.rooms.keys()];
    const isAhead = socket.state.name !== "connected";
    try {
      const rooms = await api().rooms();
      if (isAhead) listSeq = rooms.seq ?? null;
      store.setRooms(rooms, before);
    } catch (error) {
      if (!error.isTemporary || !store.rooms.size) say(error.message); // an outage is told once, above the content
    }
  }

  function refetchRooms() {
    clearTimeout(refetching);
    refetching = setTimeout(findRooms, REFETCH_MS);
  }

  /** Reads the rooms anew, and joins those that were not known. */
  async function findRooms() {
    const known = new Set(store.rooms.keys());
    await loadRooms();
    join(store.sortedRooms().filter((room) => !known.has(room.id)));
  }

  function join(rooms) {
    for (let start = 0; start < rooms.length; start += JOIN_GROUP) {
      const group = rooms.slice(start, start + JOIN_GROUP);
      setTimeout(() => group.forEach(joinOne), (start / JOIN_GROUP) * JOIN_PAUSE_MS);
    }
  }

  const joinOne = (room) => socket.send({ type: "join_room", room_type: room.room_type, room_id: room.id });

  /** Something was written between the list and the joining. */
  function fillGap(roomId) {
    refetchRooms();
    const status = store.threads.get(roomId)?.status;
    if (status === "loading") gaps.add(roomId); // what is on its way may have been read before
    else if (status && status !== "failed") fetchNewer(roomId);
  }

  async function fetchNewer(roomId) {
    if (restRefused()) return;
    let page = null;
    do {
      page = await api().messages(roomId, { after: store.newestId(roomId) }).catch(() => null);
      if (page) store.mergeMessages(roomId, page.results);
    } while (page?.has_more && page.results.length);
  }

  function refused(frame) {
    const reason = Object.values(frame.errors ?? {}).flat().join(" ") || (frame.detail ?? frame.code ?? "The server refused that.");
    if (!outbox.refused(frame.request_id, reason)) say(reason);
  }

  // Rooms

  async function openRoom(roomId) {
    if (!store.rooms.has(roomId)) return;
    if (store.openRoomId !== roomId) stopTyping();
    store.open(roomId);
    const room = store.rooms.get(roomId);
    const status = store.threads.get(roomId)?.status;
    if (status && !UNREAD.includes(status)) {
      joinOne(room); // who is online may have changed since
      return markRead();
    }
    store.openThread(roomId);
    if (restRefused()) {
      store.mergeMessages(roomId, [], { status: "ready", hasMore: false });
      return joinFromStart(room.room_type, roomId);
    }
    if (status !== "recalled") store.mergeMessages(roomId, [], { status: "loading" });
    loadReads(roomId);
    await loadNewest(roomId);
    markRead();
  }

  async function loadNewest(roomId) {
    const unread = store.rooms.get(roomId).unread_count ?? 0;
    try {
      const page = await api().messages(roomId);
      const others = page.results.filter((message) => !store.isOwnDeed(message));
      store.renewThread(roomId, page.results, {
        status: "ready", hasMore: page.has_more, firstUnread: others[unread - 1]?.id ?? null,
      });
      if (gaps.delete(roomId)) fetchNewer(roomId);
    } catch (error) {
      if (error.isTemporary && store.threads.get(roomId)?.status === "recalled") return; // tried again with the connection
      store.mergeMessages(roomId, [], { status: "failed" });
      say(error.message);
    }
  }

  async function loadOlder() {
    const roomId = store.openRoomId;
    const thread = store.threads.get(roomId);
    if (!thread?.hasMore || thread.status !== "ready" || !thread.items.length) return;
    thread.status = "older";
    store.changed("thread");
    try {
      const page = await api().messages(roomId, { before: thread.items[0].id });
      store.mergeMessages(roomId, page.results, { status: "ready", hasMore: page.has_more });
    } catch (error) {
      store.mergeMessages(roomId, [], { status: "ready" });
      say(error.message);
    }
  }

  /** Anything about rooms that the person asked for; the error goes back to the dialog that asked. */
  async function enterRoom(asked) {
    const room = await asked;
    if (!store.rooms.has(room.id)) {
      store.setRooms([...store.rooms.values(), room]);
      join([room]);
    }
    show(room.id);
  }

  /** `since: 0` brings everything that was said there, without REST. */
  const joinFromStart = (roomType, number) =>
    socket.send({ type: "join_room", room_type: roomType, room_id: number, since: 0 });

  /** For rooms that no list shows; a person's number means the direct room with them. */
  function joinByNumber(roomType, number) {
    isJoiningByNumber = joinFromStart(roomType, number);
    if (!isJoiningByNumber) say("There is no connection to join over.");
  }

  function joined(roomId) {
    if (!isJoiningByNumber) return;
    isJoiningByNumber = false;
    openRoom(roomId); // at once: the messages follow right behind
    show(roomId);
  }

  async function leave(roomId) {
    leaving.add(roomId);
    try {
      await api().leave(roomId);
      store.dropRoom(roomId);
    } catch (error) {
      say(error.message);
    } finally {
      leaving.delete(roomId);
    }
  }

  /** Whoever has not left the room just now is told why it is gone. */
  function takenOut(roomId) {
    const room = store.rooms.get(roomId);
    store.dropRoom(roomId);
    if (room && !leaving.has(roomId)) say(`You are no longer in ${roomName(room, store.me)}.`);
  }

  // Messages

  /** `quote` is what it answers, if it answers something. */
  function send(text, files, quote = null) {
    const room = store.rooms.get(store.openRoomId);
    if (!room || (!text.trim() && !files.length)) return;
    stopTyping();
    store.leftUnread.delete(room.id);
    outbox.add(room, roomName(room, store.me), text.trim(), files, quote);
  }

  /** Whoever asked is told why it failed: the words are still there. */
  const edit = async (message, content) => store.update(await api().editMessage(message.id, content, message.version));

  async function remove(message) {
    try {
      await api().deleteMessage(message.id);
      store.update({ ...message, content: "", attachments: [], deleted_at: new Date().toISOString() });
    } catch (error) {
      say(error.message);
    }
  }

  /** Puts an emoji on a message, or takes it back; at once here, and undone if the server refuses. */
  async function react(message, emoji) {
    const before = ownEmoji(message, store.me.id);
    const isAdded = !before.includes(emoji);
    const show = (own) => store.react({ room_id: message.room_id, message_id: message.id, user_id: store.me.id, user_emoji: own });
    show(toggled(message, store.me.id, emoji));
    try {
      await (isAdded ? api().react(message.id, emoji) : api().unreact(message.id, emoji));
    } catch (error) {
      show(before);
      say(error.message);
    }
  }

  async function pin(message, isPinned = !message.pinned_at) {
    try {
      await (isPinned ? api().pin(message.id) : api().unpin(message.id));
      const at = isPinned ? new Date().toISOString() : null;
      store.pin({ room_id: message.room_id, message_id: message.id, user_id: store.me.id, pinned_at: at });
    } catch (error) {
      say(error.message);
    }
  }

  // Typing and reading

  /** From this message on, the room is to be read again: looking at it does not count until it is opened anew. */
  async function markUnread(message) {
    try {
      store.markUnread(await api().markUnread(message.room_id, message.id));
    } catch (error) {
      say(error.message);
    }
  }

  const loadReads = (roomId) => (restRefused() || !store.rooms.get(roomId).participants?.length ? null : api().readPositions(roomId).then((found) => store.setReads(roomId, found), () => null));

  function typing() {
    clearTimeout(typist.idle);
    typist.idle = setTimeout(stopTyping, TYPING_IDLE_MS);
    const now = Date.now();
    if (typist.roomId === store.openRoomId && now - typist.lastSent < TYPING_REPEAT_MS) return;
    Object.assign(typist, { roomId: store.openRoomId, lastSent: now });
    socket.send({ type: "typing", room_id: typist.roomId, is_typing: true });
  }

  function stopTyping() {
    clearTimeout(typist.idle);
    if (typist.roomId === null) return;
    if (store.rooms.has(typist.roomId)) socket.send({ type: "typing", room_id: typist.roomId, is_typing: false });
    typist.roomId = null;
  }

  /** Says so only when somebody is really looking at the newest message. */
  function markRead() {
    const roomId = store.openRoomId;
    const newest = store.newestId(roomId);
    const room = store.rooms.get(roomId);
    if (!room?.unread_count || !newest || store.leftUnread.has(roomId) || !isWatching()) return;
    if (!socket.send({ type: "read", room_id: roomId, last_message_id: newest })) return;
    store.markRead(roomId, store.me.id, newest);
    store.setUnread(roomId, 0);
  }

  return {
    past, receive, flush: outbox.flush, start, loadRooms, findRooms, openRoom, loadOlder, enterRoom, joinByNumber, leave,
    send, edit, remove, react, pin, markUnread, retry: outbox.retry, discard: outbox.discard,
    restore, forget: outbox.forget, tooLarge: outbox.tooLarge,
    typing, stopTyping, markRead,
  };
}
