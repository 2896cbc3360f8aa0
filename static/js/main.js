/*
 * Wires the page: settings, session, socket and chat, and either the door or
 * the workspace before them. boot.js calls start() once.
 */
import { createApi } from "./api.js";
import { createChat } from "./chat.js";
import { opening } from "./credentials.js";
import { createConfig } from "./config.js";
import { createFaults } from "./faults.js";
import { createFrameLog } from "./frames.js";
import { request } from "./http.js";
import { createKept } from "./kept.js";
import { createLive } from "./live.js";
import { createSession } from "./session.js";
import { loadSettings } from "./settings.js";
import { createSocket } from "./socket.js";
import { createStore } from "./store.js";
import { createTasks } from "./tasks.js";
import { closeDialogs, dialogsHoldWords } from "./views/dialogs.js";
import { catchDrops } from "./views/drop.js";
import { createLink, tokenInAddress } from "./views/link.js";
import { mountProfile } from "./views/profile.js";
import { mountProviders } from "./views/providers.js";
import { createReset, resetInAddress } from "./views/reset.js";
import { mountService } from "./views/service.js";
import { createSignIn } from "./views/signin.js";
import { createToasts } from "./views/toasts.js";
import { createWorkspace } from "./workspace.js";

const CHAT_PATH = "/ws/chat/";
const TASKS_PATH = "/ws/tasks/";
const TOO_LARGE = 1009;

