/* Files of messages on their way to the server, with how far each message is and a way to call it back. */
import { messageForm } from "../api.js";
import { formPoster } from "../formpost.js";
import { signal } from "../kit/html.js";

const running = signal(new Map()); // client_id -> {fraction, abort}

const set = (clientId, entry) => {
  const next = new Map(running.value);
  if (entry) next.set(clientId, { ...next.get(clientId), ...entry });
  else next.delete(clientId);
  running.value = next;
};

/** How much of a message's files the server has, from 0 to 1; null where none are on their way. */
export const progressOf = (clientId) => running.value.get(clientId)?.fraction ?? null;

/** Calls a message back; it is not sent. */
export function cancelUpload(clientId) {
  running.value.get(clientId)?.abort();
}

/** Posts a message with files: as `postFiles` of api.js, with progress. */
export function uploader(session) {
  const post = formPoster(session);
  return async (message) => {
    const { client_id: clientId } = message;
    try {
      return await post("/api/chat/messages/", messageForm(message), {
        started: (abort) => set(clientId, { fraction: 0, abort }),
        progress: (fraction) => set(clientId, { fraction }),
      });
    } finally {
      set(clientId, null);
    }
  };
}
