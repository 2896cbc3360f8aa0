/* Somebody's page: who they are, the way to write to them, and what one may change about them. */
import { displayName } from "../app/directory.js";
import { useScope } from "../app/scope.js";
import { exactTime, moment } from "../format.js";
import { Button, Empty, PersonAvatar } from "../kit/controls.js";
import { html, useEffect, useState } from "../kit/html.js";
import { statusOf } from "../status.js";
import { Administration } from "./admin.js";
import { Head } from "./head.js";
import { presenceIn } from "./presence.js";
import { roleName } from "./rights.js";

const nameOf = (departments, id) => departments.find((one) => one.id === id)?.name ?? "None";

export function Person({ id, people }) {
  const { directory, store, follow, me } = useScope();
  const [trouble, setTrouble] = useState("");
  directory.changes.value;
  follow("rooms", "me");
  const person = directory.get(id);
  useEffect(() => {
    people.read(id).then(() => setTrouble(""), (error) => setTrouble(error.status === 404 ? "There is no such person." : error.message));
  }, [id]);
  if (!person) return html`<${Head} title="Person" /><${Empty} icon="person"><p>${trouble || "Loading…"}</p></>`;
  return html`<${Head} title=${displayName(person)}><${Write} id=${id} /></>
    <div class="scroll"><div class="page" data-testid="person-page">
      ${trouble && html`<p class="form-message" role="alert">${trouble}</p>`}
      <div class="person-head"><${PersonAvatar} person=${person} /><div>
        <p class="person-head-name">${displayName(person)}</p>
        <p class="hint">${`@${person.username}`}</p>
        ${statusOf(person) && html`<p data-testid="person-status">${statusOf(person)}</p>`}</div></div>
      <${Facts} person=${person} isOnline=${presenceIn(store, me())(person)} departments=${people.departments.value} />
      <${Administration} person=${person} people=${people} />
    </div></div>`;
}

function Write({ id }) {
  const { api, chat, say } = useScope();
  const write = () => chat.enterRoom(api.openDirect(id)).catch((error) => say(error.message));
  return html`<${Button} kind="primary" icon="chat" testid="person-write" onClick=${write}>Write</>`;
}

export function Facts({ person, isOnline: online, departments }) {
  const seen = person.last_seen && !online ? html`Last seen <time datetime=${person.last_seen} title=${exactTime(person.last_seen)}>${moment(new Date(person.last_seen))}</time>` : null;
  const facts = [
    ["Role", roleName(person.role)],
    ["Department", nameOf(departments, person.department)],
    ["State", person.is_active ? (online ? "Online" : seen ?? "Offline") : "Deactivated"],
    person.email && ["Email", html`<a href=${`mailto:${person.email}`}>${person.email}</a> <span class="hint">${person.email_verified ? "verified" : "not verified"}</span>`],
    ["Here since", html`<time datetime=${person.date_joined}>${moment(new Date(person.date_joined))}</time>`],
  ];
  return html`<dl class="facts">${facts.filter(Boolean).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
