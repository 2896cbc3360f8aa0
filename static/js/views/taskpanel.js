/* The tasks: what narrows them, the board, what is proposed to oneself, and the task that is open. */
import { coalesce, h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { PRIORITIES, STATUSES } from "../tasks.js";
import { createBoard } from "./board.js";
import { createTaskDetail } from "./taskdetail.js";
import { askForTask } from "./taskform.js";

/** actions -> {open(id), close(), removed(), discuss(task)}: what is shown follows the address, so the address is told first. */
export function createTaskPanel({ tasks, api, say, actions }) {
  const { state } = tasks;
  const board = createBoard({ tasks, open: actions.open });
  const detail = createTaskDetail({ tasks, api, say, actions });

  const choice = (name, label, every, options = []) => {
    const all = [{ id: "", label: every }, ...options];
    return h("select", { class: "input small", "aria-label": label, testid: `task-filter-${name}`, on: { change: (event) => tasks.filter({ [name]: event.target.value }) } },
      all.map((one) => h("option", { value: one.id }, one.label)));
  };
  const search = h("input", { class: "input small", type: "search", placeholder: "Search tasks", "aria-label": "Search tasks", testid: "task-search", on: { input: () => tasks.filter({ search: search.value.trim() }) } });
  const mine = h("input", { type: "checkbox", testid: "task-filter-mine", on: { change: () => tasks.filter({ mine: mine.checked }) } });
  const assignee = choice("assignee", "Assigned to", "Anybody");
  const filters = h("div", { class: "task-filters", role: "group", "aria-label": "Filters" },
    search, choice("status", "Status", "Status", STATUSES), choice("priority", "Priority", "Priority", PRIORITIES),
    assignee, h("label", { class: "mine" }, mine, "Mine"));

  const clear = h("button", { type: "button", class: "button small", testid: "task-filters-clear", hidden: true, on: { click: clearFilters } }, "Clear filters");
  filters.append(clear);
  const nothing = h("p", { class: "empty board-empty", testid: "board-empty", role: "status" });
  const words = h("span", {});
  const notice = h("div", { class: "notice", role: "alert", hidden: true }, words,
    h("button", { type: "button", class: "button small", on: { click: () => tasks.load() } }, "Try again"));
  const asked = h("ul", { class: "asked", testid: "my-proposals", "aria-label": "Proposed to you", hidden: true });
  const lag = h("span", { class: "hint lag", testid: "tasks-state", role: "status" });

  const element = h("section", { "aria-label": "Tasks" },
    h("div", { class: "panel-head" },
      h("h2", { class: "panel-title" }, "Tasks"), lag,
      h("button", { type: "button", class: "button primary small", testid: "new-task", on: { click: () => askForTask({ tasks, api, made: (task) => say(`“${task.title}” has been made.`) }) } }, icon("add"), "New task")),
    filters, notice, asked,
    nothing,
    h("div", { class: "task-place" }, board.element, detail.element));

  function clearFilters() {
    for (const control of filters.querySelectorAll("input, select")) {
      control.value = "";
      control.checked = false;
    }
    tasks.filter({ search: "", status: "", priority: "", assignee: "", mine: false });
    search.focus();
  }

  function renderEmpty() {
    const isFiltered = Object.values(state.filters).some(Boolean);
    const isEmpty = state.status === "ready" && STATUSES.every(({ id }) => !tasks.countOf(id));
    setAttribute(clear, "hidden", !isFiltered);
    setText(nothing, isEmpty ? (isFiltered ? "No task matches these filters." : "No tasks yet. Make the first one.") : state.status === "loading" ? "Loading tasks…" : "");
  }

  let shown = null; // the task that was open when this was last rendered
  /** Whoever closes a task is back at its card. */
  function renderDetail() {
    const wasInside = detail.element.contains(document.activeElement);
    detail.render();
    if (wasInside && state.openId === null) board.focus(shown);
    shown = state.openId;
  }

  let sign = "";
  function renderProposals() {
    const now = JSON.stringify(state.proposals.map((one) => [one, tasks.person(one.proposed_by).username]));
    if (now === sign) return;
    sign = now;
    setAttribute(asked, "hidden", !state.proposals.length);
    asked.replaceChildren(...state.proposals.map((proposal) =>
      h("li", { class: "proposal", testid: "my-proposal", data: { proposalId: proposal.id } },
        h("span", { class: "grow" }, h("strong", {}, tasks.person(proposal.proposed_by).username), ` asks you to take “${proposal.task_title}”.`),
        detail.answers(proposal))));
  }

  /** Whoever becomes known later comes after those known at first. */
  const offered = new Set();
  function renderPeople() {
    const news = tasks.everybody().filter((person) => !offered.has(person.id));
    for (const person of news) offered.add(person.id);
    if (news.length) assignee.append(...news.map((person) => h("option", { value: person.id }, person.username)));
  }

  function render() {
    setText(words, state.problem);
    setAttribute(notice, "hidden", state.status !== "failed");
    setText(lag, state.connection === "connected" || state.connection === "idle" ? "" : "catching up…");
    renderProposals();
    renderPeople();
    renderEmpty();
    board.render();
    renderDetail();
  }

  tasks.watch(coalesce(render));
  return { element, shown: tasks.start, takeFiles: detail.takeFiles };
}
