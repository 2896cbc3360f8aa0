/* What is new shows where one looks even when the page is not before one's eyes: in the title and on the icon. */
import { unreadIn } from "../chat/roomfacts.js";
import { effect } from "../kit/html.js";

/** The icon with a dot: an address of a picture. */
function dotted() {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#17665b"/><path d="M8 9h16v11h-8l-5 4v-4H8z" fill="none" stroke="#fff" stroke-width="2.4" stroke-linejoin="round"/><circle cx="25" cy="7" r="7" fill="#d93025" stroke="#fff" stroke-width="2"/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Keeps title and icon in step with what is unread; `clock` is a signal with words that stand first, such as a running timer. Returns what ends it. */
export function showInTitle({ store, changes, clock, notifications }) {
  const icon = document.querySelector("#icon");
  const plain = icon?.href;
  return effect(() => {
    changes.rooms.value;
    notifications.changes.value;
    const unread = unreadIn(store.rooms.values());
    document.title = [clock?.value, unread ? `(${unread}) Taskroom` : "Taskroom"].filter(Boolean).join(" · ");
    const wanted = unread || notifications.state.unread ? dotted() : plain;
    if (icon && icon.href !== wanted) icon.href = wanted; // the same once more would be fetched and drawn again
  });
}
