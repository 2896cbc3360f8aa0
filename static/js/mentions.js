/* Whether a text names somebody, as the server reads it. */

const plain = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const patterns = new Map(); // username -> what finds it

function patternOf(username) {
  if (!patterns.has(username)) patterns.set(username, new RegExp(`(^|[^\\p{L}\\p{N}_@])@${plain(username)}(?![\\p{L}\\p{N}_])`, "iu"));
  return patterns.get(username);
}

/** Whether the text has `@username` as a word of its own. */
export const mentions = (text, username) => Boolean(username && text?.includes("@")) && patternOf(username).test(text);
