/* From messages to what stands on the page, in order: days, the line of what is new, groups of one sender, who has seen it. */
import { dayKey, names } from "../format.js";

const TOGETHER_MS = 5 * 60_000;

function belongTogether(a, b) {
  return a && b && !a.is_system && !b.is_system
    && a.sender?.id === b.sender?.id
    && dayKey(a.timestamp) === dayKey(b.timestamp)
    && new Date(b.timestamp) - new Date(a.timestamp) < TOGETHER_MS;
}

/** Own messages keep their client_id as key, so that one that gets its number stays where it is. */
const keyOf = (message, isMine) => (isMine && message.client_id ? `c${message.client_id}` : `m${message.id}`);

/** The last own message that somebody else has read, and who has: {id, names}. */
function seen(items, reads, people, me) {
  const readers = people.filter((person) => person.id !== me.id && reads?.has(person.id));
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const message = items[index];
    if (message.sender?.id !== me.id) continue;
    const who = readers.filter((person) => reads.get(person.id) >= message.id);
    if (who.length) return { id: message.id, who: who.map((person) => person.username) };
  }
  return null;
}

export function timeline({ thread, pending, reads, room, me }) {
  const seenBy = seen(thread.items, reads, room.participants ?? [], me);
  const all = [...thread.items, ...pending];
  const rows = [];
  all.forEach((message, index) => {
    const previous = all[index - 1];
    if (!previous || dayKey(previous.timestamp) !== dayKey(message.timestamp)) {
      rows.push({ kind: "day", key: `day ${keyOf(message, message.sender?.id === me.id)}`, time: message.timestamp });
    }
    const startsNew = message.id && message.id === thread.firstUnread;
    if (startsNew) rows.push({ kind: "new", key: "new" });
    const isMine = message.sender?.id === me.id;
    rows.push({
      kind: "message", key: keyOf(message, isMine), message, isMine,
      isFirst: startsNew || !belongTogether(previous, message),
      isLast: !belongTogether(message, all[index + 1]),
      showName: !isMine && room.room_type !== "direct",
    });
    if (seenBy && message.id === seenBy.id) {
      const text = room.room_type === "direct" ? "Seen" : `Seen by ${names(seenBy.who)}`;
      rows.push({ kind: "seen", key: "seen", text });
    }
  });
  return rows;
}
