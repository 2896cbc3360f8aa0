/* One task with everything that belongs to it. The fields follow what others change, except where one has written. */
import { taskAddress } from "../address.js";
import { h, setAttribute, setText } from "../dom.js";
import { exactTime } from "../format.js";
import { confirm } from "./dialogs.js";
import { iconButton } from "./parts.js";
import { refusalLine, small, wordsOf } from "./taskparts.js";
import { createTaskSections } from "./tasksections.js";

/**
 * actions -> {close(), removed(), discuss(task)}: the task leaves the page because somebody is done with it,
 * or has deleted it; discuss is a promise of being in its chat room.
 */
export function createTaskDetail({ tasks, api, say, actions }) {
  const { state, may } = tasks;
  const sections = createTaskSections({ tasks, api, say, discuss: actions.discuss });
  const element = h("aside", { class: "task-detail", testid: "task-detail", "aria-label": "Task", tabindex: "-1", hidden: true });
  const unfinished = new Map(); // task id -> view in which somebody has written
  let view = null; // of the task that is open

  const heading = () => h("h2", { class: "panel-title", tabindex: "-1", dir: "auto" });
  const closeButton = () => iconButton("close", "Close", actions.close, { testid: "task-close" });

  function build(task) {
    const title = heading();
    const remove = iconButton("remove", "Delete task", () => confirm({
      title: "Delete task", text: `“${state.open.title}” disappears for everyone.`, action: "Delete",
      then: () => tasks.remove(state.open).then(actions.removed, (error) => say(wordsOf(error))),
    }), { testid: "task-delete" });
    const trouble = refusalLine("task-trouble");
    const origin = h("span", {});
    const by = h("p", { class: "hint", testid: "task-by" },
      h("a", { href: taskAddress(task.id), title: "The address of this task" }, `Task ${task.id}`), origin);
    const parts = [
      sections.status(), sections.form(task), sections.people(), sections.proposals(),
      sections.comments(), sections.files(), sections.history(),
    ];
    return {
      id: task.id,
      task,
      title,
      choices: choices(),
      nodes: [
        h("div", { class: "panel-head" }, title, remove, closeButton()),
        h("div", { class: "scroll task-body" }, trouble, by, parts.map((part) => part.element)),
      ],
      isTouched: () => parts.some((part) => part.isTouched?.()),
      render(now) {
        setText(title, now.title);
        setText(trouble, state.trouble);
        setText(origin, `, made by ${tasks.person(now.creator).username}, ${exactTime(now.created_at)}${now.completed_at ? `; done ${exactTime(now.completed_at)}` : ""}`);
        setAttribute(remove, "hidden", !may.remove(now) || Boolean(state.trouble));
        for (const part of parts) part.render(now);
      },
    };
  }

  /** While there is no task to show: why not, or that it is on its way. */
  function buildEmpty(id) {
    const title = heading();
    const words = h("p", { role: "alert", testid: "task-trouble" });
    const again = small("Try again", "task-again", () => tasks.open(id));
    return {
      id,
      task: null,
      title,
      nodes: [
        h("div", { class: "panel-head" }, title, closeButton()),
        h("div", { class: "task-body" }, words, h("div", { class: "buttons" }, again)),
      ],
      isTouched: () => false,
      render() {
        setText(title, `Task ${id}`);
        setText(words, state.trouble || "Opening…");
        setAttribute(again, "hidden", !state.trouble);
      },
    };
  }

  /** Departments and workspaces may become known after the task. */
  const choices = () => state.departments.length + state.workspaces.length;
  const isStale = () =>
    view?.id !== state.openId || Boolean(view.task) !== Boolean(state.open)
    || (view.task && view.choices !== choices() && !view.isTouched());

  function leave() {
    if (view?.isTouched()) unfinished.set(view.id, view);
    view = null;
  }

  function change() {
    const { openId: id, open: task } = state;
    const takesFocus = view?.id !== id || element.contains(document.activeElement);
    leave();
    view = task ? unfinished.get(id) ?? build(task) : buildEmpty(id);
    if (task) unfinished.delete(id);
    element.replaceChildren(...view.nodes);
    element.dataset.taskId = id;
    view.render(task);
    setAttribute(element, "hidden", false);
    if (takesFocus && !document.querySelector("dialog[open]")) view.title.focus();
  }

  function render() {
    if (state.openId === null) {
      setAttribute(element, "hidden", true);
      leave();
      element.replaceChildren();
    } else if (isStale()) change();
    else view.render(state.open);
  }

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !view?.isTouched()) actions.close();
  });

  return { element, render, answers: sections.answers };
}
