/* The frame around the views: the rail with its words, on a phone four tabs; the outage line, and help. */
import { ChatView } from "../chat/index.js";
import { unreadIn } from "../chat/roomfacts.js";
import { Badge, Button, Icon } from "../kit/controls.js";
import { html, useEffect, useState } from "../kit/html.js";
import { foldList, isPhone } from "../kit/layout.js";
import { Roving } from "../kit/list.js";
import { meaningOf } from "../reconnect.js";
import { askWhere } from "./goto.js";
import { go, goToView, place } from "./place.js";
import { useScope } from "./scope.js";
import { PersonMenu, showShortcuts } from "./person.js";
import { shownKeys, useShortcuts } from "./shortcuts.js";
import { VIEWS, viewOf } from "./viewlist.js";
import { provideView, Shown } from "./views.js";

provideView("chat", ChatView);

const OUTAGE_MS = 2_000; // a shorter one is over before anybody has read of it

/** Stays while attempts come and go: a line that flickers with each of them would disturb. */
export function outageWords(state) {
  const isComingBack = state.name === "waiting" || (state.name === "connecting" && state.attempt);
  if (isComingBack) return `${meaningOf(state.code, state.reason)} Your messages wait and will be sent.`;
  return state.name === "closed" ? meaningOf(state.code, state.reason) : "";
}

/** One line over the content, after two seconds; it moves nothing. */
function Outage() {
  const { store, follow, socket } = useScope();
  const [isLong, setLong] = useState(false);
  follow("connection");
  const words = outageWords(store.connection);
  const isShown = Boolean(words) && (isLong || store.connection.name === "closed");

  useEffect(() => {
    setLong(false);
    if (!words) return undefined;
    const timer = setTimeout(() => setLong(true), OUTAGE_MS);
    return () => clearTimeout(timer);
  }, [Boolean(words)]);

  return html`<div class="outage" role="alert" hidden=${!isShown} data-state=${store.connection.name}>
    <span data-testid="notice">${isShown ? words : ""}</span>
    <${Button} small testid="reconnect" onClick=${() => { socket.connect(); }}>Reconnect now</>
  </div>`;
}

function countsOf({ store, follow, notifications }) {
  follow("rooms");
  notifications.changes.value;
  return { chat: unreadIn(store.rooms.values()), inbox: notifications.state.unread };
}

function RailItem({ view, count, isHere, testid }) {
  const label = count ? `${view.label}, ${count} unread` : view.label;
  function go_() {
    foldList(false); // whoever has folded the list away finds it again where they look for it
    return isHere ? go(view.address) : goToView(view.id, view.address);
  }
  return html`<button type="button" class="rail-item" data-testid=${testid} aria-current=${isHere ? "page" : undefined} aria-pressed=${testid === "bell" ? String(isHere) : undefined} title=${label} onClick=${go_}>
    <span class="rail-icon"><${Icon} name=${view.icon} /><${Badge} count=${count} testid=${view.id === "inbox" ? "bell-count" : undefined} /></span><${Words} view=${view} />
  </button>`;
}

/** On a phone there is no foot of the rail: a focus session that runs shows its clock in its tab. */
function Words({ view }) {
  const [left] = useScope().clock.value.split(" ");
  if (view.id !== "focus" || !isPhone.value || !left) return view.label;
  return html`<span class="count"><span class="only-heard">${view.label} </span>${left}</span>`;
}

function FindItem() {
  const scope = useScope();
  return html`<button type="button" class="rail-item find" data-testid="find" title=${`Go anywhere (${shownKeys("mod+k")})`} onClick=${() => askWhere(scope)}><${Icon} name="search" />Find</button>`;
}

function Rail({ here }) {
  const scope = useScope();
  const counts = countsOf(scope);
  const shown = isPhone.value ? VIEWS.filter(({ tab }) => tab) : VIEWS;
  return html`<${Roving} tag="nav" selector=".rail-item, .whoami" class="rail" aria-label="Places">
    ${!isPhone.value && html`<${FindItem} />`}
    ${shown.map((view) => html`<${RailItem} key=${view.id} view=${view} isHere=${view.id === here} count=${counts[view.id] ?? 0} testid=${isPhone.value ? view.tab : view.testid} />`)}
    ${!isPhone.value && html`<div class="rail-foot">${scope.pill.value}<${PersonMenu} /></div>`}
  </>`;
}

const EVERYWHERE = [
  { keys: "?", words: "Show the shortcuts", run: showShortcuts },
  ...[["c", "chat", "#rooms"], ["t", "tasks", "#tasks"], ["f", "focus", "#focus"], ["p", "people", "#people"], ["i", "inbox", "#inbox"]]
    .map(([key, view, address]) => ({ keys: `g ${key}`, words: `Go to ${view}`, run: () => goToView(view, address) })),
  { keys: "l", words: "Fold the list away, or show it again", run: () => foldList() },
  { keys: "g m", words: "Go to my tasks", run: () => go("#tasks?mine=1") },
];

/** The page of a signed-in person. */
export function Shell() {
  const view = viewOf(place.value.view);
  const scope = useScope();
  useShortcuts([{ keys: "mod+k", words: "Go anywhere", run: () => askWhere(scope) }, ...EVERYWHERE]);
  return html`<div class="shell" data-view=${view.id} data-deep=${isPhone.value && place.value.kind ? "true" : undefined}>
    <a class="skip" href="#stage" onClick=${skip}>${view.id === "chat" ? "Skip to the message box" : "Skip to the content"}</a>
    <${Rail} here=${view.id} />
    <main class="stage" id="stage" tabindex="-1"><h1 class="only-heard">Taskroom</h1><${Outage} /><${Shown} view=${view} /></main>
  </div>`;
}

/** Past everything to where one writes, or to the view. */
function skip(event) {
  event.preventDefault(); // the address stays that of the view
  /** @type {HTMLElement | null} */ (document.querySelector("[data-testid=composer], main"))?.focus();
}
