/*
 * The board: a column a status, a card a task. Cards move by drag (drag.js), and
 * with the keyboard: the arrows go from card to card, Space picks one up, the
 * arrows choose a column, Space puts it down; Shift and an arrow move it at once.
 */
import { h, reconcile, setAttribute, setText } from "../dom.js";
import { shortDay } from "../format.js";
import { icon } from "../icons.js";
import { PRIORITIES, STATUSES, labelOf } from "../tasks.js";
import { dragCards } from "./drag.js";
import { busy, personAvatar } from "./parts.js";
import { moveTask, wordsOf } from "./taskparts.js";

const MOST_FACES = 3;
const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };
const UPRIGHT = { ArrowUp: -1, ArrowDown: 1 };

const isLate = (task) => task.due_date && !["done", "cancelled"].includes(task.status) && new Date(task.due_date) < new Date();

/** `open(id)` shows a task. */
export function createBoard({ tasks, open }) {
  const { state } = tasks;
  const heard = h("p", { class: "only-heard", role: "status", testid: "board-heard" });
  const help = h("p", { class: "only-heard", id: "board-help" },
    "The arrows go from card to card, Enter opens a task. Space picks it up, the left and right arrows choose a column, Space puts it down, Escape leaves it where it was. Shift and an arrow move it at once.");
  const columns = new Map(STATUSES.map((status) => [status.id, column(status)]));
  const element = h("div", { class: "board", testid: "board", role: "group", "aria-label": "Board" },
    help, heard, [...columns.values()].map((one) => one.element));
  let carried = null; // {id, status}: picked up with the keyboard
  let wanted = null; // the card that shall have the focus once it is there
  let home = null; // the one card that Tab stops at
  const refusals = new Map(); // task id -> why it did not move

  function column({ id, label }) {
    const count = h("span", { class: "hint count", testid: "column-count" });
    const list = h("ul", { class: "cards scroll", "aria-label": label });
    const more = h("button", { type: "button", class: "button small", hidden: true, testid: "column-more" });
    const problem = h("p", { class: "problem", role: "alert" });
    more.addEventListener("click", () => {
      setText(problem, "");
      busy(more, () => tasks.more(id).catch((error) => setText(problem, wordsOf(error))));
    });
    const empty = h("p", { class: "hint column-empty" }, "Nothing here.");
    const element = h("section", { class: "column", testid: "task-column", data: { status: id }, "aria-label": label, tabindex: "-1" },
      h("div", { class: "column-head" }, h("span", { class: "column-dot", "aria-hidden": "true" }), h("h3", { class: "column-title" }, label), count),
      list, empty, h("div", { class: "column-foot" }, problem, more));
    return { element, list, count, more, empty };
  }

  /** Shows where a card would land. */
  function point(status) {
    for (const [id, { element }] of columns) setAttribute(element, "data-over", id === status);
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
        class: "task-card", testid: "task-card", role: "button", tabindex: "-1",
        data: { taskId: task.id, status: task.status, priority: task.priority, version: task.version },
        "aria-label": described(task), "aria-describedby": "board-help",
        on: { click: () => open(task.id), keydown: (event) => pressed(event, task.id) },
      },
      h("span", { class: "card-title", dir: "auto" }, task.title),
      h("span", { class: "card-facts" },
        mark(null, labelOf(PRIORITIES, task.priority), "Priority", "priority"),
        task.due_date && mark(null, shortDay(task.due_date), "Due", isLate(task) && "late"),
        task.comment_count > 0 && mark("chat", task.comment_count, "Comments"),
        task.attachments.length > 0 && mark("attach", task.attachments.length, "Files"),
        faces(task)),
      refusals.has(task.id) && h("span", { class: "problem", role: "alert", testid: "card-problem" }, refusals.get(task.id)));
    element.addEventListener("focus", () => makeHome(task.id));
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

  const place = (id) => element.querySelector(`.task-card[data-task-id="${id}"]`);

  function makeHome(id) {
    if (home !== null) place(home)?.setAttribute("tabindex", "-1");
    home = id;
    place(id)?.setAttribute("tabindex", "0");
  }

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
    refusals.delete(task.id);
    moveTask({
      tasks, task, status,
      failed: (error) => refusals.set(task.id, `Not moved. ${wordsOf(error)}`),
      over() {
        const now = state.known.get(task.id);
        if (now && !refusals.has(task.id)) setText(heard, `${task.title} is in ${labelOf(STATUSES, now.status)}.`);
        wanted = task.id;
        render();
        wanted = null;
      },
    });
  }

  const drag = dragCards(element, {
    point,
    over: () => render(),
    drop(id, status) {
      const task = state.known.get(id);
      if (task) move(task, status);
    },
  });

  // Showing

  function focused() {
    const at = document.activeElement;
    return element.contains(at) && at.dataset.taskId ? Number(at.dataset.taskId) : null;
  }

  function render() {
    if (drag.isDragging()) return;
    const focus = wanted ?? focused();
    const isBlank = state.status !== "ready" || STATUSES.every(({ id }) => !tasks.countOf(id));
    for (const { id } of STATUSES) {
      const { element: section, list, count, more, empty } = columns.get(id);
      setAttribute(section, "hidden", Boolean(state.filters.status) && state.filters.status !== id);
      const shown = tasks.inColumn(id);
      const all = tasks.countOf(id);
      reconcile(list, shown, { key: (task) => task.id, sign: signOf, create: card });
      setText(count, String(all));
      setText(more, `Show more (${all - shown.length})`);
      setAttribute(more, "hidden", !state.columns.get(id)?.hasMore);
      setAttribute(empty, "hidden", isBlank || shown.length > 0);
    }
    const current = element.querySelector("[aria-current]");
    if (Number(current?.dataset.taskId) !== state.openId) {
      current?.removeAttribute("aria-current");
      place(state.openId)?.setAttribute("aria-current", "true");
    }
    if (!place(home)) makeHome(Number(element.querySelector(".task-card")?.dataset.taskId) || null);
    else makeHome(home);
    if (carried && place(carried.id)) place(carried.id).dataset.carried = "true";
    if (focus !== null && focused() !== focus && !document.querySelector("dialog[open]")) place(focus)?.focus();
  }

  const signOf = (task) => JSON.stringify([
    task.title, task.status, task.priority, task.due_date, isLate(task), task.comment_count, task.attachments.length,
    task.assigned_to.map(({ id, username, avatar }) => [id, username, avatar]), task.version,
    refusals.get(task.id),
  ]);

  return { element, render, focus: (id) => (place(id) ?? place(home))?.focus() };
}
