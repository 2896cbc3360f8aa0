/* Files on their way to the server, with how far each message is and a way to call it back. */
import { ApiError, refusal } from "../http.js";
import { signal } from "../kit/html.js";

const running = signal(new Map()); // client_id -> {fraction, request}

const set = (clientId, entry) => {
  const next = new Map(running.value);
  if (entry) next.set(clientId, entry);
  else next.delete(clientId);
  running.value = next;
};

/** How much of a message's files the server has, from 0 to 1; null where none are on their way. */
export const progressOf = (clientId) => running.value.get(clientId)?.fraction ?? null;

/** Calls a message back; it is not sent. */
export function cancelUpload(clientId) {
  running.value.get(clientId)?.request.abort();
}

function sendOnce({ server, token, clientId, form }) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const away = (code) => () => failed(new ApiError({ detail: `${server} does not answer.`, code }));
    request.upload.onprogress = ({ loaded, total }) => set(clientId, { fraction: total ? loaded / total : 0, request });
    request.onload = () => {
      const answer = request.response;
      if (request.status < 400) return done(answer);
      return failed(refusal({ status: request.status, headers: { get: (name) => request.getResponseHeader(name) } }, answer));
    };
    request.onerror = away("unreachable");
    request.onabort = away("cancelled");
    request.open("POST", new URL("/api/chat/messages/", server));
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    set(clientId, { fraction: 0, request });
    request.send(form);
  });
}

/** Posts a message with files: as `postFiles` of api.js, with progress. */
export const uploader = (session) => async (roomId, content, files, clientId) => {
  const form = new FormData();
  form.append("room", roomId);
  form.append("content", content);
  form.append("client_id", clientId);
  for (const file of files) form.append("attachments", file);
  const send = async () => sendOnce({ server: session.server, token: await session.freshToken(), clientId, form });
  try {
    return await send().catch(async (error) => {
      if (error.status !== 401 || !(await session.renew())) throw error;
      return send();
    });
  } finally {
    set(clientId, null);
  }
};
