/*
 * Everything that belongs to one signed-in person: what is known, the sockets,
 * what they have written. It is made when they come in and ended when they
 * leave, so that nothing of one person is left for the next.
 */
import { createApi } from "../api.js";
import { createChat } from "../chat.js";
import { uploader } from "../chat/upload.js";
import { opening } from "../credentials.js";
import { createContext, html, signal, useContext } from "../kit/html.js";
import { say } from "../kit/toast.js";
import { createNotifications } from "../notifications.js";
import { createSocket } from "../socket.js";
import { createStore } from "../store.js";
import { roomTitle } from "../chat/roomfacts.js";
import { alertOf, alertOfNotification, alertTo } from "./alerts.js";
import { topicSignals, watched } from "./changes.js";
import { createDirectory } from "./directory.js";
import { go, place } from "./place.js";

const TOO_LARGE = 1009;
const OLD_MS = 60_000;
const A_DAY_MS = 86_400_000;

const Scope = createContext(null);
export const ScopeProvider = Scope.Provider;
/** What belongs to the signed-in person: see createScope. */
export const useScope = () => useContext(Scope);

/**
 * `session` as in session.js, `kept` as in kept.js, `frameKib()` the most a frame may hold, `ended(reason)` when the server no longer
 * accepts this person.
 */
export function createScope({ session, user, kept, frameKib, ended }) {
  const { call } = session;
  const api = { ...createApi(call, { withDefault: true }), postFiles: uploader(session) };
  const store = createStore({ dropped: (message) => chat.forget(message) });
  const sockets = new Set();
  const engines = new Map();
  const ends = [];
  store.reset(user);
  const me = () => store.me ?? user;

  /** A socket that comes back: `on` -> {frame(object), state(state)?}. */
  function openSocket(path, { frame, state = () => {} }) {
    const socket = createSocket({
      describe: async ({ since }) =>
        opening({ server: session.server, path, way: "subprotocol", token: await session.freshToken(), since }),
      renew: () => session.renew(),
      on: { frame, state, raw: () => {}, event: () => {} },
    });
    sockets.add(socket);
    return socket;
  }

  /** What was said while nobody was here makes no noise now. */
  const isReplaying = ({ data }) => Date.now() - Date.parse(data.timestamp) > OLD_MS;

  function tell(message) {
    const { directory } = scope;
    const nameOf = (person) => directory.name(person);
    const alert = alertOf(message, {
      room: store.rooms.get(message.room_id), isOwn: store.isOwnDeed(message), id: me().id, username: me().username,
      nameOf, titleOf: (room) => roomTitle(room, me(), nameOf),
    });
    if (alert && !scope.isLeftAlone()) alertTo({ ...alert, tag: `room-${message.room_id}`, open: () => go(`#room-${message.room_id}`) });
  }

  function statusChanged({ user_id: id, ...status }) {
    if (id === me().id) scope.becomeMe(status);
    scope.directory.amend(id, status);
    const left = Date.parse(status.status_until ?? "") - Date.now();
    if (left > 0 && left < A_DAY_MS) setTimeout(() => scope.directory.amend(id, {}), left + 100); // its time is over
  }

  function openNamed() {
    const { view, id } = place.value;
    if (view === "chat" && id && store.openRoomId !== id) chat.openRoom(id);
  }

  const socket = openSocket("/ws/chat/", {
    frame(frame) {
      chat.receive(frame);
      if (frame.type === "status") statusChanged(frame.data);
      if (frame.type === "presence") scope.directory.meet(frame.data.user_id);
      if (frame.type === "chat_message" && !isReplaying(frame)) tell(frame.data);
    },
    state(state) {
      store.setConnection(state);
      if (state.name === "waiting" && state.code === TOO_LARGE) chat.tooLarge();
      if (state.name === "closed" && state.code === 4401) ended("Please sign in again.");
      /* Rooms and history can be read while the socket cannot be had. */
      if (state.name === "waiting" && !store.roomsLoaded) chat.loadRooms();
    },
  });

  const scope = {
    /** Gives the scope to what stands outside the views, such as a dialog's content. */
    Provide: ({ children }) => html`<${Scope.Provider} value=${scope}>${children}</>`,
    session, call, api, kept, store, socket, me, say, openSocket,
    /** Whether the newest message of the open room is before one's eyes; the conversation says. */
    isAtEnd: () => false,
    /** Whether one wants to be left alone now; quiet hours and focus say so, once they are known. */
    isLeftAlone: () => false,
    /** Takes dropped files where they fell, if something there does: (files, target) -> boolean. */
    fileTakers: new Set(),
    /** Whatever keeps words saves them now: the page is about to go. */
    savers: new Set(),
    /** What stands at the foot of the rail, such as a running focus session. */
    pill: signal(null),
    directory: createDirectory({ call, me }),
    changes: topicSignals(store, ["me", "connection", "thread", "open", "typing", "pins"], ["rooms"]),

    /** Renders the component again when one of these topics changes. */
    follow(...topics) {
      for (const topic of topics) scope.changes[topic].value;
    },

    /** An engine of a feature, made when it is first needed: `make()` returns it, with an `end()` if it needs one. */
    engine(name, make) {
      if (!engines.has(name)) engines.set(name, make());
      return engines.get(name);
    },

    /** Runs when the person leaves. */
    onEnd: (work) => ends.push(work),

    becomeMe(person) {
      store.me = { ...store.me, ...person };
      store.changed("me");
    },

    /** Words that another tab, or the end of the page, would lose. */
    isSafe: () => kept.isSafe() && kept.files.isSafe(),

    wake() {
      for (const one of sockets) one.wake();
    },

    /** Returns a promise that the rooms are here, or cannot be had. */
    start() {
      const listed = chat.start().then(openNamed); // its messages are asked for before the list is drawn
      socket.connect();
      chat.restore();
      notifications.start();
      scope.directory.load();
      return listed;
    },

    end() {
      for (const one of sockets) one.end();
      for (const engine of engines.values()) engine.end?.();
      for (const work of ends) work();
      store.unwatch();
      kept.end();
      store.reset(null);
    },
  };

  const chat = createChat({
    store, socket, say, frameKib,
    api: () => api,
    kept: () => kept,
    restRefused: () => false,
    isWatching: () => document.visibilityState === "visible" && document.hasFocus() && scope.isAtEnd(),
    show: (roomId) => go(`#room-${roomId}`),
  });
  const notifications = liveNotifications(scope);
  return Object.assign(scope, { chat, notifications });
}

/** One's notifications and the socket that keeps them fresh; whoever else needs its frames adds itself to `listeners`. */
function liveNotifications({ call, openSocket, say: tell }) {
  const notifications = createNotifications({ call, say: tell });
  const listeners = new Set([notifications.receive]);
  let isNew = true;

  /* The server holds back what is not to disturb: what comes is to be told, unless it is said again after a break. */
  function alertBeside(message) {
    const alert = message.type === "notification" && Date.now() - Date.parse(message.created_at) < OLD_MS ? alertOfNotification(message) : null;
    if (alert) alertTo({ ...alert, open: () => go("#bell") });
  }

  function frame(message) {
    if ((message.type === "hello" && isNew) || message.type === "resync") {
      isNew = false;
      notifications.load();
    }
    alertBeside(message);
    for (const listener of listeners) listener(message);
  }

  return {
    ...notifications, listeners,
    changes: watched(notifications),
    start: () => openSocket("/ws/notifications", { frame }).connect(),
  };
}
