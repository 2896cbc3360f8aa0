/*
 * Everything that crossed a socket, for the inspector. Secrets are covered
 * before an entry is stored, so no view can show them by mistake.
 */

const MOST = 1000;
const COVER = "••••••";

const SECRET_FIELD = /("(?:token|access|refresh|password)"\s*:\s*")(?:[^"\\]|\\.)*/gi;
const SECRET_PARAMETER = /([?&](?:token|signature|sig)=)[^&"\s\\]+/gi;
const JWT = /eyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g;

/** `secrets` are whole values that must not show wherever they stand. */
export function mask(text, secrets = []) {
  let safe = text
    .replace(SECRET_FIELD, `$1${COVER}`)
    .replace(SECRET_PARAMETER, `$1${COVER}`)
    .replace(JWT, COVER);
  for (const secret of secrets) if (secret) safe = safe.replaceAll(secret, COVER);
  return safe;
}

function typeOf(text) {
  try {
    const frame = JSON.parse(text);
    return String(frame?.type ?? frame?.mode ?? "untyped"); // a task's socket speaks in modes
  } catch {
    return "not JSON";
  }
}

export function createFrameLog({ secrets }) {
  const listeners = new Set();
  const encoder = new TextEncoder();
  let entries = [];
  let lastId = 0;

  function add(entry) {
    lastId += 1;
    entries.push({ id: lastId, at: Date.now(), ...entry });
    if (entries.length > MOST) entries = entries.slice(-MOST);
    for (const listener of listeners) listener();
  }

  return {
    get entries() { return entries; },

    /** `socket` names the connection when it is not the chat's own. */
    frame(direction, text, socket = null) {
      add({
        direction,
        type: typeOf(text),
        size: encoder.encode(text).length,
        text: mask(text, secrets()),
        socket,
      });
    },

    /** What happened to a socket, rather than on it. */
    event(type, details, socket = null) {
      const text = mask(JSON.stringify(details), secrets());
      add({ direction: "event", type, size: null, text, socket, code: details.code });
    },

    clear() {
      entries = [];
      for (const listener of listeners) listener();
    },

    watch(listener) {
      listeners.add(listener);
    },

    unwatch: () => listeners.clear(),
  };
}
