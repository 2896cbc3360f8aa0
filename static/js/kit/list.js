/* Lists that are one stop for the Tab key: arrows, Home and End move inside them. */
import { html, useLayoutEffect, useRef } from "./html.js";

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1, j: 1, k: -1 };

/** Where a key leads from place `index` of `length`; -1 where it leads nowhere. */
export function nextPlace(key, index, length) {
  if (!length) return -1;
  if (key === "Home") return 0;
  if (key === "End") return length - 1;
  const step = STEPS[key];
  return step ? Math.min(length - 1, Math.max(0, index + step)) : -1;
}

const isWriting = (element) => element?.matches?.("input, textarea, select, [contenteditable]");

/** Moves the focus among `container`'s elements that match `selector`, as the event's key says. */
export function roving(event, container, selector) {
  if (event.altKey || event.ctrlKey || event.metaKey || isWriting(event.target)) return;
  const all = [...container.querySelectorAll(selector)];
  const next = nextPlace(event.key, all.indexOf(document.activeElement?.closest(selector)), all.length);
  if (next < 0) return;
  event.preventDefault();
  for (const one of all) one.tabIndex = -1;
  all[next].tabIndex = 0;
  all[next].focus();
}

/** A list whose elements that match `selector` share one tab stop: the current one, the last one that had the focus, or the first. */
export function Roving({ tag: Tag = "ul", selector, children, ...others }) {
  const element = useRef(null);

  useLayoutEffect(() => {
    const all = [...element.current.querySelectorAll(selector)];
    if (!all.length) return;
    const stop = all.find((one) => one === document.activeElement) ?? all.find((one) => one.getAttribute("aria-current") === "true") ?? all[0];
    for (const one of all) {
      const index = one === stop ? 0 : -1;
      if (one.tabIndex !== index) one.tabIndex = index;
    }
  });

  return html`<${Tag} ref=${element} onKeyDown=${(event) => roving(event, element.current, selector)} ...${others}>${children}</${Tag}>`;
}
