/*
 * Keys for actions. A room of the client registers its own while it is shown:
 * {keys: "g c", words: "Go to chat", run}. `?` shows all that count at the moment.
 */
import { signal, useEffect } from "../kit/html.js";

const PAUSE_MS = 1_000;
const registered = signal([]);

const isWriting = (target) => target.matches?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The keys as people read them: "Ctrl K", "g c". */
export const shownKeys = (keys) => keys.replace("mod+", isMac ? "⌘ " : "Ctrl ").replace(/^\w$|(?<= )\w$/, (key) => (keys.startsWith("mod+") ? key.toUpperCase() : key));

/** What a key event is called in `keys`; "" for those that are none. */
export function keyName({ key, ctrlKey, metaKey, altKey }) {
  if (altKey || key.length > 1 && key !== "Escape") return "";
  return ctrlKey || metaKey ? `mod+${key.toLowerCase()}` : key;
}

/** Counts as long as the component that calls it is shown. @param {{ keys: string, words: string, run: () => void }[]} list */
export function useShortcuts(list) {
  useEffect(() => {
    registered.value = [...registered.value, ...list];
    return () => { registered.value = registered.value.filter((one) => !list.includes(one)); };
  }, []);
}

/** All that count now, the newest of each. */
export const shortcuts = () => [...new Map(registered.value.map((one) => [one.keys, one])).values()];

let before = "";
let timer = 0;

addEventListener("keydown", (event) => {
  const name = keyName(event);
  if (!name || event.defaultPrevented || event.isComposing) return;
  if (isWriting(event.target) && !name.startsWith("mod+")) return;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  const sequence = before ? `${before} ${name}` : name;
  const found = shortcuts().find(({ keys }) => keys === sequence) ?? shortcuts().find(({ keys }) => keys === name);
  before = "";
  clearTimeout(timer);
  if (found) {
    event.preventDefault();
    found.run();
  } else if (shortcuts().some(({ keys }) => keys.startsWith(`${name} `))) {
    before = name;
    timer = setTimeout(() => { before = ""; }, PAUSE_MS);
  }
});
