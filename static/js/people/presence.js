/* Who is online: the chat hears it of everybody one shares a room with; of others the list of people said it once. */

/**
 * A function that tells it of a person.
 * @param {{ rooms: Map<number, any>, online: Map<number, Set<number>> }} store as in store.js
 * @param {{ id: number }} me
 */
export function presenceIn(store, me) {
  const heardOf = new Set();
  const online = new Set([me.id]);
  /* Whoever has joined the room that everybody is in hears of everybody. */
  const hearsOfAll = [...store.online.keys()].some((id) => store.rooms.get(id)?.is_default);
  for (const [roomId, ids] of store.online) {
    for (const { id } of store.rooms.get(roomId)?.participants ?? []) heardOf.add(id);
    for (const id of ids) online.add(id);
  }
  return ({ id, is_online: wasOnline }) => online.has(id) || (Boolean(wasOnline) && !hearsOfAll && !heardOf.has(id));
}
