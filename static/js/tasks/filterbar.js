/* What narrows the tasks, as chips in one line, and the choice of how they are shown. */
import { go, replace } from "../app/place.js";
import { Button } from "../kit/controls.js";
import { html, useEffect, useRef, useState } from "../kit/html.js";
import { PRIORITIES, STATUSES } from "../tasks.js";
import { DUE, NO_FILTERS, ORDERS, isFiltered, usualOrder } from "./filters.js";

const SEARCH_MS = 250;
const named = (list) => list.map(({ id, name }) => ({ id: String(id), label: name }));

function Choice({ name, label, every, options, value, set }) {
  return html`<select class="chip filter" data-testid=${`task-filter-${name}`} data-active=${value ? "true" : undefined} aria-label=${label} value=${value} onChange=${(event) => set({ [name]: event.target.value })}>
    ${[{ id: "", label: every }, ...options].map(({ id, label: words }) => html`<option key=${id} value=${id} selected=${id === value}>${words}</option>`)}
  </select>`;
}

/** What is typed is in the address after a moment; what the address says otherwise stands in the field. */
function Search({ value, set }) {
  const [text, setText] = useState(value);
  const waiting = useRef(0);
  const told = useRef(value);
  useEffect(() => {
    if (value !== told.current) setText(value);
    told.current = value;
  }, [value]);
  useEffect(() => () => clearTimeout(waiting.current), []);

  function onInput(event) {
    const next = event.target.value;
    setText(next);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => {
      told.current = next.trim();
      set({ search: next.trim() });
    }, next ? SEARCH_MS : 0);
  }

  return html`<input class="input task-search" type="search" data-testid="task-search" placeholder="Search tasks" aria-label="Search tasks" value=${text} onInput=${onInput} />`;
}

/** `to(filters, shape)` is the address for them. People are [{id, name}]. */
export function FilterBar({ filters, shape, people, departments, workspaces, to }) {
  const set = (change) => replace(to({ ...filters, ...change }, shape));
  const choice = (name, label, every, options) => html`<${Choice} name=${name} label=${label} every=${every} options=${options} value=${filters[name]} set=${set} />`;
  const View = ({ id, label }) => html`<${Button} small testid=${`task-view-${id}`} aria-pressed=${String(shape.view === id)} onClick=${() => go(to(filters, { view: id, order: shape.order === usualOrder(shape.view) ? usualOrder(id) : shape.order }))}>${label}</>`;
  return html`<div class="task-filters" role="group" aria-label="Filters">
    <${Search} value=${filters.search} set=${set} />
    <label class="chip filter mine" data-active=${filters.mine ? "true" : undefined}><input type="checkbox" data-testid="task-filter-mine" checked=${filters.mine} onChange=${(event) => set({ mine: event.target.checked })} />Mine</label>
    ${choice("assignee", "Assigned to", "Person", named(people))}
    ${choice("due", "Due", "Due", DUE)}
    ${choice("status", "Status", "Status", STATUSES)}
    ${choice("priority", "Priority", "Priority", PRIORITIES)}
    ${departments.length > 0 && choice("department", "Department", "Department", named(departments))}
    ${workspaces.length > 0 && choice("workspace", "Workspace", "Workspace", named(workspaces))}
    ${isFiltered(filters) && html`<${Button} small kind="quiet" testid="task-filters-clear" onClick=${() => { replace(to(NO_FILTERS, shape)); document.querySelector("[data-testid=task-search]")?.focus(); }}>Clear filters</>`}
    <span class="task-shape" role="group" aria-label="Shown as">
      <select class="chip filter" data-testid="task-order" aria-label="Order" value=${shape.order} onChange=${(event) => replace(to(filters, { ...shape, order: event.target.value }))}>
        ${ORDERS.map(({ id, label }) => html`<option key=${id} value=${id} selected=${id === shape.order}>${label}</option>`)}</select>
      <${View} id="board" label="Board" /><${View} id="list" label="List" />
    </span>
  </div>`;
}
