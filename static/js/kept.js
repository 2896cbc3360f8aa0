/*
 * What a person has written and the server does not have yet: drafts and
 * unsent messages. It stays in the browser's database, under the person's
 * number, so that a reload, a sign-out or a closed tab loses no word, and
 * nobody else who signs in here is shown it.
 *
 * Everything is read once when the person comes in; after that reading is at
 * once, and writing goes on behind. A page that is closed before a write is
 * done leaves it in `localStorage`, which writes at once, for the next visit.
 */
import { createKeptFiles } from "./keptfiles.js";

const DATABASE = "taskroom.words";
const STORE = "words";
const CHANNEL = "taskroom.words";

const isNothing = (value) => value === null || value === undefined || value === "";

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

const answered = (request) => new Promise((done, failed) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => failed(request.error);
});

/** The entries of the database whose keys begin with `prefix`: read(), and write(key, value) which deletes nothing. */
function createDatabase(prefix) {
  let database = null;

  const store = async (mode) => {
    database ??= opened();
    return (await database).transaction(STORE, mode, { durability: "relaxed" }).objectStore(STORE);
  };

  return {
    async read() {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      const all = await store("readonly");
      const [keys, values] = await Promise.all([answered(all.getAllKeys(range)), answered(all.getAll(range))]);
      return keys.map((key, index) => [key.slice(prefix.length), values[index]]);
    },

    async write(name, value) {
      const all = await store("readwrite");
      const transaction = all.transaction;
      if (isNothing(value)) all.delete(prefix + name);
      else all.put(value, prefix + name);
      transaction.commit();
      await new Promise((done, failed) => {
        transaction.oncomplete = done;
        transaction.onabort = transaction.onerror = () => failed(transaction.error);
      });
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

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a page that was closed too soon has left, by name; it is taken away. */
function takeLeft(storage, prefix) {
  const keys = Object.keys(storage ?? {}).filter((key) => key.startsWith(prefix));
  return keys.map((key) => {
    const value = parsed(storage.getItem(key));
    storage.removeItem(key);
    return [key.slice(prefix.length), value];
  });
}

/**
 * `owner` names the server and the person. The promise is kept also by a browser that stores nothing: what is
 * written then lasts as long as the page.
 */
export async function openKept(owner, { storage = storageOf(), makeDatabase = createDatabase } = {}) {
  const prefix = `taskroom ${owner} `;
  const values = new Map();
  const writing = new Map(); // name -> the number of its last write, while the database does not have it
  const listeners = new Set();
  const database = makeDatabase(prefix);
  const channel = globalThis.BroadcastChannel ? new BroadcastChannel(CHANNEL) : null;
  let writes = 0;

  function put(name, value) {
    if (isNothing(value)) values.delete(name);
    else values.set(name, value);
  }

  const get = (name) => values.get(name) ?? null;

  function write(name, value) {
    writes += 1;
    const mine = writes;
    writing.set(name, mine);
    const done = () => { if (writing.get(name) === mine) writing.delete(name); };
    database.write(name, value).then(done, () => null); // what it did not take stays in `writing`
  }

  function set(name, value) {
    const old = get(name);
    if (isNothing(value) && old === null) return;
    put(name, value);
    write(name, value);
    channel?.postMessage({ prefix, name, old, now: get(name) });
  }

  /** Another tab of this browser has written. */
  function elsewhere({ data }) {
    if (data.prefix !== prefix) return;
    put(data.name, data.now);
    for (const listener of listeners) listener(data.name, data.old, data.now);
  }

  /** The page may be closed now: what is still being written is left where it is written at once. */
  function leave() {
    try {
      for (const name of writing.keys()) storage?.setItem(prefix + name, JSON.stringify(get(name)));
    } catch {
      // Full, or forbidden: isSafe() has said so.
    }
  }

  /** It was not closed after all. */
  const comeBack = (event) => { if (event.persisted) takeLeft(storage, prefix); };

  channel?.addEventListener("message", elsewhere);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", comeBack);
  const found = await database.read().catch(() => []);
  for (const [name, value] of found) if (!writing.has(name)) put(name, value);
  for (const [name, value] of takeLeft(storage, prefix)) {
    put(name, value);
    write(name, value);
  }

  return {
    get, set,
    /** Everything whose name begins so, as [name, value]. */
    all: (beginning) => [...values].filter(([name]) => name.startsWith(beginning)),
    files: createKeptFiles(prefix),
    /** One place of its own, for something that only needs to keep a value. */
    slot: (name) => ({ get: () => get(name), set: (value) => set(name, value) }),
    /** Whether the tab could close now without losing a word. */
    isSafe: () => storage !== null || writing.size === 0,
    watch: (listener) => listeners.add(listener),
    end() {
      listeners.clear();
      leave();
      channel?.close();
      removeEventListener("pagehide", leave);
      removeEventListener("pageshow", comeBack);
    },
  };
}
