/* What stands in the search box: words and operators, what completes them, and where they stand in a text. Values in, values out. */
import { fit } from "./finding.js";

const OPERATOR = /(^|\s)(from|in|before|after):("[^"]*"?|\S*)/gi;
const LAST = /(^|\s)(from|in):("[^"]*|[^\s"]*)$/i;
const MAX_COMPLETIONS = 6;
const SNIPPET_CHARS = 120;
const BEFORE_CHARS = 30;

/** The words without the operators, and whether there are any. */
export function questionOf(query) {
  const plain = query.replace(OPERATOR, " ").replace(/\s+/g, " ").trim();
  return { plain, hasOperators: query.search(OPERATOR) >= 0 };
}

const quoted = (name) => (/\s/.test(name) ? `"${name}"` : name);

/** People or rooms for an operator that is being written at the end: [{text, detail, query}]. */
export function completionsOf(query, { people, rooms }) {
  const [whole, space, operator, begun] = query.match(LAST) ?? [];
  if (whole === undefined) return [];
  const wanted = begun.replace(/^["@]+/, "").toLowerCase();
  const names = operator.toLowerCase() === "from"
    ? people.map(({ username, full_name: name }) => ({ value: username, detail: name || "", fit: Math.min(fit(username, wanted), fit(name ?? "", wanted)) }))
    : rooms.map(({ name }) => ({ value: quoted(name), detail: "", fit: fit(name, wanted) }));
  return names
    .filter((one) => one.fit < 3 && one.value && one.value.toLowerCase() !== begun.toLowerCase())
    .sort((a, b) => a.fit - b.fit)
    .slice(0, MAX_COMPLETIONS)
    .map(({ value, detail }) => ({ text: `${operator}:${value}`, detail, query: `${query.slice(0, query.length - whole.length)}${space}${operator}:${value} ` }));
}

const folded = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The words that are looked for, as they are compared. */
export const wantedWords = (plain) => folded(plain).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

/** A text in pieces: [{text, isWanted}], where words begin as the wanted ones do. */
export function marked(text, wanted) {
  if (!wanted.length) return [{ text, isWanted: false }];
  return text.split(/([\p{L}\p{M}\p{N}]+)/u).filter(Boolean).map((piece) => ({ text: piece, isWanted: wanted.some((word) => folded(piece).startsWith(word)) }));
}

/** A line of a text with the first of the words in it. */
export function snippetOf(text, wanted) {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= SNIPPET_CHARS) return line;
  let at = 0;
  for (const { text: piece, isWanted } of marked(line, wanted)) {
    if (isWanted) break;
    at += piece.length;
  }
  const from = at >= line.length ? 0 : Math.max(0, Math.min(at - BEFORE_CHARS, line.length - SNIPPET_CHARS));
  const cut = line.slice(from, from + SNIPPET_CHARS);
  return `${from ? "…" : ""}${cut}${from + SNIPPET_CHARS < line.length ? "…" : ""}`;
}
