/* A new task. What is written is kept until it is made, or given up. */
import { useScope } from "../app/scope.js";
import { Button, Field } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useState } from "../kit/html.js";
import { PeoplePicker } from "../kit/people.js";
import { PRIORITIES, STATUSES } from "../tasks.js";
import { changesOf } from "./draft.js";
import { wordsOf } from "./engine.js";
import { namedChoices } from "./facts.js";
import { toggled } from "./people.js";

const START = { title: "", description: "", priority: "medium", status: "todo", due_date: "", estimate_hours: "", department: "", workspace: "" };

/** What differs from an empty form. */
const changedFrom = (start, values) => Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== start[name]));

/** Two slots: the words, and the people. */
function useKept(kept, start) {
  const [words, people] = [kept.slot("new-task"), kept.slot("new-task-people")];
  const [values, setValues] = useState({ ...start, ...words.get() });
  const [chosen, setChosen] = useState(new Map((people.get() ?? []).map((person) => [person.id, person])));

  function write(name, value) {
    const next = { ...values, [name]: value };
    const changed = changedFrom(start, next);
    words.set(Object.keys(changed).length ? changed : null);
    setValues(next);
  }

  function choose(next) {
    people.set(next.size ? [...next.values()].map(({ id, username }) => ({ id, username })) : null);
    setChosen(next);
  }

  function clear() {
    words.set(null);
    people.set(null);
    setValues(start);
    setChosen(new Map());
  }

  return { values, chosen, write, choose, clear };
}

/** Where people are looked for who manage nobody: among those of the workspace. */
const membersOf = (workspace) => async (search) =>
  workspace.members.map(({ user }) => user).filter(({ username }) => username.toLowerCase().includes(search.toLowerCase()));

function People({ isOpen, setOpen, form, find, problem }) {
  const { chosen, choose } = form;
  return html`<div class="chooser">
    <button type="button" class="button small" data-testid="task-choose-people" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>${chosen.size ? `Assigned to ${chosen.size}` : "Assign people"}</button>
    ${isOpen && html`<${PeoplePicker} many withMe chosen=${chosen} find=${find} choose=${(person) => choose(toggled(chosen, person))} problem=${problem} />`}
  </div>`;
}

/**
 * Whoever manages nobody makes tasks for themselves, or in a workspace for its
 * members: no department is offered to them, and people only with the workspace.
 */
function NewTask({ tasks, given, made, close }) {
  const { kept } = useScope();
  const form = useKept(kept, { ...START, ...given });
  const { values, chosen } = form;
  const [isBegun, setBegun] = useState(Boolean(kept.get("new-task") || kept.get("new-task-people")));
  const [isChoosing, setChoosing] = useState(chosen.size > 0);
  const [problems, setProblems] = useState({});
  const [message, setMessage] = useState("");
  const manages = tasks.may.manage();
  const { departments, workspaces } = tasks.state;
  const workspace = workspaces.find(({ id }) => String(id) === values.workspace);

  function write(name, value) {
    form.write(name, value);
    if (name === "workspace" && !manages) {
      form.choose(new Map());
      setChoosing(false);
    }
  }

  function refused(error) {
    const fields = Object.entries(error.fields ?? {});
    setProblems(Object.fromEntries(fields.filter(([name]) => name in START).map(([name, texts]) => [name, texts.join(" ")])));
    const others = fields.filter(([name]) => !(name in START)).flatMap(([, texts]) => texts);
    setMessage(fields.length ? others.join(" ") : wordsOf(error));
  }

  async function create() {
    setProblems({});
    setMessage("");
    /** @type {Record<string, any>} */
    const json = { title: values.title, ...changesOf({ words: changedFrom(START, values) }) };
    if (chosen.size && (manages || workspace)) json.assignees = [...chosen.keys()];
    try {
      const task = await tasks.create(json);
      form.clear();
      close(task);
      made(task);
    } catch (error) {
      refused(error);
    }
  }

  function startAfresh() {
    form.clear();
    setBegun(false);
  }

  const field = (name, label, more = {}) => html`<${Field} label=${label} testid=${`task-${name.replace("_", "-")}`} autocomplete="off" data-kept value=${values[name]} problem=${problems[name]}
    onInput=${(event) => write(name, event.target.value)} ...${more} />`;
  const choice = (name, label, options) => field(name, label, { control: "select", options });
  return html`<form class="form" noValidate onSubmit=${(event) => { event.preventDefault(); create(); }}>
    <p class="hint begun" hidden=${!isBegun}>This is what you had begun. <${Button} small testid="task-start-afresh" onClick=${startAfresh}>Start afresh</></p>
    ${field("title", "Title", { maxlength: "255", autofocus: true })}
    ${field("description", "Description", { control: "textarea", rows: "3", hint: "Markdown: **bold**, lists, links, code." })}
    <div class="field-grid">${choice("priority", "Priority", PRIORITIES)}${choice("status", "Status", STATUSES)}
      ${field("due_date", "Due", { type: "datetime-local" })}${field("estimate_hours", "Estimate, hours", { inputmode: "decimal" })}
      ${manages && departments.length > 0 && choice("department", "Department", namedChoices(departments))}
      ${workspaces.length > 0 && choice("workspace", "Workspace", namedChoices(workspaces))}</div>
    ${(manages || workspace) && html`<${People} isOpen=${isChoosing} setOpen=${setChoosing} form=${form} find=${manages ? undefined : membersOf(workspace)} problem=${setMessage} />`}
    <p class="form-message" role="alert" data-testid="new-task-message">${message}</p>
    <div class="buttons"><${Button} kind="primary" testid="task-save" onClick=${create}>Create task</></div>
  </form>`;
}

/** `given` are fields that the filters name, `made(task)` hears of the task. */
export const askForTask = (scope, question) =>
  ask({ title: "New task", content: (close) => html`<${scope.Provide}><${NewTask} close=${close} ...${question} /></>` });
