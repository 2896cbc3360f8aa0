/*
 * `:tada:` in a text is shown as its emoji; what is stored and sent stays as it was written. The names are
 * fetched when a text first needs them.
 */
import { signal } from "../kit/html.js";
import { withoutMarks } from "./text.js";

/* Not within a word, a time or an address. */
const SHORTCODE = /(?<![\p{L}\p{N}:/]):([a-z0-9_+-]{1,30}):(?![\p{L}\p{N}:])/gu;
const CODE = /(`+[^`]*`+)/;

const named = signal(/** @type {any} */ (null)); // name -> emoji, once it is here
let asked = null;

/** Fetches the names; where they cannot be had, texts stay as they are. */
export function loadNames() {
  asked ??= import("./emoji.js").then(({ EMOJI }) => {
    named.value = new Map(EMOJI.flatMap(([emoji, names]) => names.split(" ").map((name) => [name, emoji])));
  }).catch(() => { asked = null; });
  return asked;
}

/** The text with the emoji of these names in it. Values in, values out. */
export const replaced = (text, names) => text.replace(SHORTCODE, (whole, name) => names.get(name) ?? whole);

/** A text without code as it is shown; whoever renders it renders again when the names come. */
export function withShortcodes(text) {
  if (text.search(SHORTCODE) < 0) return text;
  if (named.value) return replaced(text, named.value);
  loadNames();
  return text;
}

/** A text as it is shown in a line: without Markdown's marks, with emoji for their names where it is no code. */
export const inLine = (text) => withoutMarks(text.split(CODE).map((part, index) => (index % 2 ? part : withShortcodes(part))).join(""));
