/* The list of rooms: what is new, and the ways to start another. */
import { askWhere } from "../app/goto.js";
import { PersonMenu } from "../app/person.js";
import { go, place } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { Avatar, Badge, Button, Icon, PersonAvatar } from "../kit/controls.js";
import { html, memo, useState } from "../kit/html.js";
import { isPhone, List } from "../kit/layout.js";
import { Roving } from "../kit/list.js";
import { statusOf } from "../status.js";
import { AskToTell } from "./asktotell.js";
import { askForGroup, askForPerson, browseRooms } from "./dialogs.js";
import { listedRooms, othersIn, roomTitle, sectionsOf, toldIn } from "./roomfacts.js";
import { Strays } from "./strays.js";

const MANY_ROOMS = 6;

function RoomAvatar({ room, me, personOf, name }) {
  const others = othersIn(room, me);
  if (room.room_type === "direct" && others.length === 1) return html`<${PersonAvatar} person=${personOf(others[0])} small />`;
  return html`<${Avatar} id=${room.id} name=${name} shape=${room.room_type === "task" ? "task" : "group"} small />`;
}

const shown = ["name", "unread", "told", "isOpen", "isOnline", "isTyping", "isMuted", "avatar", "draft", "status"];

/* The room that everybody is in is there before any other, and is found by a name of its own. */
const rowName = (room) => (room.is_default ? "default-room" : "room");

const RoomRow = memo(({ room, name, unread, told, status, isOpen, isOnline, isTyping, isMuted, draft, me, personOf }) => html`<li>
  <button type="button" class="room row" data-testid=${rowName(room)} data-room-id=${room.id} data-room-type=${room.room_type} data-unread=${unread} data-told=${told} data-muted=${String(isMuted)} data-level=${room.level ?? "all"} data-favourite=${String(Boolean(room.is_favourite))} aria-current=${isOpen ? "true" : undefined} title=${name} onClick=${() => go(`#room-${room.id}`)}>
    <span class="avatar-place"><${RoomAvatar} room=${room} me=${me} personOf=${personOf} name=${name} />${isOnline && html`<span class="online" title="Online"></span>`}</span>
    <span class="room-name">${name}${status && html`<span class="room-status" title=${status}>${` ${status}`}</span>`}</span>
    ${isTyping ? html`<span class="hint">typing…</span>` : draft && !isOpen && html`<span class="hint">draft</span>`}
    ${isMuted && told > 0 ? html`<${Badge} count=${told} words="mentions" testid="mention-count" />` : html`<${Badge} count=${unread} quiet=${isMuted} />`}
  </button></li>`, (before, now) => before.room.id === now.room.id && shown.every((name) => before[name] === now[name]));

export function Rooms() {
  const scope = useScope();
  const { store, me, directory, follow, kept } = scope;
  const [wanted, setWanted] = useState("");
  follow("rooms", "typing", "me");
  directory.changes.value;
  const openId = place.value.id; // not the store's, which is told at intervals: what one clicks is marked at once
  const nameOf = (person) => directory.name(person);
  const personOf = (person) => directory.person(person);
  const names = new Map([...store.rooms.values()].map((room) => [room.id, roomTitle(room, me(), nameOf)]));
  const isWanted = (room) => names.get(room.id).toLowerCase().includes(wanted.trim().toLowerCase());
  /* What is searched for is found among the hidden ones, too. */
  const rooms = listedRooms([...store.rooms.values()].map((room) => (wanted.trim() ? { ...room, is_hidden: false } : room))).filter(isWanted);
  const statusIn = (room) => (room.room_type === "direct" ? statusOf(personOf(othersIn(room, me())[0] ?? {})) : "");
  const isOnline = (room) => room.room_type === "direct" && othersIn(room, me()).some((person) => store.online.get(room.id)?.has(person.id));
  const avatarOf = (room) => (room.room_type === "direct" ? personOf(othersIn(room, me())[0] ?? {}).avatar : null);

  const tools = html`<${Button} small testid="new-direct" title="Write to somebody" onClick=${() => { askForPerson(scope); }}>+ Message</>
    <${Button} small testid="new-group" title="Start a group" onClick=${() => { askForGroup(scope); }}>+ Group</>${isPhone.value && html`<${Button} kind="quiet" icon="search" label="Go anywhere" testid="find" onClick=${() => { askWhere(scope); }} /><${PersonMenu} />`}`;
  return html`<${List} title="Chat" label="Rooms" tools=${tools}>
    <div class="rooms-filter" hidden=${store.rooms.size < MANY_ROOMS}><input class="input" type="search" placeholder="Find a room" aria-label="Find a room" onInput=${(event) => setWanted(event.target.value)} /></div>
    <${Strays} />
    <${Roving} class="rooms" selector=".room" data-testid="rooms" aria-label="Rooms">
      ${sectionsOf(rooms).map(({ id, label, rooms: inside }) => html`${label && html`<li key=${id} class="room-section" data-testid=${`section-${id}`}>${label}</li>`}
      ${inside.map((room) => html`<${RoomRow} key=${room.id} room=${room} name=${names.get(room.id)} unread=${room.unread_count ?? 0} told=${toldIn(room)} status=${statusIn(room)} isOpen=${room.id === openId} isMuted=${Boolean(room.is_muted)}
        isOnline=${isOnline(room)} isTyping=${Boolean(store.typing.get(room.id)?.size)} draft=${Boolean(kept.get(`room-${room.id}`))} avatar=${avatarOf(room)} me=${me()} personOf=${personOf} />`)}`)}
      <li key="browse"><button type="button" class="room row browse" data-testid="browse-rooms" onClick=${() => { browseRooms(scope); }}><span class="browse-icon"><${Icon} name="rooms" /></span>Browse open rooms</button></li>
    </>
    ${!rooms.length && html`<p class="empty">${store.roomsLoaded || store.rooms.size ? (wanted ? "No room has that name." : "No rooms yet. Start one with a colleague.") : "Loading your rooms…"}</p>`}
    <${AskToTell} />
  </>`;
}
