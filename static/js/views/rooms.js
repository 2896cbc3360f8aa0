/* The list of rooms: what is new, who said it, and the ways to start another. */
import { coalesce, h, reconcile, setAttribute } from "../dom.js";
import { listTime } from "../format.js";
import { othersIn, roomName } from "../store.js";
import { avatar, iconButton, personAvatar } from "./parts.js";
import { createStrays } from "./strays.js";

const MANY_ROOMS = 6;

export function roomAvatar(room, me) {
  const others = othersIn(room, me);
  if (room.room_type === "direct" && others.length === 1) return personAvatar(others[0]);
  return avatar({ id: room.id, name: roomName(room, me), shape: room.room_type === "task" ? "task" : "group" });
}

function preview(room, store) {
  const typists = [...(store.typing.get(room.id)?.values() ?? [])];
  if (typists.length) return `${typists[0].username} is typing…`;
  const last = room.last_message;
  if (!last) return "No messages yet";
  if (last.deleted_at) return "Message deleted";
  const who = last.is_system || !last.sender ? "" : `${store.isMine(last) ? "You" : last.sender.username}: `;
  return who + (last.content || (last.attachments?.length ? "sent a file" : ""));
}

const unreadBadge = (count) => h("span", { class: "badge" },
  h("span", { "aria-hidden": "true" }, count > 99 ? "99+" : count),
  h("span", { class: "only-heard" }, `${count} unread`));

/** actions -> {open(roomId), newDirect(), newGroup(), joinByNumber(type, number), discard(clientId)}; `kept` as in kept.js. */
export function createRooms({ store, kept, actions }) {
  const strays = createStrays({ store, kept, discard: actions.discard });
  const list = h("ul", { class: "rooms", testid: "rooms", "aria-label": "Rooms" });
  const empty = h("p", { class: "empty" });
  const filter = h("input", {
    class: "input small", type: "search", placeholder: "Find a room", "aria-label": "Find a room", on: { input: () => render() },
  });

  function describe(room) {
    const me = store.me;
    const isOpen = room.id === store.openRoomId;
    const isOnline = room.room_type === "direct" && othersIn(room, me).some((person) => store.online.get(room.id)?.has(person.id));
    return {
      room, isOpen, isOnline, name: roomName(room, me), preview: preview(room, store), unread: room.unread_count ?? 0,
      time: room.last_message ? listTime(room.last_message.timestamp) : "",
    };
  }

  function create({ room, isOpen, isOnline, name, preview: words, unread, time }) {
    const picture = h("span", { class: "avatar-place" }, roomAvatar(room, store.me), isOnline && h("span", { class: "online", title: "Online" }));
    return h("li", {},
      h("button",
        {
          type: "button", class: "room", testid: "room", data: { roomId: room.id, unread, roomType: room.room_type },
          "aria-current": isOpen ? "true" : null, on: { click: () => actions.open(room.id) },
        },
        picture,
        h("span", { class: "room-lines" },
          h("span", { class: "room-line" }, h("span", { class: "room-name" }, name), h("span", { class: "room-time" }, time)),
          h("span", { class: "room-line" }, h("span", { class: "room-preview" }, words), unread > 0 && unreadBadge(unread)))));
  }

  function render() {
    const wanted = filter.value.trim().toLowerCase();
    const rooms = store.sortedRooms().map(describe).filter(({ name }) => name.toLowerCase().includes(wanted));
    const focused = document.activeElement?.dataset?.roomId;
    reconcile(list, rooms, {
      key: ({ room }) => room.id,
      sign: ({ room, ...shown }) => JSON.stringify([shown, room.participants, room.room_type]),
      create,
    });
    if (focused && !list.contains(document.activeElement)) list.querySelector(`[data-room-id="${focused}"]`)?.focus();
    setAttribute(filter, "hidden", store.rooms.size < MANY_ROOMS);
    setAttribute(empty, "hidden", rooms.length > 0);
    empty.textContent = !store.roomsLoaded && !store.rooms.size
      ? "Loading your rooms…"
      : wanted ? "No room has that name." : "No rooms yet. Start one with a colleague.";
  }

  const type = h("select", { class: "input small", "aria-label": "Kind of room", testid: "join-type" },
    [["group", "Group"], ["direct", "Person"], ["task", "Task room"]].map(([value, label]) => h("option", { value }, label)));
  const number = h("input", { class: "input small", inputmode: "numeric", pattern: "[0-9]+", required: true, placeholder: "Number", "aria-label": "Number of the room or person", testid: "join-id" });
  const byNumber = h("details", { class: "by-number" },
    h("summary", {}, "Join by number"),
    h("form",
      {
        class: "by-number-form",
        on: {
          submit(event) {
            event.preventDefault();
            actions.joinByNumber(type.value, Number(number.value));
            number.value = "";
          },
        },
      },
      type, number, h("button", { type: "submit", class: "button small", testid: "join" }, "Join")));

  const element = h("section", { "aria-label": "Rooms" },
    h("div", { class: "panel-head" },
      h("h2", { class: "panel-title" }, "Rooms"),
      iconButton("newChat", "New direct room", actions.newDirect, { testid: "new-direct" }),
      iconButton("group", "New group", actions.newGroup, { testid: "new-group" })),
    h("div", { class: "rooms-filter" }, filter),
    strays.element,
    h("div", { class: "scroll" }, list, empty),
    byNumber);

  store.on(["rooms", "typing", "me", "open"], coalesce(render));
  store.on(["rooms", "thread"], coalesce(strays.render));
  render();
  return { element, openByNumber: () => byNumber.setAttribute("open", "") };
}
