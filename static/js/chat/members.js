/* Who is in a room, as what, and what may be done about it; beside the conversation. */
import { displayName } from "../app/directory.js";
import { go } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { listTime } from "../format.js";
import { Button, PersonAvatar } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { html, useEffect, useState } from "../kit/html.js";
import { Side } from "../kit/layout.js";
import { Menu } from "../kit/menu.js";
import { statusOf } from "../status.js";
import { mayIn, memberWords, peopleCount } from "./roomfacts.js";

const ROLE_WORDS = { owner: "Owner", admin: "Admin", member: "" };

/** The people of a room as the server lists them, a page after the other; read anew when who is in it changes. */
function useMembers(room) {
  const { api, store, say } = useScope();
  const [found, setFound] = useState({ roomId: 0, people: [], count: 0, page: 0 });

  async function load(page = 1) {
    try {
      const { results, count } = await api.members(room.id, page);
      for (const { user_id: id, last_seen: seen } of results) if (seen && !store.lastSeen.has(id)) store.lastSeen.set(id, seen);
      if (count !== room.member_count) store.mergeRoom({ id: room.id, member_count: count });
      setFound((before) => ({ roomId: room.id, people: page > 1 ? [...before.people, ...results] : results, count, page }));
    } catch (error) {
      say(error.message);
    }
  }

  useEffect(() => { load(); }, [room.id, room.version, room.role, room.roles_changed]);
  return { ...(found.roomId === room.id ? found : { people: [], count: 0, page: 0 }), load, more: () => load(found.page + 1) };
}

/** What may be done about a member: entries as in kit/menu.js. */
function actionsOn(scope, room, member, reload) {
  const { api, chat, me, say } = scope;
  const { user_id: id, role } = member;
  const may = mayIn(room, me());
  const isMe = id === me().id;
  const done = (work) => work.then(reload, (error) => say(error.message));
  const give = (next) => done(api.giveRole(room.id, id, next));
  const name = displayName(member);
  const isOwner = role === "owner";
  async function remove() {
    const question = { title: `Take ${name} out of the room`, text: "They no longer see what is written here. Somebody can add them again.", action: "Take out" };
    if (await confirm(question)) await done(api.removeMember(room.id, id));
  }
  return [
    { label: "Write to them", icon: "chat", testid: "member-write", isHidden: isMe, onClick: () => chat.enterRoom(api.openDirect(id)).catch((error) => say(error.message)) },
    { label: "Profile", icon: "person", testid: "member-profile", onClick: () => go(isMe ? "#profile" : `#person-${id}`) },
    may.run && (may.own || !isOwner) && "line",
    { label: "Make owner", testid: "member-make-owner", isHidden: !may.own || isOwner, onClick: () => give("owner") },
    { label: "Make admin", testid: "member-make-admin", isHidden: !may.run || role === "admin" || (isOwner && !may.own), onClick: () => give("admin") },
    { label: "Make member", testid: "member-make-member", isHidden: !may.run || role === "member" || (isOwner && !may.own), onClick: () => give("member") },
    { label: "Take out of the room", icon: "leave", kind: "danger", testid: "member-remove", isHidden: !may.run || isMe || room.is_default || (isOwner && !may.own), onClick: remove },
  ];
}

function Member({ member, person, isOnline, lastSeen, actions }) {
  const name = displayName(person);
  const seen = memberWords(member, { isOnline, lastSeen, listTime });
  return html`<li class="member" data-testid="room-member" data-user-id=${member.user_id} data-role=${member.role}><span class="avatar-place"><${PersonAvatar} person=${person} />${isOnline && html`<span class="online" title="Online"></span>`}</span>
    <span class="member-words"><span class="person-name">${name}${ROLE_WORDS[member.role] && html` <span class="chip" data-testid="member-role">${ROLE_WORDS[member.role]}</span>`}</span>
      ${statusOf(person) && html`<span class="member-status" data-testid="member-status">${statusOf(person)}</span>`}
      <span class="hint">${[`@${member.user.username}`, seen].filter(Boolean).join(" · ")}</span></span>
    <${Menu} label=${`More about ${name}`} items=${actions} button=${{ icon: "more", kind: "quiet", small: true, testid: "member-menu" }} />
  </li>`;
}

/** Webhooks of the room; few need them, so they come when they are asked for. */
const openHooks = (scope, room) => import("../hooks/index.js").then(({ askForHooks }) => { askForHooks(scope, { room: room.id }, room.name); }, () => scope.say("This could not be loaded. Is the server away?"));

export function Members({ room, close, add }) {
  const scope = useScope();
  const { store, directory, me, follow } = scope;
  follow("open", "rooms");
  directory.changes.value;
  const { people, count, load, more } = useMembers(room);
  const online = store.online.get(room.id) ?? new Set();
  const isOnline = (member) => online.has(member.user_id) || member.user_id === me().id;
  const personOf = (member) => ({ ...member.user, full_name: member.full_name, status_text: member.status_text, status_emoji: member.status_emoji, status_until: member.status_until, ...directory.get(member.user_id) });
  return html`<${Side} title=${peopleCount({ member_count: count || room.member_count })} label="People in this room" testid="members" close=${close}>
    <div class="buttons">${mayIn(room, me()).add && html`<${Button} icon="addPerson" testid="members-add" onClick=${add}>Add people</>`}
      ${mayIn(room, me()).run && html`<${Button} testid="room-hooks" onClick=${() => openHooks(scope, room)}>Webhooks</>`}</div>
    <ul class="members">${people.map((member) => html`<${Member} key=${member.user_id} member=${member} person=${personOf(member)} isOnline=${isOnline(member)} lastSeen=${store.lastSeen.get(member.user_id) ?? member.last_seen}
      actions=${actionsOn(scope, room, member, () => load())} />`)}</ul>
    ${people.length < count && html`<div class="buttons"><${Button} small testid="members-more" onClick=${more}>${`Show more (${count - people.length})`}</></div>`}
  </>`;
}
