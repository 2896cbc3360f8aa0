/* The tasks as a list in one order: a row a task, read on page by page. */
import { Button } from "../kit/controls.js";
import { html, useState } from "../kit/html.js";
import { Roving } from "../kit/list.js";
import { PRIORITIES, STATUSES, labelOf } from "../tasks.js";
import { DueChip, Faces } from "./card.js";
import { dueChip } from "./due.js";
import { wordsOf } from "./engine.js";

function Row({ task, directory, isOpen, open }) {
  return html`<li><button type="button" class="task-row task-card" data-testid="task-card" data-task-id=${task.id} data-status=${task.status} data-priority=${task.priority} aria-current=${isOpen ? "true" : undefined} onClick=${() => open(task.id)}>
    <span class="card-title" dir="auto">${task.title}</span>
    <span class="row-faces"><${Faces} people=${task.assigned_to.map((one) => directory.person(one))} /></span>
    <span class="row-due"><${DueChip} due=${dueChip(task)} iso=${task.due_date} /></span>
    <span class="row-word">${labelOf(PRIORITIES, task.priority)}</span>
    <span class="row-word">${labelOf(STATUSES, task.status)}</span>
  </button></li>`;
}

export function ListView({ tasks, scope, open, handle }) {
  const [problem, setProblem] = useState("");
  tasks.changes.value;
  const rows = tasks.listed();
  scope.directory.changes.value;
  handle.current = { focus: (id) => document.querySelector(`.task-row[data-task-id="${id}"]`)?.focus() };
  const more = () => {
    setProblem("");
    return tasks.moreListed().catch((error) => setProblem(wordsOf(error)));
  };
  return html`<div class="task-list scroll" data-testid="task-list">
    <${Roving} selector=".task-row" class="task-rows" aria-label="Tasks">${rows.map((task) => html`<${Row} key=${task.id} task=${task} directory=${scope.directory} isOpen=${task.id === tasks.state.openId} open=${open} />`)}</>
    <p class="problem" role="alert">${problem}</p>
    ${tasks.state.listing.hasMore && html`<${Button} small testid="list-more" onClick=${more}>${`Show more (${tasks.countListed() - rows.length})`}</>`}
  </div>`;
}
