/* What a task says of itself: status, priority, due, estimate, department, workspace, and its description. */
import { Text } from "../chat/messagetext.js";
import { moment } from "../format.js";
import { html, useState } from "../kit/html.js";
import { PRIORITIES, STATUSES } from "../tasks.js";
import { DueChip } from "./card.js";
import { dueChip } from "./due.js";
import { wordsOf } from "./engine.js";
import { ChoiceInPlace, InPlace } from "./inplace.js";
import { moveTask } from "./move.js";

const NONE = { id: "", label: "None" };
export const namedChoices = (list) => [NONE, ...list.map(({ id, name }) => ({ id, label: name }))];

const Fact = ({ label, children }) => html`<div class="task-fact"><span class="label" aria-hidden="true">${label}</span><div>${children}</div></div>`;

/** The one part that is not saved but moved, at once. */
function Status({ tasks, task, disabled }) {
  const [problem, setProblem] = useState("");
  const [round, setRound] = useState(0);

  async function move(event) {
    setProblem("");
    const status = event.target.value;
    await moveTask({ tasks, task, status }).catch((error) => setProblem(`Not moved. ${wordsOf(error)}`));
    setRound((number) => number + 1); // whoever gives it up is back where they were
  }

  return html`<select key=${round} class="input quiet-select" data-testid="task-status" aria-label="Status" data-status=${task.status} disabled=${disabled} value=${task.status} onChange=${move}>
      ${STATUSES.map(({ id, label }) => html`<option key=${id} value=${id} selected=${id === task.status}>${label}</option>`)}</select>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}`;
}

function dueReading(task) {
  if (!task.due_date) return html`<span class="hint">No date</span>`;
  return html`<${DueChip} due=${dueChip(task)} iso=${task.due_date} /> <span>${moment(new Date(task.due_date))}</span>`;
}

export function Facts({ tasks, task, form, may }) {
  const { departments, workspaces } = tasks.state;
  return html`<div class="task-facts">
    <${Fact} label="Status"><${Status} tasks=${tasks} task=${task} disabled=${!may.change} /></>
    <${Fact} label="Priority"><${ChoiceInPlace} form=${form} name="priority" label="Priority" options=${PRIORITIES} disabled=${!may.change} /></>
    <${Fact} label="Due"><${InPlace} form=${form} name="due_date" label="Due" type="datetime-local" disabled=${!may.change} reading=${dueReading(task)} /></>
    <${Fact} label="Estimate"><${InPlace} form=${form} name="estimate_hours" label="Estimate, hours" inputmode="decimal" disabled=${!may.change} reading=${task.estimate_hours ? `${Number(task.estimate_hours)} h` : html`<span class="hint">None</span>`} /></>
    ${departments.length > 0 && html`<${Fact} label="Department"><${ChoiceInPlace} form=${form} name="department" label="Department" options=${namedChoices(departments)} disabled=${!may.change || !may.assign} /></>`}
    ${workspaces.length > 0 && html`<${Fact} label="Workspace"><${ChoiceInPlace} form=${form} name="workspace" label="Workspace" options=${namedChoices(workspaces)} disabled=${!may.change || !may.assign} /></>`}
  </div>`;
}

/** Markdown that reads as text, with its links, lists and code. */
export function Description({ task, form, may, env }) {
  const reading = task.description ? html`<${Text} text=${task.description} env=${env} testid="task-description-text" />` : may.change && html`<p class="hint">Add a description</p>`;
  return html`<div class="task-description"><${InPlace} form=${form} name="description" label="Description" control="textarea" rows="4" disabled=${!may.change} reading=${reading} /></div>`;
}
