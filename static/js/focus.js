/*
 * Focus sessions as this page knows them: those one may join, and the one it
 * takes part in over its own socket. The clock is the server's: a phase ends
 * at `ends_at`, and what the server says of its own time tells how far this
 * machine's clock is off.
 */

const PATH = "/api/v1/focus-sessions/";

/**
 * `connect(path, {frame, state})` opens a socket that comes back, as in
 * socket.js; `me()` is the person, `say(text)` shows a short message.
 */
export function createFocus({ call, connect, me, say }) {
  const listeners = new Set();
  const state = { sessions: [], session: null, isLive: false, status: "loading" };
  let socket = null;
  let followed = null;
  let offset = null;

  const changed = () => { for (const listener of listeners) listener(); };
  const isPresent = (session) => session.participants.some(({ id }) => id === me().id);

  function merge(session) {
    if (state.session && state.session.version > session.version) return;
    state.session = session;
    state.sessions = [session, ...state.sessions.filter(({ id }) => id !== session.id)].sort((a, b) => b.id - a.id);
  }

  /** A word on its way makes the server's clock look late, never early: the largest difference is the best. */
  function learnTime(text, isFresh) {
    const difference = Date.parse(text) - Date.now();
    if (Number.isFinite(difference)) offset = isFresh || offset === null ? difference : Math.max(offset, difference);
  }

  /** What is stored has a `seq`, and the first state has no sender: anything else is what people send each other. */
  function receive({ type, seq, sender_id: sender, data }) {
    if (type !== "focus_session_update" || (seq === undefined && sender !== null)) return;
    if (data?.id !== followed) return;
    if (data.event === "deleted") return drop("The focus session was deleted.");
    learnTime(data.server_time, data.event === "state");
    merge(data);
    changed();
  }

  function connectionChanged({ name, code }) {
    state.isLive = name === "connected";
    if (name === "closed" && followed !== null) drop(code === 4403 ? "" : "The focus session is not open to you.");
    else changed();
  }

  function drop(words) {
    const ended = followed;
    followed = null;
    socket?.end();
    socket = null;
    state.session = null;
    state.sessions = state.sessions.filter(({ id }) => id !== ended);
    if (words) say(words);
    changed();
    load();
  }

  /** Whoever connects takes part. */
  function follow(id) {
    if (followed === id) return;
    followed = id;
    socket?.end();
    state.session = null;
    offset = null;
    socket = connect(`/ws/focus-session/${id}`, { frame: receive, state: connectionChanged });
  }

  async function load({ isQuiet = false } = {}) {
    try {
      const { results } = await call("GET", PATH, { query: { page_size: 100 } });
      state.sessions = results;
      state.status = "ready";
      const mine = results.find((session) => session.status !== "finished" && isPresent(session));
      if (mine && followed === null) follow(mine.id); // begun on another device, or before a reload
    } catch (error) {
      state.status = "failed";
      if (!isQuiet) say(error.message);
    }
    changed();
  }

  async function act(name) {
    try {
      merge(await call("POST", `${PATH}${followed}/${name}/`, { json: {} }));
      changed();
    } catch (error) {
      say(error.message);
    }
  }

  async function leave() {
    const id = followed;
    if (id === null) return;
    followed = null;
    socket?.end();
    socket = null;
    const isOver = state.session?.status === "finished";
    state.session = null;
    changed();
    if (!isOver) await call("POST", `${PATH}${id}/leave/`, { json: {} }).catch((error) => say(error.message));
    await load();
  }

  function remaining(session = state.session) {
    if (session?.status === "running") return Math.max(0, Date.parse(session.ends_at) - Date.now() - (offset ?? 0));
    if (session?.status === "paused") return session.remaining_seconds * 1000;
    return session?.status === "waiting" ? session.focus_minutes * 60_000 : 0;
  }

  return {
    state, load, leave, act, remaining,
    join: follow,
    watch: (listener) => listeners.add(listener),
    isHost: () => state.session?.host === me().id,
    open: () => state.sessions.filter(({ id, status }) => status !== "finished" && id !== followed),
    async create(json) {
      const session = await call("POST", PATH, { json });
      if (followed !== null) await leave();
      follow(session.id);
    },
    end() {
      followed = null;
      socket?.end();
    },
  };
}
