/* The fields of a task, for a new one and for one that is there. */
import { h, setAttribute } from "../dom.js";
import { exactTime } from "../format.js";
import { PRIORITIES, STATUSES } from "../tasks.js";
import { openDialog, peoplePicker } from "./dialogs.js";
import { changed, keepFields } from "./keep.js";
import { busy, field } from "./parts.js";
import { clearRefusal, fromField, refusalLine, showRefusal, toField } from "./taskparts.js";

const NONE = { id: "", label: "None" };

/** How each field is filled from a task, and what of it is sent. */
const FILL = { due_date: toField, department: (id) => id ?? "", workspace: (id) => id ?? "" };
const SEND = {
  due_date: fromField,
  department: (text) => Number(text) || null,
  workspace: (text) => Number(text) || null,
  estimate_hours: (text) => text.trim() || null,
};

export function taskFields(state) {
  const text = (name, label, more = {}) => field({ label, name, autocomplete: "off", testid: `task-${name.replace("_", "-")}`, ...more });
  const choice = (name, label, options) => text(name, label, { control: "select", options });
  const fields = {
    title: text("title", "Title", { maxlength: "255" }),
    description: text("description", "Description", { control: "textarea", rows: "3" }),
    priority: choice("priority", "Priority", PRIORITIES),
    estimate_hours: text("estimate_hours", "Estimate, hours", { inputmode: "decimal" }),
    due_date: text("due_date", "Due", { type: "datetime-local" }),
  };
  const named = (list) => [NONE, ...list.map(({ id, name }) => ({ id, label: name }))];
  if (state.departments.length) fields.department = choice("department", "Department", named(state.departments));
  if (state.workspaces.length) fields.workspace = choice("workspace", "Workspace", named(state.workspaces));
  return fields;
}

export const layOut = ({ title, description, ...others }) =>
  [title.element, description.element, h("div", { class: "field-grid" }, Object.values(others).map(({ element }) => element))];

/** How a value of a field reads. */
function worded(input, value) {
  if (!value) return "nothing";
  if (input.type === "datetime-local") return exactTime(fromField(value));
  return [...(input.options ?? [])].find((option) => option.value === value)?.label ?? `“${value}”`;
}

