/* What the views of tasks share: how a refusal reads at its fields, a reason that is asked, and dates. */
import { h, setText } from "../dom.js";
import { STATUSES, labelOf, needsReason } from "../tasks.js";
import { openDialog } from "./dialogs.js";
import { keepFields } from "./keep.js";
import { busy, field } from "./parts.js";

export function small(label, testid, click) {
  const button = h("button", { type: "button", class: "button small", testid }, label);
  button.addEventListener("click", () => click(button));
  return button;
}

export const refusalLine = (testid) => h("p", { class: "form-message", role: "alert", testid });

/** An error in one line, with what the server says of each field. */
export const wordsOf = (error) => Object.values(error.fields ?? {}).flat().join(" ") || error.message;

/** What the server says about each field beside it, and the rest in one line. */
export function showRefusal(error, fields, line) {
  const others = [];
  for (const [name, texts] of Object.entries(error.fields ?? {})) {
    const known = fields[name];
    if (known) known.problem(texts.join(" "));
    else others.push(...texts);
  }
  setText(line, error.fields ? others.join(" ") : error.message);
  Object.values(fields).find(({ input }) => input.hasAttribute("aria-invalid"))?.input.focus();
}

export function clearRefusal(fields, line) {
  for (const one of Object.values(fields)) one.problem("");
  setText(line, "");
}

/** Asks for a text; `send(text)` is a promise, and the dialog closes when it succeeds. Until then `slot` keeps the text. */
export function askText({ title, label, action, value = "", testid, required = true, slot, send, closed }) {
  const line = refusalLine();
  const text = field({ label, control: "textarea", rows: "3", name: "reason", maxlength: "2000", testid });
  text.input.value = value;
  const keep = keepFields({ text }, slot);
  const submit = h("button", { type: "submit", class: "button primary", testid: `${testid}-confirm` }, action);
  const fields = { reason: text, content: text };

  function sent(event) {
    event.preventDefault();
    clearRefusal(fields, line);
    if (required && !text.input.value.trim()) {
      text.problem("Please write something.");
      return text.input.focus();
    }
    return busy(submit, () => send(text.input.value.trim()).then(done, (error) => showRefusal(error, fields, line)));
  }

  function done() {
    keep.clear();
    dialog.close();
  }

  const dialog = openDialog(title, h("form", { class: "dialog-form", novalidate: true, on: { submit: sent } },
    line, text.element,
    h("div", { class: "buttons" },
      h("button", { type: "button", class: "button", on: { click: () => dialog.close() } }, "Cancel"), submit)));
  text.input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit.click();
  });
  dialog.addEventListener("close", () => closed?.());
  text.input.focus();
}

/** Moves a task, asking for a reason where one is needed. `failed(error)` if it is refused, and `over()` however it ends. */
export function moveTask({ tasks, task, status, failed, over }) {
  if (task.status === status) return over();
  const to = labelOf(STATUSES, status);
  if (!needsReason(task.status, status)) return tasks.move(task, status).catch(failed).then(over);
  return askText({
    title: `Move to ${to}`, label: `Why does “${task.title}” go from ${labelOf(STATUSES, task.status)} to ${to}?`,
    action: "Move", testid: "task-reason", slot: tasks.kept.slot(`reason-${task.id}-${status}`), send: (reason) => tasks.move(task, status, reason), closed: over,
  });
}

const two = (number) => String(number).padStart(2, "0");

/** A moment as the browser's own field for dates takes it: local, to the minute. */
export function toField(iso) {
  if (!iso) return "";
  const at = new Date(iso);
  const year = String(at.getFullYear()).padStart(4, "0");
  return `${year}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export const fromField = (text) => (text ? new Date(text).toISOString() : null);
