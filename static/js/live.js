/*
 * Notifications, workspaces, focus sessions and events: what each knows, the
 * sockets that keep it fresh, and the panels that show it.
 */
import { opening } from "./credentials.js";
import { createFocus } from "./focus.js";
import { createNotifications } from "./notifications.js";
import { createSocket } from "./socket.js";
import { createBell, createBellButton } from "./views/bell.js";
import { createFocusPanel } from "./views/focus.js";
import { iconButton } from "./views/parts.js";
import { createSender } from "./views/sender.js";
import { createWorkspaceList, createWorkspaces } from "./views/workspaces.js";

const NOTIFICATIONS_PATH = "/ws/notifications";
const LOOK_AGAIN_MS = 10_000;

/** `me()` is the person. `panels` are for the shell, `mount(shell)` puts their buttons into its top bar, `end()` closes the sockets. */
export function createLive({ session, api, kept, me, say }) {
  const { call } = session;
  const sockets = new Set();
  let shell = null;
  let before = "rooms"; // what one goes back to

  function connect(path, { frame, state = () => {} }) {
    const socket = createSocket({
      describe: async ({ since }) =>
        opening({ server: session.server, path, way: "subprotocol", token: await session.freshToken(), since }),
      renew: () => session.renew(),
      on: { frame, state, raw: () => {}, event: () => {} },
    });
    sockets.add(socket);
    socket.connect();
    return socket;
  }

  const notifications = createNotifications({ call, say });
  const workspaces = createWorkspaceList({ call, me, say });
  const focus = createFocus({ call, connect, me, say });
  const close = () => shell.go(before);

  const panels = [
    { id: "bell", label: "Bell", icon: "bell", element: createBell({ notifications, close }) },
    { id: "workspaces", label: "Spaces", icon: "spaces", element: createWorkspaces({ workspaces, api, kept, me, say, close }) },
    { id: "focus", label: "Focus", icon: "timer", element: createFocusPanel({ focus, workspaces, kept, me, close }) },
    { id: "sender", label: "Events", icon: "horn", element: createSender({ call, close }) },
  ];
  const looks = { workspaces: workspaces.load, focus: focus.load };
  let isNew = true;

  function everything() {
    notifications.load();
    workspaces.load();
    focus.load();
  }

  function receive(frame) {
    if ((frame.type === "hello" && isNew) || frame.type === "resync") {
      isNew = false;
      everything();
    }
    notifications.receive(frame);
    workspaces.receive(frame);
  }

  function mount(made) {
    shell = made;
    const { element } = made;
    const shown = () => element.dataset.panel;
    const toggle = (id) => (shown() === id ? close() : made.go(id));
    const buttons = panels.slice(1).map(({ id, icon, element: panel }) =>
      [id, iconButton(icon, panel.getAttribute("aria-label"), () => toggle(id), { class: "icon-button live-button", testid: `open-${id}`, "aria-pressed": "false" })]);
    buttons.push(["bell", createBellButton({ notifications, click: () => toggle("bell") })]);
    element.querySelector(".topbar-end").prepend(...buttons.map(([, button]) => button));

    new MutationObserver(() => {
      const id = shown();
      if (!panels.some((panel) => panel.id === id)) before = id;
      for (const [name, button] of buttons) button.setAttribute("aria-pressed", String(name === id));
      looks[id]?.();
    }).observe(element, { attributes: true, attributeFilter: ["data-panel"] });

    /* No socket tells of sessions that one is not in. */
    const looking = setInterval(() => {
      if (!element.isConnected) clearInterval(looking);
      else if (shown() === "focus" && document.visibilityState === "visible") focus.load({ isQuiet: true });
    }, LOOK_AGAIN_MS);
    connect(NOTIFICATIONS_PATH, { frame: receive });
    addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
  }

  function wake() {
    if (document.visibilityState === "visible") for (const socket of sockets) socket.wake();
  }

  function end() {
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", wake);
    focus.end();
    for (const socket of sockets) socket.end();
  }

  return { panels, mount, end };
}
