/*
 * A room around a message that lies far back: its own stretch of messages, shown in the place of the newest ones,
 * which stay as they are. It grows at both ends as one reads.
 */

/** `store.past` holds one stretch a room: {id, items, hasMore, hasNewer, status, firstUnread}; `id` is the message that was looked for. */
export function createPast({ store, api, say }) {
  const byId = (a, b) => a.id - b.id;
  const isHere = (past) => store.past.get(store.openRoomId) === past;

  function grow(past, found, facts) {
    const known = new Map([...past.items, ...found].map((message) => [message.id, message]));
    Object.assign(past, { items: [...known.values()].sort(byId), status: "ready", ...facts });
    store.changed("thread");
  }

  async function load(past, status, ask) {
    past.status = status;
    store.changed("thread");
    try {
      await ask();
    } catch (error) {
      past.status = "ready";
      store.changed("thread");
      say(error.message);
    }
  }

  return {
    /** Shows the room around a message. */
    async open(roomId, id) {
      if (store.past.get(roomId)?.id === id) return;
      const [older, newer] = await Promise.all([api().messages(roomId, { before: id + 1 }), api().messages(roomId, { after: id })]).catch((error) => {
        say(error.message);
        return [];
      });
      if (!older || store.openRoomId !== roomId) return;
      const past = { id, items: [], hasMore: older.has_more, hasNewer: newer.has_more, status: "ready", firstUnread: null };
      store.past.set(roomId, past);
      grow(past, [...older.results, ...newer.results], {});
    },

    older() {
      const past = store.past.get(store.openRoomId);
      if (!past?.hasMore || past.status !== "ready") return null;
      return load(past, "older", async () => {
        const page = await api().messages(store.openRoomId, { before: past.items[0].id });
        if (isHere(past)) grow(past, page.results, { hasMore: page.has_more });
      });
    },

    newer() {
      const past = store.past.get(store.openRoomId);
      if (!past?.hasNewer || past.status !== "ready") return null;
      return load(past, "newer", async () => {
        const page = await api().messages(store.openRoomId, { after: past.items.at(-1).id });
        if (isHere(past)) grow(past, page.results, { hasNewer: page.has_more });
      });
    },

    /** Back to the newest messages. */
    close(roomId) {
      if (store.past.delete(roomId)) store.changed("thread");
    },
  };
}
