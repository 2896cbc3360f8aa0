/* Which entries of the log somebody wants to see. */

/**
 * @typedef {import("./entries.js").Entry} Entry
 *
 * @typedef {object} Filter
 * @property {string} text every word of it has to occur, in whatever case; a word after "-" must not
 * @property {string} direction "" is any, as below
 * @property {string} socket
 * @property {string} type
 */

/** @type {Filter} */
export const EVERYTHING = Object.freeze({ text: "", direction: "", socket: "", type: "" });

/** @param {Filter} filter */
export const isNarrow = (filter) => Object.values(filter).some(Boolean);

/** @param {string} text */
const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter((word) => word && word !== "-");

/**
 * Makes a test for entries out of a filter.
 * @param {Filter} filter
 * @returns {(entry: Entry) => boolean}
 */
export function wants({ text, direction, socket, type }) {
  const words = wordsOf(text);
  const without = words.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
  const needed = words.filter((word) => !word.startsWith("-"));
  return (entry) => {
    if (direction && entry.direction !== direction) return false;
    if (socket && entry.socket !== socket) return false;
    if (type && entry.type !== type) return false;
    if (!words.length) return true;
    const all = `${entry.type} ${entry.socket} ${entry.text}`.toLowerCase();
    return needed.every((word) => all.includes(word)) && !without.some((word) => all.includes(word));
  };
}
