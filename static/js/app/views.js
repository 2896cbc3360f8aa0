/*
 * The views' components. Each view is a folder whose index.js exports `View`;
 * all but the chat are fetched when they are first needed.
 */
import { html, signal } from "../kit/html.js";
import { Button, Empty } from "../kit/controls.js";

/** How each comes here. */
const LOADERS = {
  tasks: () => import("../tasks/index.js"),
  focus: () => import("../focus/index.js"),
  people: () => import("../people/index.js"),
  workspaces: () => import("../workspaces/index.js"),
  inbox: () => import("../inbox/index.js"),
};

const loaded = signal(new Map()); // view -> its component, or the error
const asked = new Set();

/** A view that is there from the start. */
export function provideView(id, component) {
  asked.add(id);
  loaded.value = new Map(loaded.value).set(id, component);
}

async function fetchView({ id }) {
  asked.add(id);
  const found = await LOADERS[id]().then((module) => module.View, (error) => error);
  if (found instanceof Error) asked.delete(id);
  loaded.value = new Map(loaded.value).set(id, found);
}

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
