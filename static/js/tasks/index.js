/* The tasks: views at the left, what narrows them, the board or the list, and the task that is open. */
import { displayName } from "../app/directory.js";
import { PersonMenu } from "../app/person.js";
import { addressOf, forgetPlace, go, leadOn, place } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { useShortcuts } from "../app/shortcuts.js";
import { Button, Empty } from "../kit/controls.js";
import { html, useEffect, useLayoutEffect, useRef } from "../kit/html.js";
import { Content, View as Parts, isPhone } from "../kit/layout.js";
import { STATUSES } from "../tasks.js";
import { Board } from "./board.js";
import { Detail } from "./detail.js";
import { useTasks } from "./engine.js";
import { FilterBar } from "./filterbar.js";
import { fromQuery, givenBy, isFiltered, shapeOf, toQuery } from "./filters.js";
import { ListView } from "./listview.js";
import { askForTask } from "./newtask.js";
import { MyProposals } from "./people.js";
import { Views } from "./views.js";

/** Follows the address: the filters, the shape, and the task that it names. */
function usePlace(tasks) {
  const { kind, id, part, query } = place.value;
  const key = JSON.stringify(query);
  const [filters, shape] = [fromQuery(query), shapeOf(query)];
  // Before anything is painted: a filter that was chosen holds at once.
  useLayoutEffect(() => { tasks.show(filters, shape); }, [key]);
  useEffect(() => {
    if (kind !== "task") {
      if (tasks.state.openId !== null) tasks.close();
      if (key === "{}") forgetPlace("tasks");
    } else if (tasks.state.openId !== id) tasks.open(id);
  }, [kind, id, key]);
  return { filters, shape, openId: kind === "task" ? id : null, comment: part, query: toQuery(filters, shape) };
}

/** Everybody whom the tasks can be narrowed to: those who are known, and those who are assigned. */
function peopleOf({ directory, me }, tasks) {
  directory.changes.value;
  const found = new Map([...tasks.state.known.values()].flatMap((task) => task.assigned_to).map((person) => [person.id, person]));
  for (const person of [me(), ...directory.all()]) found.set(person.id, person);
  return [...found.values()].map((person) => ({ id: person.id, name: displayName(person) })).sort((a, b) => a.name.localeCompare(b.name));
}

function titleOf(filters, { workspaces, departments }) {
  const named = (list, id) => list.find((one) => String(one.id) === id)?.name;
  return named(workspaces, filters.workspace) ?? named(departments, filters.department) ?? (filters.mine ? "My tasks" : filters.due === "overdue" ? "Overdue" : "Tasks");
}

function emptyWords(state, filters, isEmpty) {
  if (state.status === "loading") return "Loading tasks…";
  if (!isEmpty) return "";
  return isFiltered(filters) ? "No task matches these filters." : "No tasks yet. Make the first one.";
}

function Nothing({ words, offer }) {
  return html`<${Empty} icon=${words ? "board" : ""}><p class="board-empty" data-testid="board-empty" role="status">${words}</p>
    ${offer && html`<${Button} kind="primary" testid="new-task-first" onClick=${offer}>New task</>`}</>`;
}

function Trouble({ tasks }) {
  tasks.changes.value;
  const { status, problem } = tasks.state;
  if (status !== "failed") return null;
  return html`<div class="form-message task-problem" role="alert"><span>${problem}</span><${Button} small testid="tasks-again" onClick=${tasks.load}>Try again</></div>`;
}

export function View() {
  const scope = useScope();
  const tasks = useTasks(scope);
  const { filters, shape, openId, comment, query } = usePlace(tasks);
  const { state } = tasks;
  const shown = useRef(null); // {focus(id)} of the board or the list
  const before = useRef(null); // the task that was open

  const open = (id) => go(addressOf(`task-${id}`, query));
  const close = () => {
    forgetPlace("tasks");
    go(addressOf("tasks", query));
  };
  const removed = () => {
    forgetPlace("tasks");
    leadOn(addressOf("tasks", query));
  };
  const create = () => {
    const { assignees, ...given } = givenBy(filters, tasks.may.manage());
    askForTask(scope, {
      tasks, given: Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])),
      made: (task) => scope.say(`“${task.title}” has been made.`, { label: "Open it", address: addressOf(`task-${task.id}`, query) }),
    });
  };
  useShortcuts([{ keys: "c", words: "New task", run: create }]);

  /* Whoever closes a task is back at its card. */
  useEffect(() => {
    if (before.current && state.openId === null && document.activeElement === document.body) shown.current?.focus(before.current);
    before.current = state.openId;
  }, [state.openId]);

  const isList = shape.view === "list";
  const isEmpty = state.status === "ready" && (isList ? !tasks.countListed() : STATUSES.every(({ id }) => !tasks.countOf(id)));
  const hasDetail = openId !== null && state.openId === openId;
  const Shape = isList ? ListView : Board;
  return html`<${Parts} name="tasks" shown=${openId !== null ? "side" : "content"}>
    ${!isPhone.value && html`<${Views} workspaces=${state.workspaces} departments=${state.departments} />`}
    <${Content} label="Board" class="tasks-content">
      <header class="part-head"><h2 class="part-title">${titleOf(filters, state)}</h2>
        <span class="hint lag" data-testid="tasks-state" role="status">${["connected", "idle"].includes(state.connection) ? "" : "catching up…"}</span>
        <${Button} kind="primary" small icon="add" testid="new-task" onClick=${create}>New task</>${isPhone.value && html`<${PersonMenu} />`}</header>
      <${FilterBar} filters=${filters} shape=${shape} people=${peopleOf(scope, tasks)} departments=${state.departments} workspaces=${state.workspaces} to=${(next, form) => addressOf(openId ? `task-${openId}` : "tasks", toQuery(next, form))} />
      <${Trouble} tasks=${tasks} /><${MyProposals} tasks=${tasks} scope=${scope} />
      ${isEmpty || state.status === "loading" ? html`<${Nothing} words=${emptyWords(state, filters, isEmpty)} offer=${isEmpty && !isFiltered(filters) ? create : null} />` : html`<${Shape} tasks=${tasks} scope=${scope} open=${open} handle=${shown} />`}
    </>
    ${hasDetail && html`<${Detail} tasks=${tasks} comment=${comment} actions=${{ close, removed, discuss: (task) => scope.chat.enterRoom(scope.api.openTaskRoom(task.id)) }} />`}
  </>`;
}
