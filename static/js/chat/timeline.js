/* From messages to what stands in the conversation: days, the line of what is unread, groups of one sender. Values in, values out. */
import { dayKey } from "../format.js";
import { placeOfId } from "./window.js";

const TOGETHER_MS = 5 * 60_000;

/* A day is looked up rather than computed: a window of rows is made for every message that arrives. */
const days = new Map(); // "2026-11-21T09" -> the local day
function dayOf(message) {
  const hour = message.timestamp.slice(0, 13);
  if (!days.has(hour)) {
    if (days.size > 5_000) days.clear();
    days.set(hour, dayKey(message.timestamp));
  }
  return days.get(hour);
}

const belongTogether = (a, b) => a && b && !a.is_system && !b.is_system && a.sender?.id === b.sender?.id && a.hook?.name === b.hook?.name
  && dayOf(a) === dayOf(b) && Date.parse(b.timestamp) - Date.parse(a.timestamp) < TOGETHER_MS;

/** Own messages keep their client_id as key, so that one that gets its number stays where it is. */
const keyOf = (message, isMine) => (isMine && message.client_id ? `c${message.client_id}` : `m${message.id}`);

/** One that has arrived since the list of those on their way was made is not shown twice. */
export const withUnsent = (items, pending) => [...items, ...pending.filter(({ client_id: id }) => !items.some((message) => message.client_id === id))];

/** Up to which of one's own messages somebody else has read, and who has: {id, who}. */
export function seenOwn(items, reads, people, me) {
  const readers = people.filter((person) => person.id !== me.id && reads?.has(person.id));
  if (!readers.length) return null;
  const furthest = Math.max(...readers.map((person) => reads.get(person.id)));
  const own = items.findLast((message) => message.sender?.id === me.id && message.id <= furthest);
  return own ? { id: own.id, who: readers.filter((person) => reads.get(person.id) >= own.id) } : null;
}

/** Who has read exactly up to which message of others: Map of message id -> people. */
export function readersAt(items, reads, people, me) {
  const at = new Map();
  for (const person of people) {
    const upTo = person.id === me.id ? 0 : reads?.get(person.id) ?? 0;
    const last = upTo ? items[placeOfId(items, upTo + 1) - 1] : null;
    if (last && last.sender?.id !== person.id) at.set(last.id, [...at.get(last.id) ?? [], person]);
  }
  return at;
}

/**
 * The rows for the messages from `start` up to `end` (not included) of all. What comes before the first of all may not be
 * here yet (`hasMore`): then it looks as if it went on, so that nothing changes when the others come.
 */
export function rowsOf({ messages, start, end, firstUnread, me, hasMore = false }) {
  const rows = [];
  for (let index = start; index < end; index += 1) {
    const message = messages[index];
    const previous = messages[index - 1];
    const isMine = message.sender?.id === me.id;
    const key = keyOf(message, isMine);
    const goesOn = !previous && hasMore;
    if (!goesOn && (!previous || dayOf(previous) !== dayOf(message))) rows.push({ kind: "day", key: `day ${key}`, time: message.timestamp });
    const startsUnread = Boolean(message.id) && message.id === firstUnread;
    if (startsUnread) rows.push({ kind: "unread", key: "unread" });
    rows.push({ kind: "message", key, message, isMine, isFirst: startsUnread || (!goesOn && !belongTogether(previous, message)) });
  }
  return rows;
}
