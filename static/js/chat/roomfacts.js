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

/** How many of a room's unread messages one is told of: all, those that mention one, or none. */
export function toldIn(room) {
  const level = room.level ?? (room.is_muted ? "mentions" : "all");
  if (level === "none") return 0;
  return level === "mentions" ? room.mention_count ?? 0 : room.unread_count ?? 0;
}

/** Rooms as the list shows them: without those that are hidden and tell of nothing new, the newest first. */
export const listedRooms = (rooms) => [...rooms].filter((room) => !room.is_hidden || toldIn(room) > 0).sort(newestFirst);

/** The list in sections, favourites first; a section without rooms is none, and one alone needs no name. */
export function sectionsOf(rooms) {
  const [favourites, others] = [rooms.filter((room) => room.is_favourite), rooms.filter((room) => !room.is_favourite)];
  if (!favourites.length) return [{ id: "rooms", label: "", rooms: others }];
  return [{ id: "favourites", label: "Favourites", rooms: favourites }, { id: "rooms", label: "Other rooms", rooms: others }].filter((section) => section.rooms.length);
}

/** What one may do in a room, as the server sees it. `me` is the person. */
export function mayIn(room, me) {
  const isGroup = room.room_type === "group";
  const isRunning = isGroup && (["owner", "admin"].includes(room.role) || (Boolean(room.is_default) && ["hr", "ceo"].includes(me?.role)));
  return {
    rename: isGroup && (!room.is_open || isRunning),
    open: isRunning && !room.is_default,
    add: isGroup && !room.is_default,
    leave: isGroup && !room.is_default,
    run: isRunning,
    own: isRunning && (room.role === "owner" || Boolean(room.is_default)),
  };
}

/** The room to go to next for whoever reads what is new: the one that has waited longest. */
export const nextUnread = (rooms, openId) =>
  [...rooms].filter((room) => toldIn(room) > 0 && room.id !== openId).sort(newestFirst).at(-1) ?? null;

/** How many wait in all rooms, as far as one wants to be told. */
export const unreadIn = (rooms) => [...rooms].reduce((sum, room) => sum + toldIn(room), 0);

/** When a member was here last: nothing beside somebody who is here. */
export function memberWords(member, { isOnline, lastSeen, listTime }) {
  if (isOnline) return "";
  return lastSeen ? `last seen ${listTime(lastSeen)}` : "";
}

export const peopleCount = ({ member_count: count = 0 }) => (count === 1 ? "1 person" : `${count} people`);

/** How many are in a room. Nobody is told of newcomers in the room that everybody is in, but they are seen online. */
export const countIn = (room, online) => Math.max(room.member_count || (room.participants?.length ?? 0), room.is_default ? online.size : 0);

/** What stands under a room's name: who is there. */
export function peopleWords(room, me, { online, lastSeen, nameOf, listTime, names }) {
  const here = online.size ? `, ${online.size} online` : ""; // oneself is, as soon as it is known
  if (room.is_default) return peopleCount({ member_count: countIn(room, online) }) + here;
  if (!room.participants?.length) return "";
  if (room.room_type === "direct") {
    const others = othersIn(room, me);
    if (others.some((person) => online.has(person.id))) return "Online";
    const seen = others.map((person) => lastSeen.get(person.id)).find(Boolean);
    return seen ? `Last seen: ${listTime(seen)}` : "Offline";
  }
  const people = room.participants.map((person) => (person.id === me.id ? "you" : nameOf(person)));
  return people.length > 4 ? `${people.length} people${here}` : names(people);
}

/** The room that somebody is in who is in one only, such as the one that everybody is in; null where there is a choice. */
export function onlyRoom(rooms) {
  const [first, ...others] = rooms;
  return first && !others.length && !first.is_hidden ? first : null;
}
