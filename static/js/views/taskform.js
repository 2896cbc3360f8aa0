/* The fields of a task, for a new one and for one that is there. */
import { h } from "../dom.js";
import { PRIORITIES, STATUSES } from "../tasks.js";
import { openDialog } from "./dialogs.js";
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

/** A form over the fields that remembers what it was filled with, and sends only what was changed. */
export function draftOf(fields) {
  let filled = {};
  const values = () => Object.fromEntries(Object.entries(fields).map(([name, { input }]) => [name, input.value]));

  return {
    fill(task) {
      for (const [name, { input }] of Object.entries(fields)) input.value = FILL[name]?.(task[name]) ?? task[name] ?? "";
      filled = values();
    },
    changes() {
      const now = Object.entries(values()).filter(([name, value]) => value !== filled[name]);
      return Object.fromEntries(now.map(([name, value]) => [name, SEND[name]?.(value) ?? (SEND[name] ? null : value)]));
    },
    get isTouched() { return Object.entries(values()).some(([name, value]) => value !== filled[name]); },
  };
}

export function askForTask({ tasks, made }) {
  const line = refusalLine("new-task-message");
  const fields = taskFields(tasks.state);
  fields.status = field({ label: "Status", name: "status", control: "select", options: STATUSES, testid: "task-status" });
  const draft = draftOf(fields);
  draft.fill({ priority: "medium", status: "todo" });
  const submit = h("button", { type: "submit", class: "button primary", testid: "task-save" }, "Create task");

  function send(event) {
    event.preventDefault();
    clearRefusal(fields, line);
    const json = { title: fields.title.input.value, ...draft.changes() };
    busy(submit, () => tasks.create(json).then((task) => {
      dialog.close();
      made(task);
    }, (error) => showRefusal(error, fields, line)));
  }

  const dialog = openDialog("New task", h("form", { class: "dialog-form task-form scroll", novalidate: true, on: { submit: send } },
    line, layOut(fields), h("div", { class: "buttons" }, submit)));
  fields.title.input.focus();
}
