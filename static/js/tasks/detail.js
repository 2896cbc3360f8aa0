/* One task with everything that belongs to it, in the side panel: it reads as text, and is edited in place. */
import { useScope } from "../app/scope.js";
import { useShortcuts } from "../app/shortcuts.js";
import { exactTime, moment } from "../format.js";
import { Button } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef } from "../kit/html.js";
import { Side, isPhone } from "../kit/layout.js";
import { Comments, Older, When } from "./comments.js";
import { unsentWords } from "./draft.js";
import { wordsOf } from "./engine.js";
import { Description, Facts } from "./facts.js";
import { Files, createUploads } from "./files.js";
import { createTaskForm } from "./form.js";
import { happened } from "./history.js";
import { InPlace } from "./inplace.js";
import { Assignees, Proposals } from "./people.js";

function History({ tasks }) {
  const { directory } = useScope();
  const { state } = tasks;
  tasks.changes.value;
  const choices = { departments: state.departments, workspaces: state.workspaces };
  const words = (entry) => `${happened(entry, { choices, name: (id) => directory.name(id) })}${entry.reason ? `: ${entry.reason}` : ""}`;
  return html`<section class="task-section" aria-label="History"><h3 class="section-title">History</h3>
    <ul data-testid="task-history">${state.history.map((entry) => html`<li key=${entry.id} class="history-item" data-testid="task-history-item" data-action=${entry.action}>
      <span><strong>${entry.user ? directory.name(entry.user) : "Somebody"}</strong>${` ${words(entry)}`}</span><${When} iso=${entry.created_at} /></li>`)}</ul>
    <${Older} testid="history-older" count=${state.moreHistory} load=${tasks.olderHistory} />
  </section>`;
}

function Origin({ task }) {
  const { directory } = useScope();
  const at = (iso) => html`<time datetime=${iso} title=${exactTime(iso)}>${moment(new Date(iso))}</time>`;
  return html`<p class="hint" data-testid="task-by"><a href=${`#task-${task.id}`} title="The address of this task">${`Task ${task.id}`}</a>${`, made by ${directory.name(task.creator)}, `}${at(task.created_at)}${task.completed_at && html`; done ${at(task.completed_at)}`}</p>`;
}

/** Shown while something is written and not saved. */
function SaveBar({ form }) {
  const message = form.message.value;
  const isReady = form.isReady();
  if (!isReady && !message) return null;
  return html`<div class="save-bar"><p class="form-message" role="alert" data-testid="task-message">${message}</p>
    ${isReady && html`<div class="buttons"><${Button} small kind="primary" testid="task-save" onClick=${form.save}>${form.hasContest() ? "Save mine over theirs" : "Save"}</><${Button} small testid="task-undo" onClick=${form.discard}>Discard</></div>`}</div>`;
}

/** What texts in a task need: who one is, and how people are called. */
function useEnvironment({ me, directory }) {
  directory.changes.value;
  return useMemo(() => ({
    me: me(),
    nameOfUsername: (username) => directory.all().find((person) => person.username === username)?.full_name ?? "",
  }), [me(), directory.changes.value]);
}

function removeTask(tasks, task, { removed, say }) {
  confirm({ title: "Delete task", text: `“${task.title}” disappears for everyone.`, action: "Delete" })
    .then((isSure) => isSure && tasks.remove(task).then(removed, (error) => say(wordsOf(error))));
}

