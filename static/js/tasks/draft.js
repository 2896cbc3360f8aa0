/*
 * What somebody has written into a task's fields and not saved: values, and
 * functions from one to the next. `filled` is what stands there by now,
 * `words` what one has written instead, `before` what one had before one's
 * eyes when one began.
 */
import { fromField, toField } from "./due.js";

export const FIELDS = ["title", "description", "priority", "estimate_hours", "due_date", "department", "workspace"];

const number = (text) => Number(text) || null;
const SEND = { due_date: fromField, department: number, workspace: number, estimate_hours: (text) => text.trim() || null };
const READ = {
  title: (text) => text.replace(/[\r\n]+/g, ""),
  description: (text) => text.replace(/\r\n?/g, "\n"),
  due_date: toField,
};

/** A field of a task as the control holds it. */
export function textOf(name, task) {
  const value = task[name] ?? "";
  return READ[name]?.(value) ?? String(value);
}

const textsOf = (task) => Object.fromEntries(FIELDS.map((name) => [name, textOf(name, task)]));
const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([other]) => other !== name));
const only = (object, names) => Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)));

/** Without what stands there already. */
function settled({ filled, words, before }) {
  const names = Object.keys(words).filter((name) => name in filled && words[name] !== filled[name]);
  return { filled, words: only(words, names), before: only(before, names) };
}

export const beginning = (task) => ({ filled: textsOf(task), words: {}, before: {} });

/** Goes on with what was kept; what others have changed since then is told as ever. */
export const resumed = (kept, task) => settled({ filled: textsOf(task), words: kept?.words ?? {}, before: kept?.before ?? {} });

export function written(draft, name, text) {
  const { filled, words, before } = draft;
  return settled({ filled, words: { ...words, [name]: text }, before: { ...before, [name]: before[name] ?? filled[name] } });
}

/** The task is another by now: fields in which one has not written follow. */
export const followed = (draft, task) => settled({ ...draft, filled: textsOf(task) });

/** `sent` stands there now; what has been written since then waits for the next time. */
export function saved(draft, sent, task) {
  const filled = textsOf(task);
  const left = Object.keys(draft.words).filter((name) => draft.words[name] !== sent[name]);
  const before = Object.fromEntries(left.map((name) => [name, name in sent ? filled[name] : draft.before[name]]));
  return settled({ filled, words: only(draft.words, left), before });
}

/** Gives up what one has written, in one field or in all. */
export const dropped = ({ filled, words, before }, name) =>
  (name ? { filled, words: without(words, name), before: without(before, name) } : { filled, words: {}, before: {} });

export const valueOf = ({ filled, words }, name) => words[name] ?? filled[name];
export const isTouched = ({ words }) => Object.keys(words).length > 0;

/** Whether somebody else has written where one writes. */
export const isContested = ({ filled, words, before }, name) => name in words && before[name] !== filled[name];
export const hasContest = (draft) => Object.keys(draft.words).some((name) => isContested(draft, name));

/** What is sent. */
export const changesOf = ({ words }) => Object.fromEntries(Object.entries(words).map(([name, text]) => [name, name in SEND ? SEND[name](text) : text]));

/** Enough to go on with it after a reload; null where nothing is written. */
export const toKeep = (draft) => (isTouched(draft) ? { words: draft.words, before: draft.before } : null);

/** What somebody has written about a task and not sent, as text. */
export const unsentWords = (kept, id) =>
  [...Object.values(kept.get(`task-${id}`)?.words ?? {}), kept.get(`comment-${id}`)?.words].filter(Boolean).join("\n\n");
