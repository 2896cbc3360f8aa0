/*
 * Messages on their way out. Each keeps one client_id through every attempt,
 * and the server stores a client_id once: sending again is always safe, so
 * whatever has no answer when the socket comes back is simply sent again.
 */
import { newId } from "./ids.js";

const ANSWER_MS = 20_000;
/* Below the server's 20 messages a second, so that a long wait offline does not end in a flood. */
const RESEND_EVERY_MS = 80;

export function createOutbox({ store, socket, api }) {
  const timers = new Map();
  const uploading = new Set();

  function patch(clientId, change) {
    const message = store.pending.get(clientId);
    if (message) store.putPending({ ...message, ...change });
  }

  function fail(clientId, reason) {
    clearTimeout(timers.get(clientId));
    patch(clientId, { state: "failed", reason });
  }

  function expectAnswer(clientId, failure = "The server did not answer.") {
    clearTimeout(timers.get(clientId));
    timers.set(clientId, setTimeout(() => {
      if (socket.state.name === "connected") fail(clientId, failure);
    }, ANSWER_MS));
  }

  function sendText({ client_id, room_id, room_type, content }) {
    const sent = socket.send({
      type: "send_message", room_type, room_id, message: content, client_id, request_id: client_id,
    });
    if (sent) expectAnswer(client_id);
  }

  async function sendFiles({ client_id, room_id, content, files }) {
    if (uploading.has(client_id)) return;
    uploading.add(client_id);
    clearTimeout(timers.get(client_id));
    try {
      store.receive(await api().postFiles(room_id, content, files, client_id));
    } catch (error) {
      /* A server that is away takes it when the socket is back, as it does with text. */
      if (error.status === 0) expectAnswer(client_id, error.message);
      else fail(client_id, error.status === 413 ? "The files are too large." : error.message);
    } finally {
      uploading.delete(client_id);
    }
  }

  const dispatch = (message) => (message.files.length ? sendFiles(message) : sendText(message));

  return {
    add(room, content, files) {
      const message = {
        client_id: newId(), room_id: room.id, room_type: room.room_type, content, files,
        previews: files.map((file) => (file.type.startsWith("image/") ? URL.createObjectURL(file) : null)),
        sender: store.me, timestamp: new Date().toISOString(), state: "sending", reason: null,
      };
      store.putPending(message);
      dispatch(message);
    },

    /** The socket is back: everything that still waits goes out again, in order. */
    flush() {
      const waiting = [...store.pending.values()].filter((message) => message.state === "sending");
      waiting.forEach((message, index) => {
        setTimeout(() => {
          if (store.pending.has(message.client_id)) dispatch(message);
        }, index * RESEND_EVERY_MS);
      });
    },

    retry(clientId) {
      patch(clientId, { state: "sending", reason: null });
      dispatch(store.pending.get(clientId));
    },

    discard: (clientId) => store.dropPending(clientId),

    /** The server refused it; true when the refusal was about one of ours. */
    refused(clientId, reason) {
      if (!store.pending.has(clientId)) return false;
      fail(clientId, reason);
      return true;
    },
  };
}
