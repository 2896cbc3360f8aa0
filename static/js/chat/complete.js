/* What `@` and `:` offer while one writes. Values in, values out. */
import { names } from "../format.js";
import { partsOf } from "./text.js";

const ASKED = /(^|[\s(])([@:])([\p{L}\p{N}_.+-]{0,30})$/u;
const MAX_OFFERED = 8;
const MIN_EMOJI_LETTERS = 2;

/** What stands before the caret and asks for an offer: {sign, word, start}, or null. */
export function askedAt(text, caret) {
  const [, , sign, word] = text.slice(Math.max(0, caret - 40), caret).match(ASKED) ?? [];
  if (!sign || (sign === ":" && word.length < MIN_EMOJI_LETTERS)) return null;
  return { sign, word, start: caret - word.length - 1 };
}

const rank = (name, word) => (name.startsWith(word) ? 0 : name.split(/[\s._-]/).some((part) => part.startsWith(word)) ? 1 : name.includes(word) ? 2 : 3);

/** People whose name or username fits, the best first: [{text, label, detail, person}]. */
export function peopleFor(word, people) {
  const wanted = word.toLowerCase();
  return people
    .map((person) => ({ person, rank: Math.min(rank(person.username.toLowerCase(), wanted), rank((person.full_name ?? "").toLowerCase(), wanted)) }))
    .filter((one) => one.rank < 3)
    .sort((a, b) => a.rank - b.rank || a.person.username.localeCompare(b.person.username))
    .slice(0, MAX_OFFERED)
    .map(({ person }) => ({ key: `p${person.id}`, text: `@${person.username} `, label: person.full_name || person.username, detail: `@${person.username}`, person }));
}

/** People whom a text mentions and who are not among the members: nobody tells them. */
export function outsidersIn(text, members, people) {
  if (!text.includes("@")) return [];
  const named = new Set(partsOf(text).flatMap((part) => (part.kind === "mention" ? [part.username.toLowerCase()] : [])));
  const inside = new Set(members.map((person) => person.id));
  return people.filter((person) => named.has(person.username.toLowerCase()) && !inside.has(person.id));
}

/** What is said of them; "" of nobody. */
export function outsiderWords(list) {
  if (!list.length) return "";
  const [is, are] = ["is not in this room and will not be told.", "are not in this room and will not be told."];
  return `${names(list)} ${list.length === 1 ? is : are}`;
}

/** Emoji whose name fits; `list` is [[emoji, "name other_name"], …]. */
export function emojiFor(word, list, most = MAX_OFFERED) {
  const wanted = word.toLowerCase();
  return list
    .map(([emoji, names]) => ({ emoji, names: names.split(" ") }))
    .map((one) => ({ ...one, rank: Math.min(...one.names.map((name) => rank(name, wanted))) }))
    .filter((one) => one.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ emoji, names }) => ({ key: emoji, text: `${emoji} `, label: `${emoji} :${names[0]}:`, detail: "" }));
}

/** The text with the chosen offer in the place of what was asked, and where the caret then stands. */
export function taken(text, caret, asked, offer) {
  return { text: text.slice(0, asked.start) + offer.text + text.slice(caret).replace(/^ /, ""), caret: asked.start + offer.text.length };
}

/** A finished `:name:` becomes its emoji at once. */
export function withEmoji(text, caret, list) {
  const [whole, name] = text.slice(Math.max(0, caret - 40), caret).match(/:([a-z0-9_+-]{2,30}):$/) ?? [];
  const found = name && list.find(([, names]) => names.split(" ").includes(name));
  if (!found) return null;
  const start = caret - whole.length;
  return { text: text.slice(0, start) + found[0] + text.slice(caret), caret: start + found[0].length };
}