export async function start(root, { server, fromDisk }) {
  const settings = loadSettings({ way: "subprotocol", server }, fromDisk ? { server } : {});
  const say = createToasts(document.getElementById("toasts"));
  const store = createStore({ dropped: (message) => chat.forget(message) });
  const config = createConfig();
  let session = null;
  let api = null;
  let workspace = null;
  let tasks = null;
  let live = null;
  let kept = null; // what the person has written and not sent
  let restRefused = false;

  const log = createFrameLog({ secrets: () => [session?.access] });
  const socket = createSocket({
    async describe({ since }) {
      const token = await session.freshToken();
      const plan = opening({ server: session.server, path: CHAT_PATH, way: settings.way, token, since });
      /* Without REST, only the answer to `auth` tells the person's name. */
      if (restRefused) plan.first ??= { type: "auth", token };
      return plan;
    },
    renew: () => session.renew(),
    on: {
      frame: (frame) => chat.receive(frame),
      raw: (direction, text) => log.frame(direction, text),
      event: (type, details) => log.event(type, details),
      state: connectionChanged,
    },
  });
  const chat = createChat({
    store, socket, say,
    api: () => api,
    kept: () => kept,
    frameKib: () => config.of(settings.server).frameKib,
    restRefused: () => restRefused,
    isWatching: () => document.visibilityState === "visible" && document.hasFocus() && Boolean(workspace?.isAtEnd()),
    show: (roomId) => workspace.goToRoom(roomId),
  });
  const faults = createFaults({ socket, session: () => session, way: () => settings.way, log, say });

  function connectionChanged(state) {
    store.setConnection(state);
    if (state.name === "waiting" && state.code === TOO_LARGE) chat.tooLarge();
    if (state.name === "closed" && state.code === 4401) showDoor({ reason: "Please sign in again." });
    /* Rooms and history can be read while the socket cannot be had. */
    if (state.name === "waiting" && !store.roomsLoaded) chat.loadRooms();
  }

  function newSession() {
    session = createSession({ server: settings.server, ended: (reason) => showDoor({ reason }) });
    api = createApi(session.call);
    return session;
  }

  function newTasks(me) {
    const current = session;
    return createTasks({
      call: current.call, all: api.all, kept, me, say,
      openSocket: (on) => createSocket({
        async describe({ since }) {
          const token = await current.freshToken();
          return opening({ server: current.server, path: TASKS_PATH, way: settings.way, token, since });
        },
        renew: () => current.renew(),
        on: {
          ...on,
          raw: (direction, text) => log.frame(direction, text, "tasks"),
          event: (type, details) => log.event(type, details, "tasks"),
        },
      }),
    });
  }

  /** Nothing of the last person stays, neither on the page nor on the wire; what they have written waits for them. */
  function leave() {
    closeDialogs();
    kept?.end();
    kept = null;
    socket.end();
    tasks?.end();
    tasks = null;
    live?.end();
    store.unwatch();
    store.reset(null);
    log.unwatch();
    log.clear();
    workspace = null;
    document.title = "Taskroom";
  }

  function showDoor({ reason, news } = {}) {
    leave();
    const enter = (act) => async (input) => {
      restRefused = false;
      goIn(await act(newSession(), input));
    };
    const { registration, providers } = config.of(settings.server);
    root.replaceChildren(createSignIn({
      settings, reason, news, registration,
      actions: {
        signIn: enter((current, form) => current.signIn(form)),
        register: enter((current, form) => current.register(form)),
        useToken: enter(async (current, token) => {
          const answer = await current.useToken(token);
          restRefused = answer.restRefused;
          return answer.user;
        }),
      },
    }));
    mountProviders(root, settings.server, providers);
  }

  /**
   * The link is for the server that served this page, and stays in the address
   * until it is used, so that a reload does not lose it.
   */
  function showReset(link) {
    leave();
    settings.server = server;
    root.replaceChildren(createReset({
      actions: {
        async confirm(password) {
          const json = { ...link, new_password: password };
          await request(server, "POST", "/api/password-reset/confirm/", { json });
          clearAddress();
          showDoor({ news: "Your password has been changed. Sign in with the new one." });
        },
        giveUp: startAfresh,
      },
    }));
  }

  function showLink({ token, provider }) {
    leave();
    settings.server = server;
    root.replaceChildren(createLink({
      provider,
      actions: {
        async confirm(password) {
          const { next } = await request(server, "POST", "/api/v2/auth/social/link/", { json: { token, password } });
          location.replace(next);
        },
        giveUp: startAfresh,
      },
    }));
  }

  /** A mailed link: an address is somebody's own if they can read what is sent there. */
  async function verify({ token }) {
    const asked = request(server, "POST", "/api/users/profile/email/confirm/", { json: { token } });
    say(await asked.then(() => "Your address has been verified.", (error) => error.message));
    if (workspace) clearAddress();
    else await startAfresh();
  }

  function startAfresh() {
    clearAddress();
    return enterByCookie();
  }

  const clearAddress = () => history.replaceState(null, "", location.pathname + location.search);

  async function signOut() {
    socket.end();
    tasks?.end();
    await session.signOut();
    clearAddress();
    showDoor();
  }

  function goIn(user) {
    store.reset(user);
    kept = createKept(`${session.server} ${user.id}`);
    const me = () => store.me ?? user; // a last rendering may come when they have just left
    tasks = restRefused ? null : newTasks(me);
    live = restRefused ? null : createLive({ session, api, kept, me, say });
    workspace = createWorkspace({
      store, chat, tasks, live, api, kept, socket, log, faults, settings, say, restRefused, signOut,
    });
    root.replaceChildren(workspace.element);
    mountService(root, { server: settings.server });
    if (!restRefused) mountProfile(root, { call: session.call, kept, say, changed: becomeMe });
    if (restRefused) say("The server lets this page use only the socket. Join a room by its number.");
    socket.connect();
    chat.restore();
    workspace.followAddress();
  }

  function becomeMe(user) {
    store.me = user;
    store.changed("me");
  }

  async function enterByCookie() {
    const [user] = await Promise.all([newSession().restore().catch(() => null), config.load(settings.server)]);
    if (user) goIn(user);
    else showDoor();
  }

  function followAddress() {
    const reset = resetInAddress();
    const { link, verify: toVerify } = tokenInAddress();
    if (reset) showReset(reset);
    else if (link) showLink(link);
    else if (toVerify) verify(toVerify);
    else workspace?.followAddress();
  }

  addEventListener("pagehide", () => workspace?.save());
  addEventListener("beforeunload", (event) => {
    const isSafe = (!kept || (kept.isSafe() && kept.files.isSafe())) && !dialogsHoldWords();
    if (!isSafe) event.preventDefault(); // the browser asks
  });
  catchDrops([(files, target) => workspace?.takeFiles(files, target)], () =>
    say(workspace ? "Nothing here takes files. Drop them on a conversation, or on a task that is open." : "Sign in before you send files."));
  addEventListener("hashchange", followAddress);
  addEventListener("focus", () => chat.markRead());
  addEventListener("online", () => {
    socket.wake();
    tasks?.wake();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    socket.wake();
    tasks?.wake();
    chat.markRead();
  });

  if (fromDisk) showDoor();
  else if (resetInAddress() || Object.keys(tokenInAddress()).length) followAddress();
  else await enterByCookie();
}
