/* The person: their avatar with the state of the connection, and the menu behind it. */
import { statusOf } from "../status.js";
import { PersonAvatar } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { isPhone } from "../kit/layout.js";
import { Menu } from "../kit/menu.js";
import { displayName } from "./directory.js";
import { go } from "./place.js";
import { useScope } from "./scope.js";
import { shortcuts, shownKeys } from "./shortcuts.js";
import { themeItems } from "./theme.js";
import { VIEWS } from "./viewlist.js";

const secondsLeft = (state) => Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));

function stateWords(state) {
  if (state.name === "waiting") return `reconnecting in ${secondsLeft(state)} s`;
  if (state.name === "connecting") return state.attempt ? "reconnecting…" : "connecting…";
  if (state.name === "closed") return `closed (${state.code})`;
  return state.name;
}

function ConnectionState() {
  const { store, follow } = useScope();
  follow("connection");
  const { connection } = store;
  return html`<span class="connection" data-state=${connection.name} title=${stateWords(connection)}><span class="only-heard" data-testid="connection-state">${stateWords(connection)}</span></span>`;
}

/** What is one's own: the avatar, and the menu behind it. */
export function PersonMenu() {
  const { me, follow, signOut, actions } = useScope();
  follow("me", "connection");
  const person = me();
  const placesOfMenu = isPhone.value ? VIEWS.filter(({ tab }) => !tab).map((view) => ({ label: view.label, icon: view.icon, testid: view.testid, onClick: () => go(view.address) })) : [];
  const items = [
    ...placesOfMenu, placesOfMenu.length > 0 && "line",
    ...actions.value,
    ...themeItems(),
    "line",
    { label: "Keyboard", icon: "book", key: "?", testid: "show-shortcuts", onClick: showShortcuts },
    { label: "API docs", icon: "book", href: "/api/docs/" },
    "line",
    { label: "Sign out", icon: "power", testid: "sign-out", onClick: signOut },
  ];
  const header = html`<p class="menu-head"><strong>${displayName(person)}</strong><span class="hint">${`@${person.username}`}</span>${statusOf(person) && html`<span data-testid="own-status">${statusOf(person)}</span>`}</p>`;
  return html`<${Menu} label=${`${displayName(person)} @${person.username}: your menu`} items=${items} header=${header} button=${{ testid: "whoami", kind: "quiet", class: "whoami", label: "", title: displayName(person) }}>
    <span class="avatar-place"><${PersonAvatar} person=${person} /><${ConnectionState} /></span><span class="only-heard">${`${displayName(person)} @${person.username}: your menu`}</span>
  </>`;
}

export const showShortcuts = () => ask({
  title: "Keyboard",
  content: () => html`<dl class="keys">${shortcuts().map(({ keys, words }) => html`<div key=${keys}><dt>${shownKeys(keys)}</dt><dd>${words}</dd></div>`)}</dl>`,
});
