/*
 * What stands in a message's text: links, mentions, tasks. Values in, values
 * out; whether it is plain, and so needs no Markdown, is decided here too.
 */

const MARKDOWN = /[`*_~[\]|\\]|^\s{0,3}(?:[-+>#]|\d+[.)])\s|^\s{0,3}[-=]{3,}\s*$|^(?: {4}|\t)\S/m;
const PART = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}])|(?<![\w@/])@([\p{L}\p{N}_.+-]*[\p{L}\p{N}_])|(?<![\w#&/])#([1-9]\d{0,11})\b/gu;
const TASK_HASH = /#task-([1-9]\d{0,11})$/;

/** Whether a text has anything in it that Markdown would change. */
export const isPlain = (text) => !MARKDOWN.test(text);

/** The number of the task that an address of this server leads to, or null. */
export function taskOfAddress(address, origin) {
  if (!address.startsWith(`${origin}/`)) return null;
  const [, id] = address.match(TASK_HASH) ?? [];
  return id ? Number(id) : null;
}

/** A text in parts: strings, {kind: "link", address}, {kind: "mention", username}, {kind: "task", id}. */
export function partsOf(text) {
  const parts = [];
  let done = 0;
  for (const found of text.matchAll(PART)) {
    const [all, address, username, task] = found;
    if (found.index > done) parts.push(text.slice(done, found.index));
    if (address) parts.push({ kind: "link", address });
    else if (username) parts.push({ kind: "mention", username });
    else parts.push({ kind: "task", id: Number(task) });
    done = found.index + all.length;
  }
  if (done < text.length) parts.push(text.slice(done));
  return parts;
}

const MAX_CARDS = 3;

/** The tasks that a text names, by number or by address: at most three. */
export function tasksIn(text, origin) {
  const ids = partsOf(text).map((part) => (part.kind === "task" ? part.id : part.kind === "link" ? taskOfAddress(part.address, origin) : null));
  return [...new Set(ids.filter(Boolean))].slice(0, MAX_CARDS);
}

/** A text as it is shown in a line, where Markdown is none: without its marks. */
export const withoutMarks = (text) => text.replace(/\*\*|__|~~|`+/g, "");

/** A title for a task that is made of a message: its first line, without marks. */
export function titleFrom(text) {
  const line = withoutMarks(text).split("\n").map((one) => one.replace(/^[\s>#*+-]+/, "").trim()).find(Boolean) ?? "";
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
