/*
 * The frame around the panels: top bar, connection notice, and on small
 * screens one tab a panel. A panel is {id, label, icon, element, badge?(), shown?()};
 * adding one to the list is all that a new panel takes.
 */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { meaningOf } from "../reconnect.js";
import { iconButton, personAvatar } from "./parts.js";

const TICK_MS = 500;
const OUTAGE_MS = 2_000; // a shorter one is over before anybody has read of it

const secondsLeft = (state) => Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));

function pillText(state) {
  if (state.name === "waiting") return `reconnecting in ${secondsLeft(state)} s`;
  if (state.name === "connecting") return state.attempt ? "reconnecting…" : "connecting…";
  if (state.name === "closed") return `closed (${state.code})`;
  return state.name;
}

/** Stays while attempts come and go: a notice that flickers with each of them would move the page. */
function noticeText(state) {
  const isComingBack = state.name === "waiting" || (state.name === "connecting" && state.attempt);
  if (isComingBack) return `${meaningOf(state.code, state.reason)} Your messages wait and will be sent.`;
  if (state.name === "closed") return meaningOf(state.code, state.reason);
  return "";
}

/** actions -> {go(panelId), signOut(), reconnect()} */
export function createShell({ store, panels, docsUrl, actions }) {
  const pillLabel = h("span", { class: "pill-label" });
  const pill = h("span", { class: "pill", testid: "connection-state", role: "status" }, h("span", { class: "pill-dot", "aria-hidden": "true" }), pillLabel);
  const noticeWords = h("span", { testid: "notice" });
  const notice = h("div", { class: "notice outage", role: "alert", hidden: true },
    noticeWords,
    h("button", { type: "button", class: "button small", testid: "reconnect", on: { click: () => actions.reconnect() } }, "Reconnect now"));

  const whoami = h("span", { class: "whoami", testid: "whoami" });

  const topbar = h("header", { class: "topbar" },
    h("h1", { class: "brand" }, h("span", { class: "mark" }, icon("chat")), h("span", { class: "brand-name" }, "Taskroom")),
    pill,
    h("div", { class: "topbar-end" },
      h("a", { class: "button quiet docs-link", href: docsUrl, target: "_blank", rel: "noopener" }, icon("book"), "API docs"),
      whoami,
      iconButton("power", "Sign out", () => actions.signOut(), { testid: "sign-out" })));

  const badges = new Map();
  const tabs = panels.map((panel) => {
    const badge = h("span", { class: "badge", hidden: true });
    badges.set(panel, badge);
    return h("button", { type: "button", class: `tab tab-${panel.id}`, testid: `tab-${panel.id}`, on: { click: () => actions.go(panel.id) } },
      h("span", { class: "tab-icon" }, icon(panel.icon), badge), panel.label);
  });
  const workspace = h("main", { class: "workspace" }, notice, panels.map((panel) => {
    panel.element.classList.add("panel", `panel-${panel.id}`);
    return panel.element;
  }));
  const element = h("div", { class: "shell" }, topbar, workspace,
    h("nav", { class: "tabs", "aria-label": "Panels" }, tabs));

  function show(id) {
    element.dataset.panel = id;
    tabs.forEach((tab, index) => setAttribute(tab, "aria-current", panels[index].id === id ? "page" : null));
    panels.find((panel) => panel.id === id)?.shown?.();
  }

  let brokenAt = 0;
  function renderConnection() {
    const state = store.connection;
    pill.dataset.state = state.name;
    setText(pillLabel, pillText(state));
    const words = noticeText(state);
    brokenAt = words ? brokenAt || Date.now() : 0;
    const isShown = words && (state.name === "closed" || Date.now() - brokenAt >= OUTAGE_MS);
    setText(noticeWords, isShown ? words : "");
    setAttribute(notice, "hidden", !isShown);
    notice.dataset.state = state.name;
  }

  function renderPerson() {
    whoami.replaceChildren(personAvatar(store.me), h("span", { class: "whoami-name" }, store.me.username));
  }

  function renderBadges() {
    for (const [panel, badge] of badges) {
      const count = panel.badge?.() ?? 0;
      setText(badge, count > 99 ? "99+" : String(count));
      setAttribute(badge, "hidden", !count);
    }
  }

  const ticking = setInterval(() => {
    if (!element.isConnected) clearInterval(ticking);
    else if (brokenAt) renderConnection();
  }, TICK_MS);

  show(panels[0].id);
  renderConnection();
  renderPerson();
  renderBadges();
  return { element, show, go: actions.go, renderConnection, renderPerson, renderBadges };
}
