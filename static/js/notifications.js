/*
 * One's notifications as this page knows them: the newest ones, how many are
 * unread, and what was read or deleted here or on another device. Looking at
 * the list marks nothing read; only the person does.
 */

const PAGE = 30;
const MAX_TRIES = 5;
const PATH = "/api/notifications/";

/** `call` as in session.js; `say(text)` shows a short message. */
export function createNotifications({ call, say }) {
  const items = new Map(); // id -> notification
  const listeners = new Set();
  const state = { unread: 0, status: "loading", hasMore: false };
  let arrivals = 0;

  const changed = () => { for (const listener of listeners) listener(); };
  const fetchPage = (page) => call("GET", PATH, { query: { page, page_size: PAGE, mark_read: false } });
  const sorted = () => [...items.values()].sort((a, b) => b.id - a.id);

  /** An answer that something overtook on its way is asked for again. */
  async function load() {
    try {
      let page;
      let unread;
      let before;
      let tries = 0;
      do {
        before = arrivals;
        tries += 1;
        [page, unread] = await Promise.all([fetchPage(1), call("GET", `${PATH}unread-count/`)]);
      } while (before !== arrivals && tries < MAX_TRIES);
      items.clear();
      for (const item of page.results) items.set(item.id, item);
      Object.assign(state, { unread: unread.count, status: "ready", hasMore: Boolean(page.next) });
    } catch (error) {
      state.status = "failed";
      say(error.message);
    }
    changed();
  }

  async function older() {
    try {
      const page = await fetchPage(Math.floor(items.size / PAGE) + 1);
      for (const item of page.results) if (!items.has(item.id)) items.set(item.id, item);
      state.hasMore = Boolean(page.next);
    } catch (error) {
      say(error.message);
    }
    changed();
  }

  // What the socket tells

  /** One that is known already has nothing new to say: what is read stays read. */
  function take(item) {
    if (!item || items.has(item.id)) return;
    items.set(item.id, item);
    if (!item.is_read) state.unread += 1;
  }

  function settle({ ids = [], upto = null, deleted = false, unread_count: unread = null }) {
    const named = new Set(ids);
    for (const item of [...items.values()]) {
      if (!named.has(item.id) && !(upto !== null && item.id <= upto)) continue;
      if (!item.is_read) state.unread = Math.max(0, state.unread - 1);
      if (deleted) items.delete(item.id);
      else items.set(item.id, { ...item, is_read: true });
    }
    if (unread !== null) state.unread = unread;
  }

  function digest({ count, notifications }) {
    for (const item of notifications) take(item.data ?? item);
    say(count === 1 ? "A notification came while you focused." : `${count} notifications came while you focused.`);
  }

  const handlers = {
    notification: (frame) => take(frame.data),
    notification_digest: (frame) => digest(frame.data ?? frame),
    notifications_read: (frame) => settle(frame.data),
  };

  function receive(frame) {
    if (!handlers[frame?.type]) return;
    arrivals += 1;
    handlers[frame.type](frame);
    changed();
  }

  // What the person does

  async function act(work, done) {
    try {
      await work();
      done();
      changed();
    } catch (error) {
      say(error.message);
    }
  }

  const newest = () => Math.max(0, ...items.keys());

  return {
    state, sorted, load, older, receive,
    watch: (listener) => listeners.add(listener),
    read: (id) => act(() => call("POST", `${PATH}${id}/read/`, { json: {} }), () => settle({ ids: [id] })),
    remove: (id) => act(() => call("DELETE", `${PATH}${id}/`), () => settle({ ids: [id], deleted: true })),
    readAll() {
      const upto = newest();
      return act(() => call("POST", `${PATH}mark-all-read/`, { json: {} }), () => settle({ upto }));
    },
    clear() {
      const upto = newest();
      return act(() => call("DELETE", `${PATH}clear-all/`), () => {
        settle({ upto, deleted: true });
        state.hasMore = false;
      });
    },
  };
}
