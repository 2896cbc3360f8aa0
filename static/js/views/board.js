/*
 * The board: a column a status, a card a task. Cards move by drag, and with
 * the keyboard: Space picks a card up, the arrows choose a column, Space puts
 * it down; Shift and an arrow move it at once.
 */
import { h, reconcile, setAttribute, setText } from "../dom.js";
import { shortDay } from "../format.js";
import { icon } from "../icons.js";
import { PRIORITIES, STATUSES, labelOf } from "../tasks.js";
import { busy, personAvatar } from "./parts.js";
import { moveTask } from "./taskparts.js";

const MOST_FACES = 3;
const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };
const UPRIGHT = { ArrowUp: -1, ArrowDown: 1 };
const KIND = "application/x-taskroom-task";

const isLate = (task) => task.due_date && !["done", "cancelled"].includes(task.status) && new Date(task.due_date) < new Date();

export function createBoard({ tasks, say, open }) {
  const { state } = tasks;
  const heard = h("p", { class: "only-heard", role: "status", testid: "board-heard" });
  const help = h("p", { class: "only-heard", id: "board-help" },
    "Enter opens a task. Space picks it up, the left and right arrows choose a column, Space puts it down, Escape leaves it where it was. Shift and an arrow move it at once.");
  const columns = new Map(STATUSES.map((status) => [status.id, column(status)]));
  let carried = null; // {id, status}: picked up with the keyboard
  let dragged = null; // the id of the card under the pointer
  let wanted = null; // the card that shall have the focus once it is there

  function column({ id, label }) {
    const count = h("span", { class: "hint count", testid: "column-count" });
    const list = h("ul", { class: "cards scroll", "aria-label": label });
    const more = h("button", { type: "button", class: "button small", hidden: true, testid: "column-more" }, "Show more");
    more.addEventListener("click", () => busy(more, () => tasks.more(id).catch((error) => say(error.message))));
    const element = h("section", { class: "column", testid: "task-column", data: { status: id }, "aria-label": label },
      h("div", { class: "column-head" }, h("span", { class: "column-dot", "aria-hidden": "true" }), h("h3", { class: "column-title" }, label), count),
      list, h("div", { class: "column-foot" }, more));
    element.addEventListener("dragover", (event) => {
      if (dragged === null || !event.dataTransfer.types.includes(KIND)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      point(id);
    });
    element.addEventListener("dragleave", (event) => {
      if (!element.contains(event.relatedTarget)) point(null);
    });
    element.addEventListener("drop", (event) => {
      const task = event.dataTransfer.types.includes(KIND) && state.known.get(dragged);
      if (!task) return;
      event.preventDefault();
      finishDrag();
      move(task, id);
    });
    return { element, list, count, more };
  }

  /** Shows where a card would land. */
  function point(status) {
    for (const [id, { element }] of columns) setAttribute(element, "data-over", id === status);
  }

  function finishDrag() {
    dragged = null;
    point(null);
  }

  function faces(task) {
    const shown = task.assigned_to.slice(0, MOST_FACES);
    const rest = task.assigned_to.length - shown.length;
    return h("span", { class: "faces" }, shown.map(personAvatar), rest > 0 && h("span", { class: "hint" }, `+${rest}`));
  }

  function described(task) {
    const who = task.assigned_to.map((person) => person.username).join(", ");
    return [task.title, labelOf(STATUSES, task.status), `priority ${task.priority}`,
      task.due_date && `due ${shortDay(task.due_date)}`, who && `assigned to ${who}`].filter(Boolean).join(", ");
  }

  function card(task) {
    const mark = (name, text, title, kind) => h("span", { class: `fact ${kind ?? ""}`, title }, name && icon(name), text);
    const element = h("div",
      {
        class: "task-card", testid: "task-card", role: "button", tabindex: "0", draggable: "true",
        data: { taskId: task.id, status: task.status, priority: task.priority, version: task.version },
        "aria-label": described(task), "aria-describedby": "board-help",
        on: { click: () => open(task.id), keydown: (event) => pressed(event, task.id) },
      },
      h("span", { class: "card-title" }, task.title),
      h("span", { class: "card-facts" },
        mark(null, labelOf(PRIORITIES, task.priority), "Priority", "priority"),
        task.due_date && mark(null, shortDay(task.due_date), "Due", isLate(task) && "late"),
        task.comment_count > 0 && mark("chat", task.comment_count, "Comments"),
        task.attachments.length > 0 && mark("attach", task.attachments.length, "Files"),
        faces(task)));
    element.addEventListener("dragstart", (event) => {
      dragged = task.id;
      event.dataTransfer.setData(KIND, String(task.id));
      event.dataTransfer.effectAllowed = "move";
      element.dataset.dragged = "true";
    });
    element.addEventListener("dragend", () => {
      delete element.dataset.dragged;
      finishDrag();
    });
    element.addEventListener("blur", () => { if (!wanted) letGo(); });
    return h("li", {}, element);
  }

  // The keyboard

  const shownStatuses = () => STATUSES.map(({ id }) => id).filter((id) => !columns.get(id).element.hidden);
  const beside = (status, step) => {
    const all = STATUSES.map(({ id }) => id);
    return all[Math.min(all.length - 1, Math.max(0, all.indexOf(status) + step))];
  };

  function pressed(event, id) {
    const task = state.known.get(id);
    if (!task || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = SIDEWAYS[event.key];
    if (event.key === "Enter" && !carried) open(id);
    else if (event.key === " " || (event.key === "Enter" && carried)) carried ? putDown(task) : pickUp(task);
    else if (event.key === "Escape" && carried) letGo(`${task.title} stays in ${labelOf(STATUSES, task.status)}.`);
    else if (step && carried) carry(beside(carried.status, step));
    else if (step && event.shiftKey) move(task, beside(task.status, step));
    else if (step) focusBeside(task, step);
    else if (UPRIGHT[event.key] && !carried) focusNext(task, UPRIGHT[event.key]);
    else return;
    event.preventDefault();
  }

  const place = (id) => element.querySelector(`[data-testid="task-card"][data-task-id="${id}"]`);

  function pickUp(task) {
    carried = { id: task.id, status: task.status };
    place(task.id).dataset.carried = "true";
    point(task.status);
    setText(heard, `${task.title} picked up. It is in ${labelOf(STATUSES, task.status)}.`);
  }

  function carry(status) {
    carried.status = status;
    point(status);
    columns.get(status).element.scrollIntoView({ block: "nearest", inline: "nearest" });
    setText(heard, `Over ${labelOf(STATUSES, status)}.`);
  }

  function putDown(task) {
    const { status } = carried;
    letGo();
    move(task, status);
  }

  function letGo(words) {
    if (!carried) return;
    const held = place(carried.id);
    if (held) delete held.dataset.carried;
    carried = null;
    point(null);
    if (words) setText(heard, words);
  }

  function focusNext(task, step) {
    const ids = tasks.inColumn(task.status).map((one) => one.id);
    place(ids[ids.indexOf(task.id) + step])?.focus();
  }

  function focusBeside(task, step) {
    const row = tasks.inColumn(task.status).findIndex((one) => one.id === task.id);
    const all = shownStatuses();
    for (let at = all.indexOf(task.status) + step; all[at]; at += step) {
      const there = tasks.inColumn(all[at]);
      if (there.length) return place(there[Math.min(row, there.length - 1)].id)?.focus();
    }
  }

  // Moving

  function move(task, status) {
    if (task.status === status) return;
    wanted = task.id;
    moveTask({
      tasks, say, task, status,
      over() {
        const now = state.known.get(task.id);
        if (now) setText(heard, `${task.title} is in ${labelOf(STATUSES, now.status)}.`);
        wanted = task.id;
        render();
        wanted = null;
      },
    });
  }

  // Showing

  function focused() {
    const at = document.activeElement;
    return element.contains(at) && at.dataset.taskId ? Number(at.dataset.taskId) : null;
  }

  function render() {
    const focus = wanted ?? focused();
    for (const { id } of STATUSES) {
      const { element: section, list, count, more } = columns.get(id);
      setAttribute(section, "hidden", Boolean(state.filters.status) && state.filters.status !== id);
      reconcile(list, tasks.inColumn(id), { key: (task) => task.id, sign: signOf, create: card });
      setText(count, String(tasks.countOf(id)));
      setAttribute(more, "hidden", !state.columns.get(id)?.hasMore);
    }
    for (const one of element.querySelectorAll("[data-task-id]")) {
      setAttribute(one, "aria-current", Number(one.dataset.taskId) === state.open?.id ? "true" : null);
    }
    if (carried && place(carried.id)) place(carried.id).dataset.carried = "true";
    if (focus !== null && focused() !== focus && !document.querySelector("dialog[open]")) place(focus)?.focus();
  }

  const signOf = (task) => JSON.stringify([
    task.title, task.status, task.priority, task.due_date, isLate(task), task.comment_count, task.attachments.length,
    task.assigned_to.map(({ id, username, avatar }) => [id, username, avatar]), task.version,
  ]);

  const element = h("div", { class: "board", testid: "board", role: "group", "aria-label": "Board" },
    help, heard, [...columns.values()].map((one) => one.element));
  return { element, render };
}
