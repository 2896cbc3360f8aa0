/* A task that a message names shows as a card of one line. Each is asked for once, and asked again when it is shown later. */
import { shortDay } from "../format.js";
import { html, signal } from "../kit/html.js";
import { STATUS_NAMES } from "../words.js";
import { tasksIn } from "./text.js";

const FRESH_MS = 60_000;

/** What is known of tasks that messages name: `get(id)` is the task, null where one may not see it, undefined while it is asked for. */
export function createTaskLookup({ call }) {
  const known = signal(new Map());
  const askedAt = new Map();

  function ask(id) {
    askedAt.set(id, Date.now());
    const put = (task) => { known.value = new Map(known.value).set(id, task); };
    call("GET", `/api/tasks/${id}/`).then(put, (error) => { if (error.status === 404 || error.status === 403) put(null); });
  }

  return {
    get(id) {
      if (Date.now() - (askedAt.get(id) ?? 0) > FRESH_MS) setTimeout(() => ask(id));
      return known.value.get(id);
    },
    /** What a socket or an answer said of a task that is shown somewhere. */
    put(task) {
      if (known.value.has(task.id)) known.value = new Map(known.value).set(task.id, task);
    },
  };
}

function Card({ id, env }) {
  const task = env.tasks.get(id);
  if (task === null) return null;
  const facts = task ? [STATUS_NAMES[task.status], task.due_date && shortDay(task.due_date), task.assignees.map((person) => env.nameOf(person)).join(", ")] : [];
  return html`<a class="task-in-chat" data-testid="task-in-chat" href=${`#task-${id}`}><span class="task-number">${`#${id}`}</span>
    <span class="task-name">${task?.title ?? "…"}</span>${facts.filter(Boolean).map((fact) => html`<span class="hint">${fact}</span>`)}</a>`;
}

export const TaskCards = ({ text, env }) => tasksIn(text, location.origin).map((id) => html`<${Card} key=${id} id=${id} env=${env} />`);
