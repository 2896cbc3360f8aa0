/* The small controls that every room of the client uses: button, field, avatar, badge, empty state. */
import { SHAPES } from "../icons.js";
import { classes, html, useRef, useState } from "./html.js";

/** @param {{ name: string }} props */
export const Icon = ({ name }) => html`<svg viewBox="0 0 24 24" class="icon" aria-hidden="true"><path d=${SHAPES[name]} /></svg>`;

/**
 * A button. `kind` is primary, danger or quiet; while the promise of `onClick` is under way it cannot be
 * pressed again, and says so.
 */
export function Button({ kind = "", small = false, icon = "", label = "", testid, class: more = "", onClick, children, type = "button", disabled = false, ...others }) {
  const [isBusy, setBusy] = useState(false);
  const element = useRef(null);

  async function press(event) {
    const work = onClick?.(event);
    if (!work?.finally) return;
    const hadFocus = document.activeElement === element.current;
    setBusy(true);
    await work.catch(() => null);
    setBusy(false);
    if (hadFocus) setTimeout(() => giveFocusBack(element.current));
  }

  return html`<button ref=${element} type=${type} class=${classes("button", kind, small && "small", !children && "icon-only", more)}
    data-testid=${testid} aria-label=${label || undefined} title=${label || undefined} aria-busy=${isBusy ? "true" : undefined}
    disabled=${disabled || isBusy} onClick=${press} ...${others}>${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

/** What is disabled loses the focus: it gets it back, or what is around it if it is gone. */
function giveFocusBack(button) {
  if (![document.body, button].includes(document.activeElement)) return;
  (button?.isConnected ? button : document.querySelector("main"))?.focus();
}

let lastField = 0;

/** A labelled control with room for a hint and for what the server says about it; `control` is input, textarea or select. */
export function Field({ label, hint = "", problem = "", control = "input", options = [], testid, inputRef, children, ...others }) {
  const id = useRef("");
  if (!id.current) {
    lastField += 1;
    id.current = `field-${lastField}`;
  }
  const Control = control;
  const isProse = control === "textarea" || (control === "input" && (others.type ?? "text") === "text");
  return html`<div class="field">
    <label class="label" for=${id.current}>${label}</label>
    <${Control} id=${id.current} ref=${inputRef} class="input" data-testid=${testid} dir=${isProse ? "auto" : undefined}
      aria-describedby=${`${id.current}-hint ${id.current}-problem`} aria-invalid=${problem ? "true" : undefined} ...${others}>
      ${control === "select" && options.map(({ id: value, label: words }) => html`<option key=${value} value=${value}>${words}</option>`)}
    </${Control}>
    ${children}
    ${hint && html`<p class="hint" id=${`${id.current}-hint`}>${hint}</p>`}
    <p class="problem" id=${`${id.current}-problem`} role="alert">${problem}</p>
  </div>`;
}

const HUES = 8;

export function initials(name) {
  const words = (name ?? "?").split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? "?"];
  return letters.map((word) => Array.from(word)[0]).join("").toUpperCase();
}

/** A picture, or initials (or a shape) on a colour that stays the same for one person or room. */
export function Avatar({ id, name, image = null, shape = "", small = false }) {
  const look = classes("avatar", small && "small");
  if (image) return html`<img class=${look} src=${image} alt="" loading="lazy" width=${small ? 22 : 32} height=${small ? 22 : 32} />`;
  return html`<span class=${look} aria-hidden="true" style=${{ "--hue": Number(id) % HUES }}>${shape ? html`<${Icon} name=${shape} />` : initials(name)}</span>`;
}

/** A person's avatar; `person` as the server names people. */
export const PersonAvatar = ({ person, small = false }) =>
  html`<${Avatar} id=${person?.id ?? 0} name=${person?.full_name || person?.username} image=${person?.avatar} small=${small} />`;

/** How many are new; nothing where there are none. */
export const Badge = ({ count, quiet = false, testid, words = "unread" }) => (count > 0
  ? html`<span class=${classes("badge", "count", quiet && "quiet")} data-testid=${testid} aria-hidden="true">${count > 99 ? "99+" : count}</span><span class="only-heard">${` ${count} ${words} `}</span>`
  : null);

/** What a place is for while nothing is in it, and the one button that fills it. */
export const Empty = ({ icon = "", children, testid }) =>
  html`<div class="empty" data-testid=${testid}>${icon && html`<${Icon} name=${icon} />`}${children}</div>`;
