/*
 * What one line of the log is made of: the kind of message, its size, and its
 * text with every secret covered. Secrets are covered before an entry is kept,
 * so nothing that shows, searches or saves entries can give one away.
 */

/**
 * @typedef {"in" | "out" | "event"} Direction
 *
 * @typedef {object} Entry
 * @property {number} id grows by one from entry to entry
 * @property {number} at milliseconds since 1970
 * @property {Direction} direction "event" is what happened to a connection, rather than on it
 * @property {string} socket the connection's name, "chat" or "workspace 3"; "rest" for HTTP
 * @property {string} type
 * @property {number | null} size in bytes, where something was transmitted
 * @property {string} text
 * @property {number} [code] with which a socket was closed
 */

const COVER = "••••••";
const SECRET_FIELD = /("(?:token|access|refresh|(?:\w+_)?password)"\s*:\s*")(?:[^"\\]|\\.)*/gi;
const SECRET_PARAMETER = /([?&](?:token|signature|sig)=)[^&"\s\\]+/gi;
const JWT = /eyJ[\w-]{6,}\.[\w-]+\.[\w-]*/g;
const MAX_SUMMARY = 160;

/**
 * Covers what nobody may read over somebody's shoulder.
 * @param {string} text
 * @param {(string | null | undefined)[]} secrets whole values that must not show wherever they stand
 */
export function mask(text, secrets = []) {
  let safe = text
    .replace(SECRET_FIELD, `$1${COVER}`)
    .replace(SECRET_PARAMETER, `$1${COVER}`)
    .replace(JWT, COVER);
  for (const secret of secrets) if (secret) safe = safe.replaceAll(secret, COVER);
  return safe;
}

/**
 * The kind of a frame: its type, or its mode where a task's socket speaks in modes.
 * @param {string} text
 */
export function typeOf(text) {
  try {
    const frame = JSON.parse(text);
    return String(frame?.type ?? frame?.mode ?? "untyped");
  } catch {
    return "not JSON";
  }
}

const encoder = new TextEncoder();

/** @param {string} text */
export const sizeOf = (text) => encoder.encode(text).length;

/**
 * Indents JSON; anything else stays as it is.
 * @param {string} text
 */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/**
 * What stands on an entry's one line.
 * @param {Entry} entry
 * @param {(code: number, reason: string) => string} meaningOf says what a close code means
 */
export function summary(entry, meaningOf) {
  if (entry.code === undefined) return entry.text.slice(0, MAX_SUMMARY);
  const { reason } = JSON.parse(entry.text);
  return `${entry.code} ${meaningOf(entry.code, reason)}`;
}

/**
 * The entries as JSON Lines: one object a line, for grep and jq.
 * @param {Entry[]} entries
 */
export const toJsonLines = (entries) =>
  entries.map(({ id: _id, at, ...rest }) => `${JSON.stringify({ at: new Date(at).toISOString(), ...rest })}\n`).join("");
