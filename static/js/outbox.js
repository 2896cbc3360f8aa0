/*
 * Messages on their way out. Each keeps one client_id through every attempt,
 * and the server stores a client_id once: sending again is always safe, so
 * whatever has no answer when the socket comes back is simply sent again. Each
 * is also kept in the browser's storage until the server has it, so another
 * tab, or a later visit, goes on with it.
 */
import { newId } from "./ids.js";
import { fitsFrame, tooLong } from "./limits.js";

const ANSWER_MS = 20_000;
/* Below the server's 20 messages a second, so that a long wait offline does not end in a flood. */
const RESEND_EVERY_MS = 80;
const PREFIX = "unsent-";

const frameOf = ({ client_id, room_id, room_type, content, reply_to }) => ({
  type: "send_message", room_type, room_id, message: content, client_id, request_id: client_id, reply_to: reply_to ?? undefined,
});

/** What of a message is kept as text; its files are kept beside it. */
const toKeep = ({ client_id, room_id, room_type, room_name, content, timestamp, state, reason, reply_to, quote, files }) =>
  ({ client_id, room_id, room_type, room_name, content, timestamp, state, reason, reply_to, quote, files: files.length });

const previewOf = (file) => (file.type.startsWith("image/") ? URL.createObjectURL(file) : null);

/** Of the frames that have no answer yet, the one that was too large for the server: the largest. */
export const largest = (inFlight) => [...inFlight].reduce((most, one) => (one[1] > (most?.[1] ?? -1) ? one : most), null)?.[0];

/** `kept()` is the person's storage (kept.js), `frameKib()` the server's limit, `restRefused()` true where only the socket may be used. */
export function createOutbox({ store, socket, api, kept, frameKib, restRefused }) {
  const timers = new Map();
  const uploading = new Set();
  const inFlight = new Map(); // client_id -> characters of the frame that has no answer yet

  function put(message) {
    store.putPending(message);
    kept().set(PREFIX + message.client_id, toKeep(message));
  }

  function patch(clientId, change) {
    const message = store.pending.get(clientId);
    if (message) put({ ...message, ...change });
  }

  function fail(clientId, reason) {
    clearTimeout(timers.get(clientId));
    inFlight.delete(clientId);
    patch(clientId, { state: "failed", reason });
  }

  /** Without an answer it may be the wire that is dead, and not yet known to be: then the message goes out over the next one. */
  function expectAnswer(clientId, failure = "The server did not answer.") {
    const wait = (next) => {
      clearTimeout(timers.get(clientId));
      timers.set(clientId, setTimeout(() => { if (socket.state.name === "connected") next(); }, ANSWER_MS));
    };
    wait(() => {
      socket.wake();
      wait(() => fail(clientId, failure));
    });
  }

  function sendText(message) {
    const frame = frameOf(message);
    if (!socket.send(frame)) return;
    inFlight.set(message.client_id, JSON.stringify(frame).length);
    expectAnswer(message.client_id);
  }

  async function sendByRest(message) {
    const { client_id } = message;
    if (uploading.has(client_id)) return;
    uploading.add(client_id);
    clearTimeout(timers.get(client_id));
    try {
      store.receive(await api().postFiles(message));
    } catch (error) {
      /* A server that is away takes it when the socket is back, as it does with text. */
      if (error.status === 0) expectAnswer(client_id, error.message);
      else fail(client_id, error.status === 413 ? "The files are too large." : error.message);
    } finally {
      uploading.delete(client_id);
    }
  }

  /** Twenty thousand characters may be more bytes than a frame may have; REST takes them all the same. */
  function dispatch(message) {
    if (message.isIncomplete) return fail(message.client_id, "Its files are no longer here: choose them again.");
    const problem = tooLong(message.content);
    if (problem) return fail(message.client_id, problem);
    if (message.files.length) return sendByRest(message);
    if (fitsFrame(JSON.stringify(frameOf(message)), frameKib())) return sendText(message);
    if (restRefused()) return fail(message.client_id, `This page has only the socket, which takes ${frameKib()} KiB at most.`);
    return sendByRest(message);
  }

  const dispatchIfWaiting = (clientId) => {
    const message = store.pending.get(clientId);
    if (message?.state === "sending") dispatch(message);
  };

  function revive(entry, files) {
    const { files: count, ...message } = entry;
    return { ...message, files, previews: files.map(previewOf), isIncomplete: files.length < count, sender: store.me };
  }

  /** Another tab of this person's browser has written, sent or given up a message. */
  function elsewhere(name, old, now) {
    if (!name.startsWith(PREFIX)) return;
    const clientId = name.slice(PREFIX.length);
    const here = store.pending.get(clientId);
    if (!now) return store.dropPending(clientId);
    if (here) return store.putPending({ ...here, state: now.state, reason: now.reason });
    if (now.files) return null;
    /* That tab sends it. If it is closed before it could, this one does. */
    store.putPending(revive(now, []));
    timers.set(clientId, setTimeout(() => dispatchIfWaiting(clientId), ANSWER_MS));
    return null;
  }

  return {
    /** `quote` is what the message answers, if it answers one. */
    add(room, roomName, content, files, quote = null) {
      const message = {
        reply_to: quote?.id ?? null, quote,
        client_id: newId(), room_id: room.id, room_type: room.room_type, room_name: roomName, content, files,
        previews: files.map(previewOf), sender: store.me, timestamp: new Date().toISOString(), state: "sending", reason: null,
      };
      if (files.length) kept().files.put(PREFIX + message.client_id, files);
      put(message);
      dispatch(message);
    },

    /** What this person has not got rid of in an earlier visit, or in another tab. */
    async restore() {
      const mine = kept();
      mine.watch(elsewhere);
      const entries = mine.all(PREFIX).map(([, entry]) => entry).sort((a, b) => a.timestamp.localeCompare(b.timestamp));
      for (const entry of entries) {
        const files = entry.files ? await mine.files.get(PREFIX + entry.client_id) : [];
        const isStillMine = mine === kept() && mine.get(PREFIX + entry.client_id);
        if (isStillMine && !store.pending.has(entry.client_id)) store.putPending(revive(entry, files));
      }
    },

    /** The socket is back: everything that still waits goes out again, in order. */
    flush() {
      inFlight.clear();
      const waiting = [...store.pending.values()].filter((message) => message.state === "sending");
      waiting.forEach(({ client_id: id }, index) => setTimeout(() => dispatchIfWaiting(id), index * RESEND_EVERY_MS));
    },

    retry(clientId) {
      patch(clientId, { state: "sending", reason: null });
      dispatchIfWaiting(clientId);
    },

    discard: (clientId) => store.dropPending(clientId),

    /** The store has let go of a message: the server has it, or the person has given it up. */
    forget({ client_id: clientId, files }) {
      clearTimeout(timers.get(clientId));
      inFlight.delete(clientId);
      kept().set(PREFIX + clientId, null);
      if (files.length) kept().files.drop(PREFIX + clientId);
    },

    /** The server refused it; true when the refusal was about one of ours. */
    refused(clientId, reason) {
      if (!store.pending.has(clientId)) return false;
      fail(clientId, reason);
      return true;
    },

    /** The server closed the connection over a message that was too large: that one is not sent again by itself. */
    tooLarge() {
      const clientId = largest(inFlight);
      if (clientId) fail(clientId, "It is too large for the server.");
    },
  };
}
