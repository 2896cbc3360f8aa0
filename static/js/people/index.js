/* People: everybody, with search; somebody's page; the departments; and one's own profile. */
import { displayName } from "../app/directory.js";
import { addressOf, go, place, replace } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { Button, PersonAvatar } from "../kit/controls.js";
import { html, useEffect, useRef } from "../kit/html.js";
import { Content, List, View as Parts } from "../kit/layout.js";
import { Roving } from "../kit/list.js";
import { Departments } from "./departments.js";
import { peopleOf } from "./known.js";
import { Overview } from "./overview.js";
import { Person } from "./person.js";
import { Profile } from "./profile.js";
import { presenceIn } from "./presence.js";
import { ROLES, roleName } from "./rights.js";

import { statusOf } from "../status.js";

const SEARCH_MS = 200;

export function View() {
  const people = peopleOf(useScope());
  const { id, name } = place.value;
  useEffect(() => { people.loadDepartments(); }, []);
  const isContent = Boolean(id) || name === "profile" || name === "departments";
  return html`<${Parts} name="people" shown=${isContent ? "content" : "list"}>
    <${Everybody} people=${people} />
    <${Content} label=${name === "profile" ? "Profile" : "Person"}><${Shown} people=${people} /></>
  </>`;
}

function Shown({ people }) {
  const { me } = useScope();
  const { id, name } = place.value;
  if (name === "profile" || id === me().id) return html`<${Profile} people=${people} />`;
  if (name === "departments") return html`<${Departments} people=${people} />`;
  if (id) return html`<${Person} key=${id} id=${id} people=${people} />`;
  return html`<${Overview} />`;
}

/* What is searched for stays in the address, whoever is opened, so that a reload and the back button find it. */
const narrowed = () => {
  const { search = "", role = "", department = "" } = place.value.query;
  return { search, role, department };
};
const wordHere = ({ kind, id, name }) => (kind ? `${kind}-${id}` : name || "people");
const narrow = (change) => replace(addressOf(wordHere(place.value), { ...narrowed(), ...change }));
const addressOfPerson = (person, me) => addressOf(person.id === me.id ? "profile" : `person-${person.id}`, narrowed());

function Everybody({ people }) {
  const waiting = useRef(0);
  const { search, role, department } = narrowed();
  useEffect(() => { people.find({ search, role, department }); }, [search, role, department]);
  useEffect(() => () => clearTimeout(waiting.current), []);

  function onSearch(event) {
    const { value } = event.currentTarget;
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => narrow({ search: value.trim() }), SEARCH_MS);
  }

  const tools = html`<${Button} kind="quiet" small testid="open-departments" onClick=${() => go("#departments")}>Departments</>`;
  return html`<${List} title="People" tools=${tools}>
    <div class="list-tools">
      <input class="input" type="search" placeholder="Find somebody" aria-label="Find somebody" data-testid="people-search" defaultValue=${search} onInput=${onSearch} />
      <div class="abreast">
        <select class="input" aria-label="Role" data-testid="people-role" value=${role} onChange=${(event) => narrow({ role: event.currentTarget.value })}>
          <option value="">Every role</option>${ROLES.map((one) => html`<option value=${one}>${roleName(one)}</option>`)}</select>
        <select class="input" aria-label="Department" data-testid="people-department" value=${department} onChange=${(event) => narrow({ department: event.currentTarget.value })}>
          <option value="">Anywhere</option>${people.departments.value.map((one) => html`<option value=${String(one.id)}>${one.name}</option>`)}</select>
      </div>
    </div>
    <${Found} people=${people} />
  </>`;
}

function Found({ people }) {
  const { directory, me, store, follow } = useScope();
  follow("rooms", "me");
  directory.changes.value;
  const known = (person) => directory.get(person.id) ?? person;
  const isOnline = presenceIn(store, me());
  const { items, count, status, problem } = people.found.value;
  const openId = place.value.name === "profile" ? me().id : place.value.id;
  const trouble = problem && html`<div class="list-foot"><p class="form-message" role="alert">${problem}</p><${Button} small testid="people-again" onClick=${() => people.find()}>Try again</></div>`;
  return html`${trouble}<${Roving} selector=".row" aria-label="People" data-testid="people">
      ${items.map((person) => html`<li key=${person.id}><a class="row" data-testid="person" data-user-id=${person.id} data-active=${String(person.is_active)}
        aria-current=${person.id === openId ? "true" : undefined} href=${addressOfPerson(person, me())}>
        <span class="avatar-place"><${PersonAvatar} person=${person} small />${isOnline(person) && html`<span class="online" title="Online"></span>`}</span>
        <span class="row-name">${displayName(person)}${statusOf(known(person)) && html`<span class="room-status" data-testid="person-status">${` ${statusOf(known(person))}`}</span>`}</span><span class="hint">${person.is_active ? roleName(person.role) : "Deactivated"}</span></a></li>`)}
    </>
    ${!items.length && !problem && html`<p class="empty">${status === "loading" ? "Loading people…" : "Nobody found."}</p>`}
    ${items.length < count && html`<div class="list-foot"><${Button} testid="people-more" onClick=${people.more}>${`Show more (${count - items.length})`}</></div>`}`;
}
