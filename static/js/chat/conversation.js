/* The open room: its head, its messages, and the composer below. */
import { displayName } from "../app/directory.js";
import { useScope } from "../app/scope.js";
import { replace } from "../app/place.js";
import { useShortcuts } from "../app/shortcuts.js";
import { listTime, names } from "../format.js";
import { Button, Empty } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { html, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { Back, Content, isPhone } from "../kit/layout.js";
import { Roving } from "../kit/list.js";
import { Menu } from "../kit/menu.js";
import { later } from "../kit/toast.js";
import { outsidersIn } from "./complete.js";
import { Composer } from "./composer.js";
import { statusOf } from "../status.js";
import { askForLevel, askForMembers, askForName, askForPerson, askForTask, browseRooms } from "./dialogs.js";
import { quoteOf } from "./marks.js";
import { MESSAGE_KEYS, Messages } from "./messages.js";
import { countIn, mayIn, othersIn, peopleWords, roomTitle } from "./roomfacts.js";
import { createTaskLookup } from "./taskcard.js";
import { cancelUpload } from "./upload.js";
import { placeOfId } from "./window.js";

/** What can be done with a room. */
export function roomActions(scope, room) {
  const { api, store, chat, say } = scope;
  /** Shown at once; what is refused is as before. */
  const prefer = (json) => {
    const { is_muted, level, is_favourite, is_hidden } = store.rooms.get(room.id) ?? room;
    store.prefer(room.id, json);
    return api.changeRoom(room.id, json).catch((error) => {
      store.prefer(room.id, { is_muted, level, is_favourite, is_hidden });
      say(error.message);
    });
  };
  async function setOpen(isOpen) {
    const text = isOpen ? "Anybody will find it and may join, and then read all that has been said." : "Who is in it stays; nobody else finds it any more.";
    const isSure = await confirm({ title: isOpen ? "Open the room to everybody" : "Close the room to others", text, action: isOpen ? "Open it" : "Close it" });
    if (isSure) await api.changeRoom(room.id, { is_open: isOpen }).then(store.mergeRoom, (error) => say(error.message));
  }
  const leave = async () => {
    const isSure = await confirm({ title: "Leave the group", text: "You will no longer see what is written there.", action: "Leave" });
    if (isSure) await chat.leave(room.id);
  };
  return {
    mute: () => prefer({ is_muted: !room.is_muted }),
    level: () => askForLevel(scope, room),
    favour: () => prefer({ is_favourite: !room.is_favourite }),
    open: () => setOpen(!room.is_open),
    rename: () => askForName(scope, room),
    addPeople: () => askForMembers(scope, room),
    leave,
    show: () => prefer({ is_hidden: false }),
    hide() {
      prefer({ is_hidden: true });
      replace("#rooms");
      store.open(null);
    },
  };
}

function Head({ room, members, pins }) {
  const scope = useScope();
  const { store, me, directory, follow } = scope;
  follow("open", "me", "rooms");
  useLastSeen(room);
  const nameOf = (person) => directory.name(person);
  const act = roomActions(scope, room);
  const may = mayIn(room, me());
  const other = room.room_type === "direct" ? directory.person(othersIn(room, me())[0] ?? {}) : null;
  const status = statusOf(other);
  const online = store.online.get(room.id) ?? new Set();
  const people = peopleWords(room, me(), { online, lastSeen: store.lastSeen, nameOf, listTime, names });
  const items = [
    { label: room.is_favourite ? "No favourite any more" : "Favourite", icon: "star", testid: "favourite-room", onClick: act.favour },
    { label: "What you are told of", icon: "bell", testid: "room-level", onClick: act.level },
    { label: room.is_muted ? "Unmute" : "Mute", icon: "mute", testid: "mute-room", onClick: act.mute },
    { label: "Pinned messages", icon: "pin", testid: "menu-pins", onClick: pins.toggle, isHidden: !isPhone.value },
    { label: "Hide from the list", icon: "close", testid: "hide-room", onClick: act.hide },
    (may.rename || may.open) && "line",
    { label: "Rename, topic", icon: "edit", testid: "rename-room", onClick: act.rename, isHidden: !may.rename },
    { label: room.is_open ? "Close to others" : "Open to everybody", icon: "rooms", testid: "open-close-room", onClick: act.open, isHidden: !may.open },
    may.leave && "line",
    { label: "Leave the group", icon: "leave", kind: "danger", testid: "leave-room", onClick: act.leave, isHidden: !may.leave },
  ];
  return html`<header class="part-head panel-head">
    <${Back} go=${() => replace("#rooms")} label="To the rooms" />
    <div class="room-head"><h2 class="part-title" data-testid="room-title">${roomTitle(room, me(), nameOf)}</h2><p class="hint room-people">${status && html`<span data-testid="person-status">${status}</span> · `}${room.topic && html`<span data-testid="room-topic-line" title=${room.topic}>${room.topic}</span> · `}${people}</p></div>
    ${room.is_muted && html`<span class="chip">${room.level === "none" ? "Silent" : "Muted"}</span>`}
    <${Roving} tag="div" role="toolbar" aria-label="This room" class="room-tools" selector=".button">${room.task && html`<a class="button quiet" data-testid="room-task" href=${`#task-${room.task}`}>Task</a>`}
    ${may.add && !isPhone.value && html`<${Button} kind="quiet" testid="add-people" onClick=${act.addPeople}>Add people</>`}
    ${!isPhone.value && html`<${Button} kind="quiet" icon="pin" label="Pinned messages" testid="show-pins" aria-pressed=${String(pins.isOpen)} onClick=${pins.toggle} />`}
    ${room.room_type !== "direct" && html`<${Button} kind="quiet" icon="people" testid="show-members" aria-pressed=${String(members.isOpen)} onClick=${members.toggle}>${String(countIn(room, online) || "")}<span class="only-heard"> people</span></>`}
    <${Menu} label="More about this room" items=${items} button=${{ icon: "more", kind: "quiet", testid: "room-menu" }} /></>
  </header>`;
}

/** When the other one was here last, for whom nobody has come or gone since this page was opened. */
function useLastSeen(room) {
  const { api, store, me } = useScope();
  useEffect(() => {
    if (room.room_type !== "direct") return;
    const other = othersIn(room, me())[0];
    if (!other || store.lastSeen.has(other.id)) return;
    api.members(room.id).then(({ results }) => {
      const seen = results.find(({ user_id: id }) => id === other.id)?.last_seen;
      if (!seen || store.lastSeen.has(other.id)) return;
      store.lastSeen.set(other.id, seen);
      store.changed("open");
    }, () => null);
  }, [room.id]);
}

function Typing({ room }) {
  const { store, directory, follow } = useScope();
  follow("typing");
  const people = [...(store.typing.get(room.id)?.values() ?? [])].map((person) => directory.name(person));
  return html`<p class="typing" data-testid="typing" aria-live="polite">${people.length ? `${names(people)} ${people.length === 1 ? "is" : "are"} typing…` : ""}</p>`;
}

/** What the rows of one room share; a new object only when the person or the room is another. */
function useEnvironment(scope, room, composer, list) {
  const { store, me, chat, directory, say } = scope;
  directory.changes.value;
  return useMemo(() => {
    const find = (clientId) => store.pending.get(clientId);
    const rework = (message) => {
      composer.current.take(message.content, message.files, message.quote);
      chat.discard(message.client_id);
    };
    function remove(message) {
      store.update({ ...message, content: "", attachments: [], deleted_at: new Date().toISOString() });
      later("The message has been deleted.", () => chat.remove(message), () => store.update(message));
    }
    return {
      me: me(), roomId: room.id, isDirect: room.room_type === "direct",
      nameOfId: (id) => (id === me().id ? "You" : directory.name(id)),
      nameOf: (person) => directory.name(person), personOf: (person) => directory.person(person),
      nameOfUsername: (username) => directory.all().find((person) => person.username === username)?.full_name ?? "",
      tasks: scope.engine("task-lookup", () => createTaskLookup(scope)),
      pick: (message, anchor) => list.current?.pick(message, anchor),
      show: (id) => list.current?.showTarget(id),
      actions: {
        edit: (message) => composer.current.edit(message),
        answer: (message) => composer.current.answer(quoteOf(message)),
        react: chat.react, pin: chat.pin, markUnread: chat.markUnread,
        toTask: (message) => askForTask(scope, message, room),
        remove, retry: chat.retry, discard: chat.discard, rework,
        cancelUpload(clientId) {
          cancelUpload(clientId);
          const message = find(clientId);
          if (message) rework(message);
          say("It has not been sent.");
        },
      },
    };
  }, [room.id, me(), directory.changes.value]);
}

const NONE = [];

function Room({ room, target, members, pins }) {
  const scope = useScope();
  const { store, chat, kept, say, me, directory, follow } = scope;
  const composer = useRef(null);
  const [isDropping, setDropping] = useState(false);
  follow("thread", "open", "me");
  const thread = store.threads.get(room.id) ?? { items: [], status: "loading", hasMore: false };
  const past = store.past.get(room.id);
  const shown = useRef(null);
  const env = useEnvironment(scope, room, composer, shown);
  useShortcuts(MESSAGE_KEYS.map(([keys, words]) => ({ keys, words, run: () => shown.current?.focusNewest() })));
  const title = roomTitle(room, me(), (person) => directory.name(person));

  const lastOwn = () => store.threads.get(store.openRoomId)?.items.findLast((message) => store.isMine(message) && message.content && !message.deleted_at);
  const offered = () => {
    const here = othersIn(room, me()).map((person) => directory.person(person));
    return here.length ? here : directory.all();
  };

  function outsiders(text) {
    const { is_default: isEverybodys = false, participants = [] } = store.rooms.get(store.openRoomId) ?? {};
    return isEverybodys ? [] : outsidersIn(text, participants, directory.all()).map((person) => displayName(person));
  }

  useEffect(() => {
    const takeFiles = (files) => {
      composer.current.addFiles(files);
      return true;
    };
    const save = () => composer.current?.save();
    scope.fileTakers.add(takeFiles);
    scope.savers.add(save);
    return () => {
      scope.fileTakers.delete(takeFiles);
      scope.savers.delete(save);
    };
  }, []);

  useEffect(() => {
    if (matchMedia("(hover: hover)").matches && !target) composer.current.focus();
  }, [room.id]);

  /* Whoever goes back from an older message to the room is where it ends. */
  useEffect(() => { if (!target) chat.past.close(room.id); }, [target]);

  function toNewest() {
    chat.past.close(room.id);
    if (target) replace(`#room-${room.id}`);
  }

  function send(...message) {
    if (past) toNewest();
    return chat.send(...message);
  }

  const quoted = (id) => {
    const { items } = past ?? thread;
    const message = items[placeOfId(items, id)];
    return message?.id === id ? quoteOf(message) : null;
  };
  const list = {
    loadOlder: past ? chat.past.older : chat.loadOlder, loadNewer: chat.past.newer, markRead: chat.markRead,
    around: (id) => chat.past.open(room.id, id), toNewest,
    trim: (most) => store.trim(room.id, most),
    atEnd: (isAtEnd) => { scope.isAtEnd = isAtEnd; },
  };
  return html`<${Content} label="Chat" class=${isDropping ? "conversation dropping" : "conversation"}>
    <div class="conversation-body" onDragOver=${(event) => event.dataTransfer?.types.includes("Files") && setDropping(true)}
      onDragLeave=${(event) => { if (!event.currentTarget.contains(event.relatedTarget)) setDropping(false); }} onDrop=${() => setDropping(false)}>
      <${Head} room=${room} members=${members} pins=${pins} />
      <${Messages} key=${past ? `${room.id}-${past.id}` : room.id} room=${room} thread=${past ?? thread} pending=${past?.hasNewer ? NONE : store.pendingOf(room.id)} reads=${store.reads.get(room.id)} env=${env} handle=${shown} actions=${list} target=${target} />
      <${Typing} room=${room} />
      <${Composer} roomId=${room.id} roomName=${title} kept=${kept} say=${say} people=${offered} outsiders=${outsiders} nameOf=${env.nameOf} quoted=${quoted} handle=${composer}
        actions=${{ send, edit: chat.edit, typing: chat.typing, stopTyping: chat.stopTyping, lastOwn }} />
      <p class="drop-hint" aria-hidden="true">Drop files to attach them</p>
    </div>
  </>`;
}

/** While none is chosen: what one can do. */
function NoRoom() {
  const scope = useScope();
  scope.follow("rooms");
  const isLoading = !scope.store.roomsLoaded && !scope.store.rooms.size;
  return html`<${Content} label="Chat"><${Empty} icon="chat"><p>${isLoading ? "Loading your rooms…" : "Choose a room at the left, write to somebody, or join a room that is open to all."}</p>
    ${!isLoading && html`<div class="buttons"><${Button} kind="primary" testid="first-message" onClick=${() => { askForPerson(scope); }}>New message</><${Button} testid="first-room" onClick=${() => { browseRooms(scope); }}>Browse open rooms</></div>`}</></>`;
}

export function Conversation({ room, target, members, pins }) {
  if (room) return html`<${Room} room=${room} target=${target} members=${members} pins=${pins} />`;
  return html`<${NoRoom} />`;
}
