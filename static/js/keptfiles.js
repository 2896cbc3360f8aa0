/* Files that wait to be sent, kept in the browser's database: other storage takes text only. */

const DATABASE = "taskroom";
const STORE = "files";

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

/** Each answer is a promise that is always kept: a browser that stores nothing has no files, and takes none. */
export function createKeptFiles(prefix) {
  let database = null;
  let writing = 0;
  const refused = new Map(); // name -> files that the browser did not take: they last as long as the page

  async function run(mode, work) {
    database ??= opened();
    const store = (await database).transaction(STORE, mode).objectStore(STORE);
    const request = work(store);
    return new Promise((done, failed) => {
      store.transaction.oncomplete = () => done(request.result);
      store.transaction.onabort = store.transaction.onerror = () => failed(request.error);
    });
  }

  async function put(name, files) {
    writing += 1;
    await run("readwrite", (store) => store.put(files, prefix + name)).then(() => refused.delete(name), () => refused.set(name, files));
    writing -= 1;
  }

  async function drop(name) {
    refused.delete(name);
    await run("readwrite", (store) => store.delete(prefix + name)).catch(() => null);
  }

  async function get(name) {
    if (refused.has(name)) return refused.get(name);
    return run("readonly", (store) => store.get(prefix + name)).then((files) => files ?? [], () => []);
  }

  return {
    get, drop,
    put: (name, files) => (files.length ? put(name, [...files]) : drop(name)),
    isSafe: () => writing === 0 && refused.size === 0,
  };
}
