/*
 * What the server has shown to somebody: rooms, the newest messages of those that they opened, people. It stays in
 * the browser's database under the person's number, is shown again at once after a reload, also while the server
 * is away, and goes when they sign out.
 */
const DATABASE = "taskroom.seen";
const STORE = "seen";

/** @type {Promise<IDBDatabase> | null} */
let database = null;

function opened() {
  database ??= new Promise((done, failed) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  return database;
}

/** `work(store)` in one transaction; its request's result, or null where the browser stores nothing. */
async function run(mode, work) {
  try {
    const store = (await opened()).transaction(STORE, mode, { durability: "relaxed" }).objectStore(STORE);
    const request = work(store);
    if (mode === "readwrite") store.transaction.commit(); // at once: the page may be on its way out
    return await new Promise((done, failed) => {
      store.transaction.oncomplete = () => done(request?.result ?? null);
      store.transaction.onabort = store.transaction.onerror = () => failed(store.transaction.error);
    });
  } catch {
    return null;
  }
}

const lastKey = (server) => `${server} last`;
const within = (prefix) => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

/** Who used this browser last: to be believed only while the server cannot say. */
export const lastPerson = (server) => run("readonly", (store) => store.get(lastKey(server)));

/** Nobody is signed in any more: nothing of what was shown stays. */
export const forgetSeen = (server) => run("readwrite", (store) => store.delete(within(`${server} `)));

/** What was shown to this person, by name. */
export function openSeen(server, user) {
  const prefix = `${server} ${user.id} `;
  return {
    async read() {
      const found = new Map();
      await run("readonly", (store) => {
        const request = store.openCursor(within(prefix));
        request.onsuccess = () => {
          if (!request.result) return;
          found.set(String(request.result.key).slice(prefix.length), request.result.value);
          request.result.continue();
        };
      });
      return found;
    },
    /** @param {Map<string, any>} entries */
    write: (entries) => run("readwrite", (store) => {
      store.put(user, lastKey(server));
      for (const [name, value] of entries) store.put(value, prefix + name);
    }),
    drop: (names) => run("readwrite", (store) => { for (const name of names) store.delete(prefix + name); }),
  };
}
