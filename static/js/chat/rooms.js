/* The list of rooms: what is new, and the ways to start another. */
import { askWhere } from "../app/goto.js";
import { PersonMenu } from "../app/person.js";
import { go } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { Avatar, Badge, Button, PersonAvatar } from "../kit/controls.js";
import { html, memo, useState } from "../kit/html.js";
import { isPhone, List } from "../kit/layout.js";
import { Roving } from "../kit/list.js";
import { askForGroup, askForPerson } from "./dialogs.js";
import { listedRooms, othersIn, roomTitle } from "./roomfacts.js";
import { Strays } from "./strays.js";

const MANY_ROOMS = 6;

function RoomAvatar({ room, me, personOf, name }) {
  const others = othersIn(room, me);
  if (room.room_type === "direct" && others.length === 1) return html`<${PersonAvatar} person=${personOf(others[0])} small />`;
  return html`<${Avatar} id=${room.id} name=${name} shape=${room.room_type === "task" ? "task" : "group"} small />`;
}

const shown = ["name", "unread", "isOpen", "isOnline", "isTyping", "isMuted", "avatar", "draft"];

const RoomRow = memo(({ room, name, unread, isOpen, isOnline, isTyping, isMuted, draft, me, personOf }) => html`<li>
  <button type="button" class="room row" data-testid="room" data-room-id=${room.id} data-room-type=${room.room_type} data-unread=${unread} data-muted=${String(isMuted)} aria-current=${isOpen ? "true" : undefined} title=${name} onClick=${() => go(`#room-${room.id}`)}>
    <span class="avatar-place"><${RoomAvatar} room=${room} me=${me} personOf=${personOf} name=${name} />${isOnline && html`<span class="online" title="Online"></span>`}</span>
    <span class="room-name">${name}</span>
    ${isTyping ? html`<span class="hint">typing…</span>` : draft && !isOpen && html`<span class="hint">draft</span>`}
    <${Badge} count=${unread} quiet=${isMuted} />
  </button></li>`, (before, now) => before.room.id === now.room.id && shown.every((name) => before[name] === now[name]));

export function Rooms({ hidden }) {
  const scope = useScope();
  const { store, me, directory, follow, kept } = scope;
  const [wanted, setWanted] = useState("");
  follow("rooms", "typing", "me");
  directory.changes.value;
  const openId = store.openRoomId;
  const nameOf = (person) => directory.name(person);
  const personOf = (person) => directory.person(person);
  const rooms = listedRooms(store.rooms.values(), hidden.list())
    .map((room) => ({ room, name: roomTitle(room, me(), nameOf) }))
    .filter(({ name }) => name.toLowerCase().includes(wanted.trim().toLowerCase()));
  const isOnline = (room) => room.room_type === "direct" && othersIn(room, me()).some((person) => store.online.get(room.id)?.has(person.id));
  const avatarOf = (room) => (room.room_type === "direct" ? personOf(othersIn(room, me())[0] ?? {}).avatar : null);

  const tools = html`<${Button} small testid="new-direct" title="Write to somebody" onClick=${() => { askForPerson(scope); }}>+ Message</>
    <${Button} small testid="new-group" title="Start a group" onClick=${() => { askForGroup(scope); }}>+ Group</>${isPhone.value && html`<${Button} kind="quiet" icon="search" label="Go anywhere" testid="find" onClick=${() => { askWhere(scope); }} /><${PersonMenu} />`}`;
  return html`<${List} title="Chat" label="Rooms" tools=${tools}>
    <div class="rooms-filter" hidden=${store.rooms.size < MANY_ROOMS}><input class="input" type="search" placeholder="Find a room" aria-label="Find a room" onInput=${(event) => setWanted(event.target.value)} /></div>
    <${Strays} />
    <${Roving} class="rooms" selector=".room" data-testid="rooms" aria-label="Rooms">
      ${rooms.map(({ room, name }) => html`<${RoomRow} key=${room.id} room=${room} name=${name} unread=${room.unread_count ?? 0} isOpen=${room.id === openId} isMuted=${Boolean(room.is_muted)}
        isOnline=${isOnline(room)} isTyping=${Boolean(store.typing.get(room.id)?.size)} draft=${Boolean(kept.get(`room-${room.id}`))} avatar=${avatarOf(room)} me=${me()} personOf=${personOf} />`)}
    </>
    ${!rooms.length && html`<p class="empty">${store.roomsLoaded || store.rooms.size ? (wanted ? "No room has that name." : "No rooms yet. Start one with a colleague.") : "Loading your rooms…"}</p>`}
  </>`;
}
