/* Words for rooms that one is no longer in: nobody can send them any more, but they are still one's own. */

const DRAFT = "room-";

/** What could not be sent to rooms that are gone, and what was half written there: [{id, title, text, discard()}]. */
export function straysOf({ store, kept, discard }) {
  if (!store.roomsLoaded) return [];
  const unsent = store.strayPending().filter(({ state }) => state === "failed").map((message) => ({
    id: message.client_id,
    title: `Not sent to ${message.room_name}. ${message.reason}`,
    text: message.content || message.files.map(({ name }) => name).join(", "),
    discard: () => discard(message.client_id),
  }));
  const drafts = kept.all(DRAFT).filter(([name]) => !store.rooms.has(Number(name.slice(DRAFT.length)))).map(([name, text]) => ({
    id: name,
    title: "Written in a room that you are no longer in.",
    text: String(text),
    discard: () => kept.set(name, null),
  }));
  return [...unsent, ...drafts];
}
