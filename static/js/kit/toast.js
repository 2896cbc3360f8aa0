/* Short messages that go away by themselves, some with an Undo, in a live region so that they are also heard. */
import { Button } from "./controls.js";
import { html, signal } from "./html.js";

const SHOWN_MS = 6_000;
const UNDO_MS = 8_000;
const MAX_SHOWN = 3;

const toasts = signal([]);
let lastId = 0;

const take = (id) => { toasts.value = toasts.value.filter((toast) => toast.id !== id); };

/* Whoever goes somewhere needs no link any more, and not the words before what they have come to read. */
addEventListener("hashchange", () => { toasts.value = toasts.value.filter(({ link }) => !link); });

function show(toast, shownMs) {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.filter(({ text }) => text !== toast.text), { id, ...toast }].slice(-MAX_SHOWN);
  setTimeout(() => take(id), shownMs);
  return id;
}

/** Says something that needs no answer; `link` ({label, address}) leads to what it is about. */
export const say = (text, link = null) => { show({ text, link }, link ? UNDO_MS : SHOWN_MS); };

/** Says what was done, and takes it back at the press of Undo. */
export const sayUndo = (text, undo) => show({ text, undo }, UNDO_MS);

/**
 * Does something after the time in which it can be taken back, or at once when the page is left.
 * `undone()` hears that it was taken back.
 */
export function later(text, work, undone) {
  let isOpen = true;
  const now = () => {
    if (!isOpen) return;
    isOpen = false;
    removeEventListener("pagehide", now);
    work();
  };
  addEventListener("pagehide", now);
  setTimeout(now, UNDO_MS);
  sayUndo(text, () => {
    isOpen = false;
    removeEventListener("pagehide", now);
    undone();
  });
}

export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
  ${toasts.value.map(({ id, text, undo, link }) => html`<p key=${id} class="toast" data-testid="toast">${text}
    ${link && html`<a class="button small" href=${link.address} data-testid="toast-link" onClick=${() => take(id)}>${link.label}</a>`}
    ${undo && html`<${Button} small testid="undo" onClick=${() => { take(id); undo(); }}>Undo</>`}</p>`)}
</div>`;
