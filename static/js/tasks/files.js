/* The files of a task, and those on their way to it, with how far they are and a way to call them back. */
import { useScope } from "../app/scope.js";
import { Attachment } from "../chat/files.js";
import { Button, Icon } from "../kit/controls.js";
import { html, signal, useRef } from "../kit/html.js";
import { later } from "../kit/toast.js";
import { names } from "../format.js";
import { wordsOf } from "./engine.js";

let lastId = 0;

/** What goes up: {list: signal of [{id, task, words, fraction, abort}], problem: signal of {task, words}, leaving: signal of a Set, take(tasks, id, files)}. */
export function createUploads() {
  const list = signal([]);
  const problem = signal({ task: 0, words: "" });
  const leaving = signal(new Set()); // files that are gone unless somebody takes it back
  const change = (id, now) => { list.value = list.value.map((one) => (one.id === id ? { ...one, ...now } : one)); };

  async function take(tasks, task, files) {
    lastId += 1;
    const id = lastId;
    problem.value = { task, words: "" };
    list.value = [...list.value, { id, task, words: names(files.map((file) => file.name)), fraction: 0, abort() {} }];
    try {
      await tasks.upload(files, { started: (abort) => change(id, { abort }), progress: (fraction) => change(id, { fraction }) });
    } catch (error) {
      if (error.code !== "cancelled") problem.value = { task, words: wordsOf(error) };
    } finally {
      list.value = list.value.filter((one) => one.id !== id);
    }
  }

  function setLeaving(id, isLeaving) {
    const next = new Set(leaving.value);
    if (isLeaving) next.add(id);
    else next.delete(id);
    leaving.value = next;
  }

  return { list, problem, leaving, setLeaving, take };
}

function File({ file, task, tasks, uploads }) {
  const { say } = useScope();
  const { setLeaving } = uploads;

  function remove() {
    setLeaving(file.id, true);
    later(`${file.file_name} has been removed.`, () => tasks.removeFile(file).catch((error) => {
      setLeaving(file.id, false);
      say(wordsOf(error));
    }), () => setLeaving(file.id, false));
  }

  return html`<li class="file-row" data-testid="task-file-item"><${Attachment} file=${file} among=${task.attachments} />
    ${tasks.may.detach(file, task) && html`<${Button} small kind="quiet" icon="remove" label=${`Remove ${file.file_name}`} onClick=${remove} />`}</li>`;
}

const Waiting = ({ one }) => html`<li class="file-row" data-testid="task-upload"><span class="grow file-name">${one.words}</span>
  <progress max="1" value=${one.fraction} aria-label=${`${one.words}: sent`}></progress><${Button} small testid="cancel-upload" onClick=${() => one.abort()}>Cancel</></li>`;

export function Files({ tasks, task, uploads, isGone }) {
  const input = useRef(null);
  const { task: about, words } = uploads.problem.value;

  function choose() {
    const chosen = [...input.current.files];
    input.current.value = "";
    if (chosen.length) uploads.take(tasks, task.id, chosen);
  }

  return html`<section class="task-section" aria-label="Files">
    <div class="task-section-head"><h3 class="section-title">Files</h3>
      <label class="button quiet small attach"><input ref=${input} type="file" multiple class="only-heard" data-testid="task-file" aria-label="Add files" disabled=${isGone} onChange=${choose} /><${Icon} name="attach" />Add</label></div>
    <ul data-testid="task-files">${task.attachments.filter(({ id }) => !uploads.leaving.value.has(id)).map((file) => html`<${File} key=${file.id} file=${file} task=${task} tasks=${tasks} uploads=${uploads} />`)}
      ${uploads.list.value.filter((one) => one.task === task.id).map((one) => html`<${Waiting} key=${`up${one.id}`} one=${one} />`)}</ul>
    <p class="form-message" role="alert" data-testid="task-file-message">${about === task.id ? words : ""}</p>
  </section>`;
}
