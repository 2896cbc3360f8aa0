/* The open room: its head, its messages and where one reads in them, and the composer below. */
import { taskAddress } from "../address.js";
import { coalesce, h, reconcile, setAttribute, setText } from "../dom.js";
import { listTime, names } from "../format.js";
import { icon } from "../icons.js";
import { othersIn, roomName } from "../store.js";
import { createComposer } from "./composer.js";
import { followEnd } from "./follow.js";
import { createRow, signOf } from "./message.js";
import { iconButton } from "./parts.js";
import { roomAvatar } from "./rooms.js";
import { timeline } from "./timeline.js";

const FAR_FROM_END_PX = 240;
const NEAR_TOP_PX = 240;

/** actions -> {send, edit, remove, retry, discard, typing, stopTyping, loadOlder, markRead, addPeople(room), leave(room)}; `kept` as in kept.js. */
export function createConversation({ store, kept, say, actions }) {
  const title = h("h2", { class: "panel-title", testid: "room-title" });
  const subtitle = h("p", { class: "hint" });
  const picture = h("span", { class: "avatar-place" });
  const toTask = h("a", { class: "button quiet small", testid: "room-task" }, icon("task"), "Task");
  const add = iconButton("addPerson", "Add people", () => actions.addPeople(openRoom()), { testid: "add-people" });
  const leave = iconButton("leave", "Leave the group", () => actions.leave(openRoom()), { testid: "leave-room" });
  const list = h("div", { class: "messages", testid: "messages", role: "log", "aria-label": "Messages" });
  const words = h("p", { class: "empty" });
  const scroll = h("div", { class: "scroll messages-scroll", tabindex: "0", "aria-label": "Conversation", role: "region" }, words, list);
  const view = followEnd(scroll, list);
  const jump = h("button", { type: "button", class: "jump", hidden: true, testid: "jump", on: { click: () => view.toEnd("smooth") } }, icon("down"), "Newest");
  const typing = h("p", { class: "typing", testid: "typing", "aria-live": "polite" });
  const composer = createComposer({ kept, say, actions: { ...actions, lastOwn } });
  const nothing = h("div", { class: "nothing" }, h("span", { class: "mark large" }, icon("chat")), h("p", {}, "Choose a room, or start a new one."));
  const head = h("div", { class: "panel-head" }, picture, h("div", { class: "panel-head-text" }, title, subtitle), toTask, add, leave);
  const body = h("div", { class: "conversation" }, head,
    h("div", { class: "messages-place" }, scroll, jump), typing, composer.element,
    h("div", { class: "drop-hint", "aria-hidden": "true" }, "Drop files to attach them"));
  const element = h("section", { "aria-label": "Chat" }, nothing, body);

  let shownRoom = null;
  let pendingShown = 0;
  const openRoom = () => store.rooms.get(store.openRoomId);

  function lastOwn() {
    const items = store.threads.get(store.openRoomId)?.items ?? [];
    return items.findLast((message) => store.isMine(message) && message.content && !message.deleted_at);
  }

  function renderHead() {
    const room = openRoom();
    setAttribute(nothing, "hidden", Boolean(room));
    setAttribute(body, "hidden", !room);
    if (!room) return;
    composer.setRoom(room.id);
    setText(title, roomName(room, store.me));
    setText(subtitle, about(room));
    picture.replaceChildren(roomAvatar(room, store.me));
    setAttribute(toTask, "hidden", !room.task);
    setAttribute(toTask, "href", taskAddress(room.task));
    setAttribute(add, "hidden", room.room_type !== "group");
    setAttribute(leave, "hidden", room.room_type !== "group");
  }

  function about(room) {
    const online = store.online.get(room.id) ?? new Set();
    if (!room.participants?.length) return "";
    if (room.room_type === "direct") return presenceOf(othersIn(room, store.me), online);
    const people = room.participants.map((person) => (person.id === store.me.id ? "you" : person.username));
    return people.length > 4 ? `${people.length} people, ${online.size} online` : names(people);
  }

  function presenceOf(others, online) {
    if (others.some((person) => online.has(person.id))) return "Online";
    const seen = others.map((person) => store.lastSeen.get(person.id)).find(Boolean);
    return seen ? `Last seen: ${listTime(seen)}` : "Offline";
  }

  function renderMessages() {
    const room = openRoom();
    const thread = store.threads.get(store.openRoomId);
    if (!room || !thread) return;
    const isOther = shownRoom !== room.id;
    const pending = store.pendingOf(room.id);
    const rows = timeline({ thread, pending, reads: store.reads.get(room.id), room, me: store.me });
    const end = view.distance();
    reconcile(list, rows, { key: (row) => row.key, sign: signOf, create: (row) => createRow(row, rowActions) });
    if (isOther || pending.length > pendingShown) view.toEnd();
    pendingShown = pending.length;
    /* Older messages grow the list at its top: what one reads must stay where it is. */
    if (view.isFollowing()) view.toEnd();
    else if (rows[0]?.key !== scroll.dataset.firstKey) scroll.scrollTop = scroll.scrollHeight - scroll.clientHeight - end;
    scroll.dataset.firstKey = rows[0]?.key ?? "";
    shownRoom = room.id;
    setAttribute(list, "aria-busy", thread.status === "ready" ? null : "true");
    setText(words, statusWords(thread, rows));
    renderJump();
    actions.markRead();
  }

  function statusWords(thread, rows) {
    if (thread.status === "loading") return "Loading messages…";
    if (thread.status === "older") return "Loading older messages…";
    if (thread.status === "failed") return "The messages could not be loaded.";
    if (!rows.length) return "Nothing here yet. Say hello.";
    return thread.hasMore ? "" : "This is the beginning of the conversation.";
  }

  const rowActions = {
    ...actions,
    edit: (message) => composer.edit(message),
    rework({ client_id: clientId, content, files }) {
      composer.take(content, files);
      actions.discard(clientId);
    },
  };

  function renderTyping() {
    const people = [...(store.typing.get(store.openRoomId)?.values() ?? [])].map((user) => user.username);
    setText(typing, people.length ? `${names(people)} ${people.length === 1 ? "is" : "are"} typing…` : "");
  }

  function renderJump() {
    setAttribute(jump, "hidden", view.distance() < FAR_FROM_END_PX);
  }

  scroll.addEventListener("scroll", () => {
    renderJump();
    if (scroll.scrollTop < NEAR_TOP_PX) actions.loadOlder();
    if (view.isFollowing()) actions.markRead();
  }, { passive: true });

  body.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) body.dataset.dropping = "true";
  });
  body.addEventListener("dragleave", (event) => {
    if (!body.contains(event.relatedTarget)) delete body.dataset.dropping;
  });
  body.addEventListener("drop", () => { delete body.dataset.dropping; });

  /* What is still hidden takes no focus: whoever opens a room gets it once the room is shown. */
  let wantsFocus = false;
  const render = coalesce(() => {
    renderHead();
    renderMessages();
    if (wantsFocus && openRoom()) {
      wantsFocus = false;
      composer.focus();
    }
  });

  function focus() {
    wantsFocus = true;
    render();
  }

  store.on(["open", "thread", "me"], render);
  store.on(["typing", "open"], coalesce(renderTyping));
  render();
  return {
    element, focus, save: composer.save,
    isAtEnd: () => view.isFollowing() && element.checkVisibility(),
    /** Takes files into the composer, if there is a conversation before one's eyes. */
    takeFiles(files) {
      if (!body.checkVisibility()) return false;
      composer.addFiles(files);
      return true;
    },
  };
}
