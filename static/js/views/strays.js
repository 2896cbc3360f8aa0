/* Words for rooms that one is no longer in: nobody can send them any more, but they are still one's own. */
import { h, reconcile, setAttribute } from "../dom.js";
import { straysOf } from "../strays.js";

/** {element, render()}: nothing shows while there are none. */
export function createStrays({ store, kept, discard }) {
  const element = h("ul", { class: "strays", testid: "strays", "aria-label": "Not sent", hidden: true });

  function create({ title, text, discard: giveUp }) {
    return h("li", { class: "stray", testid: "stray" },
      h("p", { class: "problem" }, title),
      h("p", { class: "text stray-text" }, text),
      h("button", { type: "button", class: "button small", on: { click() { giveUp(); render(); } } }, "Discard"));
  }

  function render() {
    const all = straysOf({ store, kept, discard });
    setAttribute(element, "hidden", !all.length);
    reconcile(element, all, { key: ({ id }) => id, sign: ({ title, text }) => `${title} ${text}`, create });
  }

  return { element, render };
}
