/* Who is in a room, with their roles; beside the conversation. */
import { displayName } from "../app/directory.js";
import { useScope } from "../app/scope.js";
import { Button, PersonAvatar } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Side } from "../kit/layout.js";
import { ROLE_NAMES } from "../words.js";

function Member({ person, isOnline, write }) {
  return html`<li class="member" data-testid="room-member"><span class="avatar-place"><${PersonAvatar} person=${person} />${isOnline && html`<span class="online" title="Online"></span>`}</span>
    <span class="member-words"><span class="person-name">${displayName(person)}</span><span class="hint">${[`@${person.username}`, ROLE_NAMES[person.role]].filter(Boolean).join(" · ")}</span></span>
    ${write && html`<${Button} small kind="quiet" onClick=${write}>Message</>`}</li>`;
}

export function Members({ room, close, add }) {
  const { store, directory, me, api, chat, follow, say } = useScope();
  follow("open");
  directory.changes.value;
  const online = store.online.get(room.id) ?? new Set();
  const people = (room.participants ?? []).map((person) => directory.person(person))
    .sort((a, b) => Number(online.has(b.id)) - Number(online.has(a.id)) || displayName(a).localeCompare(displayName(b)));
  const writeTo = (person) => (person.id === me().id ? null : () => chat.enterRoom(api.openDirect(person.id)).catch((error) => say(error.message)));
  return html`<${Side} title=${`${people.length} people`} label="People in this room" testid="members" close=${close}>
    ${room.room_type === "group" && html`<div class="buttons"><${Button} icon="addPerson" testid="members-add" onClick=${add}>Add people</></div>`}
    <ul class="members">${people.map((person) => html`<${Member} key=${person.id} person=${person} isOnline=${online.has(person.id)} write=${writeTo(person)} />`)}</ul>
  </>`;
}
