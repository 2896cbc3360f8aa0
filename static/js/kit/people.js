/* A searchable list of people to choose from. */
import { displayName } from "../app/directory.js";
import { useScope } from "../app/scope.js";
import { Button, Icon, PersonAvatar } from "./controls.js";
import { html, useEffect, useRef, useState } from "./html.js";

const SEARCH_MS = 200;

function Option({ person, isChosen, many, pick }) {
  return html`<li><${Button} class="person" kind="none" testid="person-option" data-user-id=${person.id} data-username=${person.username} aria-pressed=${many ? String(isChosen) : undefined} onClick=${() => pick(person)}>
    <span class="avatar-place"><${PersonAvatar} person=${person} />${person.is_online && html`<span class="online" title="Online"></span>`}</span>
    <span class="person-name">${displayName(person)}</span><span class="person-handle">${`@${person.username}`}</span>
    ${many && html`<span class="check" aria-hidden="true"><${Icon} name="check" /></span>`}</></li>`;
}

/**
 * `choose(person)` may return a promise; with `many` it hears of each press, and `chosen` is the Map of id -> person of
 * those that are chosen. `hide` are ids that are not offered, nor is oneself without `withMe`. `find(search)` is a
 * promise of people, where not everybody is asked for.
 */
export function PeoplePicker({ hide = [], many = false, withMe = false, chosen = new Map(), choose, problem, find }) {
  const { api, me } = useScope();
  const [found, setFound] = useState(null);
  const asked = useRef(0);
  const waiting = useRef(0);
  const field = useRef(null);

  async function load() {
    asked.current += 1;
    const mine = asked.current;
    try {
      const people = await (find ?? api.people)(field.current?.value.trim() ?? "");
      if (mine === asked.current) setFound(people);
    } catch (error) {
      problem(error.message);
    }
  }

  useEffect(() => {
    load();
    return () => clearTimeout(waiting.current);
  }, []);

  function onInput() {
    clearTimeout(waiting.current);
    waiting.current = setTimeout(load, SEARCH_MS);
  }

  const hidden = new Set(withMe ? hide : [me().id, ...hide]);
  const shown = (found ?? []).filter((person) => !hidden.has(person.id));
  return html`<div class="picker">
    <input ref=${field} class="input" type="search" placeholder="Search people" aria-label="Search people" data-testid="person-search" autofocus onInput=${onInput} />
    <ul class="people" aria-label="People">${shown.map((person) => html`<${Option} key=${person.id} person=${person} many=${many} isChosen=${chosen.has(person.id)} pick=${choose} />`)}
      ${found && !shown.length && html`<li class="empty">Nobody found.</li>`}</ul>
  </div>`;
}
