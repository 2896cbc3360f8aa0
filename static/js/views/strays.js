/* Words for rooms that one is no longer in: nobody can send them any more, but they are still one's own. */
import { h, reconcile, setAttribute } from "../dom.js";

const DRAFT = "room-";

/** What could not be sent to rooms that are gone, and what was half written there: [{id, title, text, discard()}]. */
export function straysOf({ store, kept, discard }) {
  if (!store.roomsLoaded) return [];
  const unsent = store.strayPending().filter(({ state }) => state === "failed").map((message) => ({
    id: message.client_id,
    title: `Not sent to ${message.room_name}. ${message.reason}`,
    text: message.content || message.files.map(({ name }) => name).join(", "),
    discard: () => discard(message.client_id),
  }));
  const drafts = kept.all(DRAFT).filter(([name]) => !store.rooms.has(Number(name.slice(DRAFT.length)))).map(([name, text]) => ({
    id: name,
    title: "Written in a room that you are no longer in.",
    text: String(text),
    discard: () => kept.set(name, null),
  }));
  return [...unsent, ...drafts];
}

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
