/*
 * Everything that crossed the wire, newest last. The oldest goes when there is
 * too much: a flood that is left alone overnight must not fill the memory.
 */
import { mask, sizeOf, typeOf } from "./entries.js";

/** @typedef {import("./entries.js").Entry} Entry */

const MAX_ENTRIES = 5_000;
const MAX_CHARACTERS = 8_000_000;

/**
 * @param {object} options
 * @param {() => (string | null | undefined)[]} [options.secrets] what must not show, as it is now
 * @param {number} [options.maxEntries]
 * @param {number} [options.maxCharacters]
 */
export function createLog({ secrets = () => [], maxEntries = MAX_ENTRIES, maxCharacters = MAX_CHARACTERS } = {}) {
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** @type {Entry[]} */
  let entries = [];
  let first = 0; // the oldest that is kept; what lies before it is dropped now and then, all at once
  let characters = 0;
  let lastId = 0;

  function trim() {
    while (entries.length - first > maxEntries || (characters > maxCharacters && entries.length - first > 1)) {
      characters -= entries[first].text.length;
      first += 1;
    }
    if (first > maxEntries / 10) {
      entries = entries.slice(first);
      first = 0;
    }
  }

  function tell() {
    for (const listener of listeners) listener();
  }

  /** @param {Omit<Entry, "id" | "at">} entry */
  function add(entry) {
    lastId += 1;
    entries.push({ id: lastId, at: Date.now(), ...entry, text: mask(entry.text, secrets()) });
    characters += entries[entries.length - 1].text.length;
    trim();
    tell();
  }

  return {
    /** How many are kept. */
    get length() { return entries.length - first; },

    /** The number of the oldest entry that is kept, or of the next one. */
    get oldestId() { return entries[first]?.id ?? lastId + 1; },

    get newestId() { return lastId; },

    /**
     * The entries that came after one.
     * @param {number} id
     */
    after(id) {
      const known = Math.max(0, id - this.oldestId + 1);
      return entries.slice(first + known);
    },

    /**
     * A frame, as it crossed a socket.
     * @param {"in" | "out"} direction
     * @param {string} text
     * @param {string} socket
     */
    frame: (direction, text, socket) => add({ direction, socket, type: typeOf(text), size: sizeOf(text), text }),

    /**
     * What happened to a socket, rather than on it.
     * @param {string} type
     * @param {Record<string, any>} details
     * @param {string} socket
     */
    event: (type, details, socket) =>
      add({
        direction: "event", socket, type, size: null, text: JSON.stringify(details),
        ...(details.code === undefined ? {} : { code: details.code }),
      }),

    /**
     * One half of an HTTP exchange.
     * @param {"in" | "out"} direction
     * @param {string} type
     * @param {string} text
     */
    http: (direction, type, text) => add({ direction, socket: "rest", type, size: text ? sizeOf(text) : null, text }),

    clear() {
      entries = [];
      first = characters = 0;
      tell();
    },

    /** @param {() => void} listener */
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