/** A form over the fields that remembers what it was filled with, and sends only what was changed. */
export function draftOf(fields) {
  let filled = {};
  const theirs = new Map(); // name -> what stands there by now, beside what one has written
  const before = new Map(); // name -> what one had before one's eyes, where others have written since
  const values = () => Object.fromEntries(Object.entries(fields).map(([name, { input }]) => [name, input.value]));

  /** As the field itself would hold it: line ends and times have more than one form. */
  function valueIn(name, task) {
    const probe = fields[name].input.cloneNode(true);
    probe.value = FILL[name]?.(task[name]) ?? task[name] ?? "";
    return probe.value;
  }

  function settle(name) {
    theirs.get(name)?.remove();
    theirs.delete(name);
    before.delete(name);
  }

  function show(name, value, was) {
    const { element, input } = fields[name];
    const first = before.get(name) ?? was;
    settle(name);
    before.set(name, first);
    const take = h("button", { type: "button", class: "button small", testid: "task-take-theirs" }, "Take this");
    take.addEventListener("click", () => {
      input.value = value;
      settle(name);
      input.focus();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    const words = h("div", { class: "theirs", role: "status", testid: "task-theirs" },
      h("p", {}, h("span", { class: "label" }, "Changed meanwhile to "), h("bdi", { class: "text" }, worded(input, value))), take);
    theirs.set(name, words);
    element.append(words);
  }

  const draft = {
    fill(task) {
      for (const name of Object.keys(fields)) {
        fields[name].input.value = valueIn(name, task);
        settle(name);
      }
      filled = values();
    },

    /** What has been written, with what stood there before: enough to go on with it after a reload. */
    unsaved() {
      const words = changed(values(), filled);
      const names = Object.keys(words);
      return names.length ? { words, before: Object.fromEntries(names.map((name) => [name, before.get(name) ?? filled[name]])) } : null;
    },

    /** Goes on with it; what others have changed since then is told as ever. */
    resume(unsaved, task) {
      for (const [name, words] of Object.entries(unsaved?.words ?? {})) {
        if (!fields[name]) continue;
        filled[name] = unsaved.before[name];
        fields[name].input.value = words;
      }
      draft.follow(task);
    },

    /** Takes over what others have changed, and shows it beside what one has written in the same place. */
    follow(task) {
      for (const [name, { input }] of Object.entries(fields)) {
        const value = valueIn(name, task);
        if (value === filled[name]) continue;
        const was = filled[name];
        const isMine = input.value !== was;
        filled[name] = value;
        if (!isMine) input.value = value;
        if (input.value === value) settle(name);
        else show(name, value, was);
      }
    },

    /** What was sent stands there now; what has been written since then waits for the next time. */
    saved(sent, task) {
      Object.assign(filled, sent);
      for (const name of Object.keys(fields)) settle(name);
      draft.follow(task);
    },

    values,
    changes() {
      const now = Object.entries(changed(values(), filled));
      return Object.fromEntries(now.map(([name, value]) => [name, SEND[name]?.(value) ?? (SEND[name] ? null : value)]));
    },
    get isTouched() { return Object.entries(values()).some(([name, value]) => value !== filled[name]); },
    get isContested() { return theirs.size > 0; },
  };
  return draft;
}

/** People to choose from, loaded when somebody looks: {element, ids(), resume(), clear()}; `slot` keeps the choice. */
function chooser(api, line, slot) {
  const element = h("details", { class: "chooser" }, h("summary", { testid: "task-choose-people" }, "Assign people"));
  let picker = null;

  const save = () => slot.set(picker.chosen.size ? [...picker.chosen.values()].map(({ id, username }) => ({ id, username })) : null);

  function show() {
    picker = peoplePicker({ api: api(), me: null, many: true, problem: line, choose: save });
    for (const person of slot.get() ?? []) picker.chosen.set(person.id, person);
    element.append(picker.element);
  }

  element.addEventListener("toggle", () => {
    if (picker) return;
    show();
    picker.element.scrollIntoView({ block: "nearest" });
    picker.element.querySelector("input").focus();
  });
  return {
    element,
    /** Goes on with a choice that was kept. */
    resume() {
      if (!slot.get() || element.hidden) return;
      show();
      element.open = true;
    },
    ids: () => [...picker?.chosen.keys() ?? []],
    clear() {
      slot.set(null);
      picker?.element.remove();
      picker = null;
      element.open = false;
    },
  };
}

/** Where a list of people is asked for: everybody's, or of those only who are in a workspace. */
const membersOnly = (workspace) => ({
  people: async (search) => workspace.members.map(({ user }) => user).filter(({ username }) => username.toLowerCase().includes(search.toLowerCase())),
});

/**
 * Whoever manages nobody makes tasks for themselves, or in a workspace for its
 * members: no department is offered to them, and people only with the workspace.
 */
export function askForTask({ tasks, api, made }) {
  const line = refusalLine("new-task-message");
  const fields = taskFields(tasks.state);
  const manages = tasks.may.manage();
  if (!manages) delete fields.department;
  fields.status = field({ label: "Status", name: "status", control: "select", options: STATUSES, testid: "task-status" });
  const workspace = () => tasks.state.workspaces.find(({ id }) => String(id) === fields.workspace?.input.value);
  const people = chooser(() => (manages ? api : membersOnly(workspace())), line, tasks.kept.slot("new-task-people"));
  const draft = draftOf(fields);
  draft.fill({ priority: "medium", status: "todo" });
  const keep = keepFields(fields, tasks.kept.slot("new-task"));
  const showPeople = () => setAttribute(people.element, "hidden", !manages && !workspace());
  if (!manages) {
    fields.workspace?.input.addEventListener("input", () => {
      people.clear();
      showPeople();
    });
  }
  const afresh = h("p", { class: "hint begun", hidden: !keep.hasKept }, "This is what you had begun.",
    h("button", { type: "button", class: "button small", testid: "task-start-afresh", on: { click: startAfresh } }, "Start afresh"));
  const submit = h("button", { type: "submit", class: "button primary", testid: "task-save" }, "Create task");

  function forget() {
    keep.clear();
    people.clear();
    showPeople();
  }

  function startAfresh() {
    forget();
    afresh.hidden = true;
    fields.title.input.focus();
  }

  function send(event) {
    event.preventDefault();
    clearRefusal(fields, line);
    const json = { title: fields.title.input.value, ...draft.changes() };
    const assignees = people.ids();
    if (assignees.length) json.assignees = assignees;
    busy(submit, () => tasks.create(json).then((task) => {
      forget();
      dialog.close();
      made(task);
    }, (error) => showRefusal(error, fields, line)));
  }

  const dialog = openDialog("New task", h("form", { class: "dialog-form task-form scroll", novalidate: true, on: { submit: send } },
    afresh, layOut(fields), people.element, line, h("div", { class: "buttons" }, submit)));
  showPeople();
  people.resume();
  fields.title.input.focus();
}
