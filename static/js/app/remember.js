/* Shows again what was shown in the last visit, and keeps what is shown now for the next (seen.js). */
import { paced } from "./changes.js";

const PACE_MS = 2_000;
const MAX_MESSAGES = 50;
const MAX_THREADS = 30;
const THREAD = "thread-";

/** What was read of the last visit as the store takes it. @param {Map<string, any>} found */
export function recalled(found) {
  const threads = [...found].filter(([name]) => name.startsWith(THREAD));
  return { rooms: found.get("rooms") ?? [], threads: threads.map(([name, value]) => [Number(name.slice(THREAD.length)), value]) };
}

/** Names of the threads that are one too many, the least active first. */
export function tooMany(threads, most = MAX_THREADS) {
  const newest = (items) => items.at(-1)?.id ?? 0;
  return [...threads].sort(([, a], [, b]) => newest(b) - newest(a)).slice(most).map(([id]) => THREAD + id);
}

/** @param {any} scope as in scope.js @param {any} seen as in seen.js. Returns what ends it. */
export function remember({ store, directory, savers }, seen, found) {
  const { rooms, threads } = recalled(found);
  const dirty = new Set();
  let isOver = false;
  store.recall({ rooms, threads });
  directory.learn(found.get("people") ?? []);
  seen.drop(tooMany(threads));

  function save() {
    if (isOver || !store.roomsLoaded) return;
    const entries = new Map([["rooms", [...store.rooms.values()]], ["people", directory.all()]]);
    for (const id of dirty) {
      const thread = store.threads.get(id);
      if (thread?.status === "ready") entries.set(THREAD + id, thread.items.slice(-MAX_MESSAGES));
    }
    dirty.clear();
    seen.write(entries);
  }

  const soon = paced(save, PACE_MS);
  store.on(["thread"], () => { if (store.openRoomId) dirty.add(store.openRoomId); });
  store.on(["rooms", "thread"], soon);
  savers.add(save); // what came in the last moments before the page is closed or reloaded
  return () => { isOver = true; };
}
