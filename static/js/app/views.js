/*
 * The views, in the order of the rail. Each is a folder whose index.js exports
 * `View`, a component; all but the chat are fetched when they are first needed.
 */
import { html, signal } from "../kit/html.js";
import { Button, Empty } from "../kit/controls.js";

/** `testid` is the name in the rail, `tab` that of the phone's tab (none: it is in the person's menu there). */
export const VIEWS = [
  { id: "chat", label: "Chat", icon: "chat", address: "#rooms", testid: "tab-chat", tab: "tab-chat" },
  { id: "tasks", label: "Tasks", icon: "task", address: "#tasks", testid: "tab-tasks", tab: "tab-tasks", load: () => import("../tasks/index.js") },
  { id: "focus", label: "Focus", icon: "timer", address: "#focus", testid: "open-focus", tab: "tab-focus", load: () => import("../focus/index.js") },
  { id: "people", label: "People", icon: "people", address: "#people", testid: "open-people", load: () => import("../people/index.js") },
  { id: "workspaces", label: "Spaces", icon: "spaces", address: "#workspaces", testid: "open-workspaces", load: () => import("../workspaces/index.js") },
  { id: "inbox", label: "Inbox", icon: "bell", address: "#inbox", testid: "bell", tab: "bell", load: () => import("../inbox/index.js") },
];

const loaded = signal(new Map()); // view -> its component, or the error
const asked = new Set();

/** A view that is there from the start. */
export function provideView(id, component) {
  asked.add(id);
  loaded.value = new Map(loaded.value).set(id, component);
}

async function fetchView({ id, load }) {
  asked.add(id);
  const found = await load().then((module) => module.View, (error) => error);
  if (found instanceof Error) asked.delete(id);
  loaded.value = new Map(loaded.value).set(id, found);
}

/** The view that an address names; the chat where it names none. */
export const viewOf = (id) => VIEWS.find((view) => view.id === id) ?? VIEWS[0];

/** The view's component, once it is here. */
export function Shown({ view }) {
  const found = loaded.value.get(view.id);
  if (!asked.has(view.id) && !(found instanceof Error)) fetchView(view);
  if (found instanceof Error) {
    return html`<${Empty} icon=${view.icon}><p>${`${view.label} could not be loaded. The server may be away, or newer than this page.`}</p>
      <${Button} onClick=${() => location.reload()}>Reload</></>`;
  }
  return found ? html`<${found} />` : html`<p class="empty" role="status">${`Opening ${view.label}…`}</p>`;
}
