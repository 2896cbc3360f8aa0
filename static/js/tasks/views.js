/* The views of tasks, at the left: mine, what is due, and a board for each workspace and department. */
import { addressOf, place } from "../app/place.js";
import { html } from "../kit/html.js";
import { List } from "../kit/layout.js";
import { Roving } from "../kit/list.js";

const FIXED = [
  { label: "All tasks", query: {} },
  { label: "My tasks", query: { mine: "1" } },
  { label: "Overdue", query: { due: "overdue" } },
  { label: "Due today", query: { due: "today" } },
  { label: "Due within 7 days", query: { due: "week" } },
];

const keyOf = (query) => JSON.stringify(Object.entries(query).filter(([name]) => !["view", "order"].includes(name)).sort());

function Entries({ entries, label }) {
  const { query: now } = place.value;
  const shape = { view: now.view, order: now.order };
  return html`<${Roving} selector=".row" class="task-views" aria-label=${label}>${entries.map(({ label: words, query }) => html`<li key=${words}>
    <a class="row" href=${addressOf("tasks", { ...query, ...shape })} aria-current=${keyOf(query) === keyOf(now) ? "true" : undefined}><span class="room-name">${words}</span></a></li>`)}</>`;
}

const entriesOf = (name, list) => list.map((one) => ({ label: one.name, query: { [name]: String(one.id) } }));

function Group({ title, entries }) {
  if (!entries.length) return null;
  return html`<h3 class="task-views-title">${title}</h3><${Entries} entries=${entries} label=${title} />`;
}

/** @param {{ workspaces: any[], departments: any[] }} props */
export const Views = ({ workspaces, departments }) => html`<${List} title="Tasks" label="Views of tasks">
  <${Entries} entries=${FIXED} label="Views" />
  <${Group} title="Workspaces" entries=${entriesOf("workspace", workspaces)} />
  <${Group} title="Departments" entries=${entriesOf("department", departments)} />
</>`;
