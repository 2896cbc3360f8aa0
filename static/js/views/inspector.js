/* Every frame that crossed a socket, newest last, each opening to its JSON. */
import { coalesce, h, setAttribute, setText } from "../dom.js";
import { preciseTime, size } from "../format.js";
import { icon } from "../icons.js";
import { meaningOf } from "../reconnect.js";
import { followEnd } from "./follow.js";
import { iconButton } from "./parts.js";

const ARROWS = { in: "↓", out: "↑", event: "•" };
const HEARD = { in: "received", out: "sent", event: "event" };
const SHORT = 120;

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function summary(entry) {
  if (entry.code !== undefined) {
    const { reason } = JSON.parse(entry.text);
    return `${entry.code} ${meaningOf(entry.code, reason)}`;
  }
  return entry.text.slice(0, SHORT);
}

export function createInspector({ log }) {
  const list = h("div", { class: "frames", testid: "frames", role: "region", "aria-label": "Frames", tabindex: "0" });
  const empty = h("p", { class: "empty" }, "Frames appear here as they cross the socket.");
  const search = h("input", { class: "input small", type: "search", placeholder: "Filter", "aria-label": "Filter frames", testid: "frame-filter", on: { input: rebuild } });
  const direction = h("select", { class: "input small", "aria-label": "Direction", testid: "frame-direction", on: { change: rebuild } },
    [["", "All"], ["in", "Received"], ["out", "Sent"], ["event", "Events"]].map(([value, label]) => h("option", { value }, label)));
  const pause = iconButton("pause", "Pause", togglePause, { testid: "frames-pause", "aria-pressed": "false" });
  const count = h("span", { class: "hint count" });
  const view = followEnd(list);
  let pausedAt = null; // the newest entry when somebody paused
  let lastShown = 0;

  const isWanted = (entry) =>
    (!direction.value || entry.direction === direction.value)
    && (!search.value || `${entry.type} ${entry.text} ${entry.socket ?? ""}`.toLowerCase().includes(search.value.toLowerCase()));

  function row(entry) {
    const element = h("details",
      { class: "frame", testid: "frame", data: { direction: entry.direction, type: entry.type, socket: entry.socket, code: entry.code, id: entry.id } },
      h("summary", {},
        h("span", { class: "frame-arrow", "aria-hidden": "true" }, ARROWS[entry.direction]),
        h("span", { class: "only-heard" }, HEARD[entry.direction]),
        h("span", { class: "frame-type" }, entry.type),
        entry.socket && h("span", { class: "frame-socket" }, entry.socket),
        h("span", { class: "frame-size" }, entry.size === null ? "" : size(entry.size)),
        h("span", { class: "frame-time" }, preciseTime(entry.at)),
        h("span", { class: "frame-short" }, summary(entry))));
    element.addEventListener("toggle", () => element.append(h("pre", { class: "frame-json", tabindex: "0" }, pretty(entry.text))), { once: true });
    return element;
  }

  function append() {
    const { entries } = log;
    const shown = pausedAt === null ? entries : entries.filter((entry) => entry.id <= pausedAt);
    renderCount(entries.length, entries.length - shown.length);
    list.append(...shown.filter((entry) => entry.id > lastShown && isWanted(entry)).map(row));
    lastShown = shown.at(-1)?.id ?? lastShown;
    const oldest = entries[0]?.id ?? Infinity;
    while (list.firstElementChild && Number(list.firstElementChild.dataset.id) < oldest) list.firstElementChild.remove();
    view.keepUp();
    setAttribute(empty, "hidden", list.childElementCount > 0);
  }

  function rebuild() {
    lastShown = 0;
    list.replaceChildren();
    append();
    view.toEnd();
  }

  function renderCount(total, behind) {
    setText(count, behind ? `${behind} waiting` : String(total));
  }

  function togglePause() {
    pausedAt = pausedAt === null ? lastShown : null;
    const paused = pausedAt !== null;
    setAttribute(pause, "aria-pressed", String(paused));
    pause.replaceChildren(icon(paused ? "play" : "pause"));
    for (const name of ["aria-label", "title"]) setAttribute(pause, name, paused ? "Go on" : "Pause");
    append();
  }

  log.watch(coalesce(append));
  append();
  return {
    element: h("section", { "aria-label": "Frames" },
      h("div", { class: "panel-head" },
        h("h2", { class: "panel-title" }, "Frames"), count, pause,
        iconButton("remove", "Clear", () => log.clear(), { testid: "frames-clear" })),
      h("div", { class: "frame-filters" }, search, direction),
      h("div", { class: "frames-place" }, list, empty)),
  };
}
