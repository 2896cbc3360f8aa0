/* The chat: rooms at the left, the open one, and who is in it. */
import { go, leadOn, place } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { useShortcuts } from "../app/shortcuts.js";
import { html, signal, useEffect } from "../kit/html.js";
import { isPhone, View } from "../kit/layout.js";
import { Conversation, roomActions } from "./conversation.js";
import { askForMembers } from "./dialogs.js";
import { Members } from "./members.js";
import { Pins } from "./pins.js";
import { nextUnread, onlyRoom } from "./roomfacts.js";
import { Rooms } from "./rooms.js";

/** Opens the room that the address names, also one that the page has not heard of yet. */
function useRoomInAddress(scope) {
  const { store, chat, say, follow } = scope;
  const { id } = place.value;
  follow("rooms", "open");
  const isKnown = store.rooms.has(id);
  const seeking = scope.engine("room-seeking", () => ({ id: null, last: null }));

  async function seek() {
    seeking.id = id;
    await chat.findRooms();
    seeking.id = null;
    if (place.value.id !== id || store.rooms.has(id)) return;
    say(`There is no room ${id}, or you are not in it.`);
    leadOn("#rooms");
  }

  useEffect(() => {
    if (!id) return;
    if (store.rooms.has(id)) { // it may have come since this was drawn
      seeking.last = id;
      if (store.openRoomId !== id) chat.openRoom(id);
    } else if (store.roomsLoaded && seeking.id !== id) {
      if (seeking.last === id) leadOn("#rooms"); // whoever was in it knows why it is gone
      else seek();
    }
  }, [id, isKnown, store.roomsLoaded, store.openRoomId]);
  /* Where there is nothing to choose, nobody is asked to. */
  const only = store.roomsLoaded && !isPhone.value ? onlyRoom(store.rooms.values()) : null;
  useEffect(() => { if (!id && only && place.value.view === "chat") leadOn(`#room-${only.id}`); }, [id, only?.id]);
  /* Whoever comes back to the room that was open last comes to it anew. */
  useEffect(() => {
    if (id && store.openRoomId === id) {
      store.showUnread(id);
      chat.markRead();
    }
    return () => { store.leftUnread.delete(id); };
  }, [id]);
  return isKnown ? store.rooms.get(id) : null;
}

const isSideOpen = signal(false);
const arePinsOpen = signal(false);

export function ChatView() {
  const scope = useScope();
  const room = useRoomInAddress(scope);
  useEffect(() => { if (room?.is_hidden) roomActions(scope, room).show(); }, [room?.id]);
  useShortcuts([{ keys: "n", words: "Go to the next unread room", run() {
    const next = nextUnread(scope.store.rooms.values(), scope.store.openRoomId);
    if (next) go(`#room-${next.id}`);
  } }]);
  const toggle = (one, other) => () => {
    one.value = !one.value;
    other.value = false;
  };
  const members = { isOpen: isSideOpen.value, toggle: toggle(isSideOpen, arePinsOpen) };
  const pins = { isOpen: arePinsOpen.value, toggle: toggle(arePinsOpen, isSideOpen) };
  const close = () => { isSideOpen.value = false; };
  const hasSide = room && isSideOpen.value && room.room_type !== "direct";
  const hasPins = room && arePinsOpen.value;
  return html`<${View} name="chat" shown=${hasSide || hasPins ? "side" : room ? "content" : "list"}>
    <${Rooms} />
    <${Conversation} room=${room} target=${place.value.part} members=${members} pins=${pins} />
    ${hasPins && html`<${Pins} key=${room.id} room=${room} close=${() => { arePinsOpen.value = false; }} />`}
    ${hasSide && html`<${Members} room=${room} close=${close} add=${() => askForMembers(scope, room)} />`}
  </>`;
}
