/*
 * Markdown to clean markup. The libraries are fetched when a message first
 * needs them. What they make goes through DOMPurify with a short list of what
 * may stay; HTML in a message is text.
 */
import { signal } from "../kit/html.js";
import { loadNames, withShortcodes } from "./shortcodes.js";
import { partsOf } from "./text.js";

const MAX_KEPT = 400;
const ALLOWED_TAGS = ["p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "hr", "table", "thead", "tbody", "tr", "th", "td", "span"];
const ALLOWED_ATTR = ["href", "class", "start", "data-username", "title"];

const kept = new Map(); // text -> markup
let asked = null;
/** Whether the libraries are here. */
export const isReady = signal(false);

let markup = null;

/** Fetches the libraries; the promise is kept also where they cannot be had: then the text stands as it is. */
export function loadMarkdown() {
  asked ??= Promise.all([import("./markup.js"), loadNames()]).then(([module]) => {
    markup = module.createMarkup({ partsOf, shown: withShortcodes, allowedTags: ALLOWED_TAGS, allowedAttributes: ALLOWED_ATTR });
    isReady.value = true;
  }).catch(() => { asked = null; });
  return asked;
}

/** The markup of a text, safe to be shown; null while the libraries are not here. */
export function toMarkup(text) {
  if (!markup) return null;
  if (!kept.has(text)) {
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value);
    kept.set(text, markup(text));
  }
  return kept.get(text);
}
