/* What a room is called, in which order rooms stand, and who is there, seen by one person. Values in, values out. */

export const othersIn = (room, me) => (room.participants ?? []).filter((person) => person.id !== me?.id);

/** What a room is called: a direct room by the other's name, `nameOf(reference)`. */
export function roomTitle(room, me, nameOf) {
  const others = othersIn(room, me).map(nameOf);
  if (room.room_type === "direct" && others.length) return others.join(", ");
  return room.name || others.join(", ") || `Room ${room.id}`;
}

const activity = (room) => room.last_message?.timestamp ?? room.created_at ?? "";
const newestFirst = (a, b) => {
  const [left, right] = [activity(a), activity(b)];
  if (left === right) return b.id - a.id;
  return left < right ? 1 : -1;
};

/** Rooms as the list shows them: without those that are hidden and have nothing new, the newest first. */
export const listedRooms = (rooms, hidden) => [...rooms]
  .filter((room) => !hidden.includes(room.id) || (room.unread_count > 0 && !room.is_muted))
  .sort(newestFirst);

/** The room to go to next for whoever reads what is new: the one that has waited longest. */
export const nextUnread = (rooms, openId) =>
  [...rooms].filter((room) => room.unread_count > 0 && !room.is_muted && room.id !== openId).sort(newestFirst).at(-1) ?? null;

/** How many wait in all rooms that are not muted. */
export const unreadIn = (rooms) => [...rooms].reduce((sum, room) => sum + (room.is_muted ? 0 : room.unread_count ?? 0), 0);

/** What stands under a room's name: who is there. */
export function peopleWords(room, me, { online, lastSeen, nameOf, listTime, names }) {
  if (!room.participants?.length) return "";
  if (room.room_type === "direct") {
    const others = othersIn(room, me);
    if (others.some((person) => online.has(person.id))) return "Online";
    const seen = others.map((person) => lastSeen.get(person.id)).find(Boolean);
    return seen ? `Last seen: ${listTime(seen)}` : "Offline";
  }
  const people = room.participants.map((person) => (person.id === me.id ? "you" : nameOf(person)));
  return people.length > 4 ? `${people.length} people, ${online.size} online` : names(people);
}