function Loaded({ tasks, task, comment, actions, title }) {
  const scope = useScope();
  const { state } = tasks;
  const form = useMemo(() => createTaskForm({ tasks, task }), [task.id]);
  const env = useEnvironment(scope);
  const uploads = scope.engine("task-uploads", createUploads);
  const isGone = Boolean(state.trouble);
  const may = { change: tasks.may.change(task), assign: tasks.may.assign(task) };

  useLayoutEffect(() => { if (task.version > form.base().version) form.follow(task); }, [task.version]);
  useShortcuts([{ keys: "e", words: "Edit the task's title", run: () => document.querySelector(".task-detail [data-testid=task-title]")?.focus() }]);
  useEffect(() => {
    const take = (files, target) => {
      if (state.trouble || !target.closest?.("[data-testid=task-detail]")) return false;
      uploads.take(tasks, task.id, files);
      return true;
    };
    scope.fileTakers.add(take);
    return () => scope.fileTakers.delete(take);
  }, [task.id]);

  const head = html`<header class="task-head">
    <div class="part-head">
      ${isPhone.value && html`<${Button} kind="quiet" icon="back" label="Back" testid="task-close" onClick=${actions.close} />`}
      <span class="grow"></span>
      ${tasks.may.remove(task) && !isGone && html`<${Button} small kind="quiet" testid="task-delete" icon="remove" onClick=${() => removeTask(tasks, task, { removed: actions.removed, say: scope.say })}>Delete</>`}
      ${!isPhone.value && html`<${Button} kind="quiet" icon="close" label="Close" testid="task-close" onClick=${actions.close} />`}
    </div>
    ${isGone && html`<p class="form-message" role="alert" data-testid="task-trouble">${state.trouble}</p>`}
    <${InPlace} form=${form} name="title" label="Title" maxlength="255" disabled=${!may.change} reading=${html`<h2 ref=${title} class="task-name-read" tabindex="-1" dir="auto">${task.title}</h2>`} />
  </header>`;
  return html`<${Side} class="task-detail" testid="task-detail" label="Task" close=${actions.close} head=${head} foot=${html`<${SaveBar} form=${form} />`} data-task-id=${task.id}>
    <${Origin} task=${task} />
    <${Facts} tasks=${tasks} task=${task} form=${form} may=${may} />
    <${Description} task=${task} form=${form} may=${may} env=${env} />
    <${Assignees} tasks=${tasks} task=${task} may=${may} />
    <${Proposals} tasks=${tasks} task=${task} />
    <${Files} tasks=${tasks} task=${task} uploads=${uploads} isGone=${isGone} />
    <${Comments} tasks=${tasks} task=${task} target=${comment} env=${env} discuss=${() => actions.discuss(task)} />
    <${History} tasks=${tasks} />
  </>`;
}

/** While there is no task to show: why not, or that it is on its way; and what one had written here. */
function Missing({ tasks, id, actions, title }) {
  const { trouble } = tasks.state;
  const left = trouble ? unsentWords(tasks.kept, id) : "";
  const head = html`<header class="part-head">
    ${isPhone.value && html`<${Button} kind="quiet" icon="back" label="Back" testid="task-close" onClick=${actions.close} />`}
    <h2 ref=${title} class="part-title" tabindex="-1">${`Task ${id}`}</h2>
    ${!isPhone.value && html`<${Button} kind="quiet" icon="close" label="Close" testid="task-close" onClick=${actions.close} />`}</header>`;
  return html`<${Side} class="task-detail" testid="task-detail" label="Task" close=${actions.close} head=${head} data-task-id=${id}>
    <p role="alert" data-testid="task-trouble">${trouble || "Opening…"}</p>
    ${trouble && html`<div class="buttons"><${Button} small testid="task-again" onClick=${() => tasks.open(id)}>Try again</></div>`}
    ${left && html`<label class="field" data-testid="task-unsent"><span class="label">What you had written here</span><textarea class="input" rows="6" readonly data-kept value=${left}></textarea></label>`}
  </>`;
}

/** `actions` -> {close(), removed(), discuss(task)}. The task's title has the focus when another one is opened, or the comment that is looked for. */
export function Detail({ tasks, comment, actions }) {
  const { openId: id, open: task } = tasks.state;
  const title = useRef(null);
  useEffect(() => {
    if (!comment && !document.querySelector("dialog[open]")) title.current?.focus();
  }, [id, Boolean(task)]);
  return task ? html`<${Loaded} key=${id} tasks=${tasks} task=${task} comment=${comment} actions=${actions} title=${title} />` : html`<${Missing} key=${`missing ${id}`} tasks=${tasks} id=${id} actions=${actions} title=${title} />`;
}
