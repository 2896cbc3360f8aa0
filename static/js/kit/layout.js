/*
 * The parts of a view: a list at the left, the content, a side panel at the
 * right. On a phone one of them is shown at a time, with a way back. Widths
 * can be dragged, and are remembered in this browser.
 */
import { Button } from "./controls.js";
import { html, signal, useEffect, useRef } from "./html.js";

const phone = matchMedia("(max-width: 759px)");
/** Whether there is room for one column only. */
export const isPhone = signal(phone.matches);
phone.addEventListener("change", () => { isPhone.value = phone.matches; });

const WIDTHS = { list: { name: "taskroom.list", value: 264, min: 200, max: 440 }, side: { name: "taskroom.side", value: 320, min: 280, max: 560 } };

function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It lasts as long as the page.
  }
}

const storedWidth = ({ name, value }) => Number(stored(name)) || value;
const widths = signal({ list: storedWidth(WIDTHS.list), side: storedWidth(WIDTHS.side) });

function setWidth(part, width) {
  const { name, min, max } = WIDTHS[part];
  const value = Math.round(Math.min(max, Math.max(min, width)));
  widths.value = { ...widths.value, [part]: value };
  store(name, String(value));
}

const FOLDED = "taskroom.folded";
/** Whether the lists are folded away, so that the content has their width too. */
const isFolded = signal(Boolean(stored(FOLDED)));

export function foldList(is = !isFolded.value) {
  isFolded.value = is;
  store(FOLDED, is ? "1" : "");
}

/** The edge between two parts: dragged, or moved with the arrows. */
function Edge({ part, label }) {
  const grows = part === "list" ? 1 : -1;

  function onPointerDown(down) {
    const start = widths.value[part];
    const move = (event) => setWidth(part, start + (event.clientX - down.clientX) * grows);
    down.currentTarget.setPointerCapture(down.pointerId);
    down.currentTarget.onpointermove = move;
    down.currentTarget.onpointerup = (event) => { event.currentTarget.onpointermove = null; };
  }

  function onKeyDown(event) {
    const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
    if (!step) return;
    event.preventDefault();
    setWidth(part, widths.value[part] + step * grows);
  }

  const { min, max } = WIDTHS[part];
  return html`<div class=${`edge edge-${part}`} role="separator" aria-orientation="vertical" aria-label=${label} tabindex="0" aria-valuemin=${min} aria-valuemax=${max}
    aria-valuenow=${widths.value[part]} onPointerDown=${onPointerDown} onKeyDown=${onKeyDown}></div>`;
}

/** A view of up to three parts; `shown` is the one that a phone shows: list, content or side. */
export const View = ({ name, shown = "content", children }) => html`<div class=${`view view-${name}`} data-shown=${shown} data-folded=${isFolded.value && shown !== "list" && !isPhone.value ? "true" : undefined}
  style=${{ "--list": `${widths.value.list}px`, "--side": `${widths.value.side}px` }}>${children}</div>`;

/** What there is to choose from. `tools` stand beside the title, `after` below the list. */
export const List = ({ title, label = title, tools, children, after }) => html`<section class="list" aria-label=${label}>
  <header class="part-head"><h2 class="part-title">${title}</h2>${tools}</header>
  <div class="scroll list-scroll">${children}</div>
  ${after}
  <${Edge} part="list" label="Width of the list" />
</section>`;

/** What one came for. The title is the page's heading. */
export const Content = ({ label, children, class: more = "" }) => html`<section class=${`content ${more}`} aria-label=${label}>${children}</section>`;

/** Something beside it, closed with Escape or its button. `head` stands in the place of title and button, `foot` below what scrolls. */
export function Side({ title, label = title, close, children, testid, tools, head, foot, class: more = "", ...others }) {
  const element = useRef(null);

  useEffect(() => {
    function onKey(event) {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
      const isHere = element.current?.contains(document.activeElement) || document.activeElement === document.body;
      if (!isHere) return;
      event.preventDefault();
      close();
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [close]);

  return html`<aside ref=${element} class=${`side ${more}`} aria-label=${label} data-testid=${testid} ...${others}>
    <${Edge} part="side" label="Width of the side panel" />
    ${head ?? html`<header class="part-head"><${Back} go=${close} /><h2 class="part-title">${title}</h2>${tools}
      ${!isPhone.value && html`<${Button} kind="quiet" icon="close" label="Close" testid="side-close" onClick=${close} />`}</header>`}
    <div class="scroll side-scroll">${children}</div>
    ${foot}
  </aside>`;
}

/** The way back, on a phone. */
export const Back = ({ go, label = "Back" }) => (isPhone.value ? html`<${Button} kind="quiet" icon="back" label=${label} testid="back" onClick=${go} />` : null);
