/*
 * What a person has written and the server does not have yet: drafts and
 * unsent messages. It stays in the browser's storage, under the person's
 * number, so that a reload, a sign-out or a closed tab loses no word, and
 * nobody else who signs in here is shown it.
 */
import { createKeptFiles } from "./keptfiles.js";

const isNothing = (value) => value === null || value === undefined || value === "";

function parsed(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** `owner` names the server and the person; `storage` is the browser's, or null where there is none. */
export function createKept(owner, storage = storageOf()) {
  const prefix = `taskroom ${owner} `;
  const unsafe = new Map(); // name -> value that the storage did not take: it lasts as long as the page
  const listeners = new Set();

  function set(name, value) {
    unsafe.delete(name);
    try {
      if (isNothing(value)) storage?.removeItem(prefix + name);
      else if (storage) storage.setItem(prefix + name, JSON.stringify(value));
      else unsafe.set(name, value);
    } catch {
      unsafe.set(name, value); // full, or forbidden
    }
  }

  const get = (name) => (unsafe.has(name) ? unsafe.get(name) : parsed(storage?.getItem(prefix + name) ?? null));

  /** Everything whose name begins so, as [name, value]. */
  function all(beginning) {
    const stored = Object.keys(storage ?? {}).filter((key) => key.startsWith(prefix + beginning)).map((key) => key.slice(prefix.length));
    const names = new Set([...stored, ...[...unsafe.keys()].filter((name) => name.startsWith(beginning))]);
    return [...names].map((name) => [name, get(name)]).filter(([, value]) => value !== null);
  }

  /** Another tab of this browser has written. */
  function elsewhere({ key, oldValue, newValue, storageArea }) {
    if (storageArea !== storage || !key?.startsWith(prefix)) return;
    for (const listener of listeners) listener(key.slice(prefix.length), parsed(oldValue), parsed(newValue));
  }

  addEventListener("storage", elsewhere);
  return {
    get, set, all,
    files: createKeptFiles(prefix),
    /** One place of its own, for something that only needs to keep a value. */
    slot: (name) => ({ get: () => get(name), set: (value) => set(name, value) }),
    /** Whether the tab could close now without losing a word. */
    isSafe: () => unsafe.size === 0,
    watch: (listener) => listeners.add(listener),
    end() {
      listeners.clear();
      removeEventListener("storage", elsewhere);
    },
  };
}

/** A browser may forbid storage altogether: even to ask for it raises then. */
function storageOf() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
