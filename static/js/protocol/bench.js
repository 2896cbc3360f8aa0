/*
 * The test bench without its page: who is signed in, the sockets and what
 * crossed them, and one room. Views read the signals and call the actions.
 */
import { watchCalls } from "../http.js";
import { computed, signal } from "../kit/html.js";
import { say } from "../kit/toast.js";
import { createSession } from "../session.js";
import { loadSettings } from "../settings.js";
import { logCalls } from "./calls.js";
import { createFaults } from "./faults.js";
import { OPEN_AT_FIRST, placeOf } from "./kinds.js";
import { createLog } from "./log.js";
import { createRoomActions } from "./roomactions.js";
import { NO_ROOM, after } from "./room.js";
import { createSockets } from "./sockets.js";

const CHAT = "chat";

/** @param {{server: string, fromDisk: boolean}} options */
export function createBench({ server, fromDisk }) {
  const settings = loadSettings({ way: "subprotocol", server, opened: OPEN_AT_FIRST }, fromDisk ? { server } : {});
  const me = signal((null));
  const states = signal(/** @type {Record<string, import("./sockets.js").State>} */ ({}));
  const room = signal(NO_ROOM);
  const chosen = signal(CHAT); // the socket for raw frames and faults
  const draft = signal('{"type":"ping"}'); // the raw frame that somebody writes
  const reason = signal(""); // why somebody has to sign in
  const restRefused = signal(false);
  /** @type {any} */
  let session = null;
  /** @type {any} */
  let sockets = null;

  const log = createLog({ secrets: () => [session?.access] });
  watchCalls(logCalls(log));

  function newSession() {
    session = createSession({ server: settings.server, ended: leave });
    return session;
  }

  /** Nothing of the last person stays, neither on the page nor on the wire. */
  function leave(words = "") {
    sockets?.end();
    sockets = null;
    me.value = null;
    states.value = {};
    room.value = NO_ROOM;
    log.clear();
    reason.value = words;
  }

  /** @param {any} user */
  function enter(user) {
    reason.value = "";
    me.value = user;
    sockets = createSockets({ session, way: () => settings.way, restRefused: () => restRefused.value, log, changed, received });
    for (const name of settings.opened) sockets.open(name);
    if (!restRefused.value) roomActions.list();
  }

  /**
   * @param {string} name
   * @param {import("./sockets.js").State} state
   */
  function changed(name, state) {
    states.value = { ...states.value, [name]: state };
    if (state.name === "closed" && state.code === 4401) leave("Please sign in again.");
  }

  /**
   * @param {string} name
   * @param {any} frame
   */
  function received(name, frame) {
    if (name === CHAT) room.value = after(room.value, frame);
    if (name === CHAT && frame.type === "auth" && frame.user?.id === me.value.id) me.value = frame.user;
    if (name === CHAT && frame.type === "hello") roomActions.again();
  }

  function remember() {
    settings.opened = Object.keys(states.value);
  }

  /** @param {string} name */
  function open(name) {
    sockets.open(name);
    remember();
  }

  /** @param {string} name */
  function close(name) {
    sockets.close(name);
    const { [name]: _closed, ...rest } = states.value;
    states.value = rest;
    remember();
    if (chosen.value === name) chosen.value = Object.keys(rest)[0] ?? CHAT;
  }

  const roomActions = createRoomActions({
    room, say,
    call: (...args) => session.call(...args),
    send: (frame) => Boolean(sockets?.send(CHAT, frame)),
    restRefused: () => restRefused.value,
  });

  const faults = createFaults({
    session: () => session,
    socket: () => sockets?.get(chosen.value),
    path: () => placeOf(chosen.value)?.path ?? "/ws/chat/",
    way: () => settings.way,
    log, say,
  });

  return {
    settings, log, faults, me, states, room, chosen, draft, reason, restRefused, open, close,
    rooms: roomActions,
    connection: computed(() => states.value[CHAT] ?? { name: "not open" }),
    call: (...args) => session.call(...args),

    /** @param {any} form */
    async signIn(form) {
      restRefused.value = false;
      enter(await newSession().signIn(form));
    },

    /** @param {any} form */
    async register(form) {
      restRefused.value = false;
      enter(await newSession().register(form));
    },

    /** @param {string} token */
    async useToken(token) {
      const answer = await newSession().useToken(token);
      restRefused.value = answer.restRefused;
      enter(answer.user);
      if (answer.restRefused) say("The server lets this page use only sockets. Join a room by its number.");
    },

    /** Goes on with the session of a cookie, if there is one. */
    async restore() {
      const user = await newSession().restore().catch(() => null);
      if (user) enter(user);
      return user;
    },

    async signOut() {
      sockets?.end();
      await session.signOut();
      leave();
    },

    /** @param {string} way */
    signInWith(way) {
      settings.way = way;
      sockets?.reopen();
    },

    /**
     * Sends text as a frame, on the chosen socket.
     * @param {string} text
     */
    sendRaw(text) {
      const isSent = Boolean(sockets?.send(chosen.value, text));
      if (!isSent) say(`The socket "${chosen.value}" is not connected, or told to be silent.`);
      return isSent;
    },

    wake: () => sockets?.wake(),
  };
}
