/* One task with everything that belongs to it. The fields follow what others change, except where one has written. */
import { taskAddress } from "../address.js";
import { h, setAttribute, setText } from "../dom.js";
import { exactTime } from "../format.js";
import { confirm } from "./dialogs.js";
import { iconButton } from "./parts.js";
import { refusalLine, small, wordsOf } from "./taskparts.js";
import { createTaskSections, unsentWords } from "./tasksections.js";

/**
 * actions -> {close(), removed(), discuss(task)}: the task leaves the page because somebody is done with it,
 * or has deleted it; discuss is a promise of being in its chat room.
 */
export function createTaskDetail({ tasks, api, say, actions }) {
  const { state, may } = tasks;
  const sections = createTaskSections({ tasks, api, say, discuss: actions.discuss });
  const element = h("aside", { class: "task-detail", testid: "task-detail", "aria-label": "Task", tabindex: "-1", hidden: true });
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
    const files = sections.files();
    const origin = h("span", {});
    const by = h("p", { class: "hint", testid: "task-by" },
      h("a", { href: taskAddress(task.id), title: "The address of this task" }, `Task ${task.id}`), origin);
    const parts = [
      sections.status(), sections.form(task), sections.people(), sections.proposals(),
      sections.comments(task), files, sections.history(),
    ];
    return {
      id: task.id,
      task,
      title,
      choices: choices(),
      nodes: [
        h("div", { class: "panel-head" }, title, remove, closeButton()),
        trouble,
        h("div", { class: "scroll task-body" }, by, parts.map((part) => part.element)),
      ],
      takeFiles: files.take,
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
    const written = unsentWords(tasks.kept, id);
    const left = written && h("label", { class: "field", testid: "task-unsent" }, "What you had written here",
      h("textarea", { class: "input", rows: "6", readonly: true }, written));
    return {
      id,
      task: null,
      title,
      nodes: [
        h("div", { class: "panel-head" }, title, closeButton()),
        h("div", { class: "task-body" }, words, h("div", { class: "buttons" }, again), left),
      ],
      isTouched: () => false,
      render() {
        setText(title, `Task ${id}`);
        setText(words, state.trouble || "Opening…");
        setAttribute(again, "hidden", !state.trouble);
        if (left) setAttribute(left, "hidden", !state.trouble);
      },
    };
  }

  /** Departments and workspaces may become known after the task. */
  const choices = () => state.departments.length + state.workspaces.length;
  const isBeingWritten = () => view.isTouched() && element.contains(document.activeElement);
  const isStale = () =>
    view?.id !== state.openId || Boolean(view.task) !== Boolean(state.open)
    || (view.task && view.choices !== choices() && !isBeingWritten());

  function change() {
    const { openId: id, open: task } = state;
    const takesFocus = view?.id !== id || element.contains(document.activeElement);
    view = task ? build(task) : buildEmpty(id);
    element.replaceChildren(...view.nodes);
    element.dataset.taskId = id;
    view.render(task);
    setAttribute(element, "hidden", false);
    if (takesFocus && !document.querySelector("dialog[open]")) view.title.focus();
  }

  function render() {
    if (state.openId === null) {
      setAttribute(element, "hidden", true);
      view = null;
      element.replaceChildren();
    } else if (isStale()) change();
    else view.render(state.open);
  }

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !view?.isTouched()) actions.close();
  });

  /** Attaches files that were dropped on the task that is open; false where there is none. */
  function takeFiles(files, target) {
    if (!element.contains(target) || !view?.takeFiles || state.trouble) return false;
    view.takeFiles(files);
    return true;
  }

  return { element, render, takeFiles, answers: sections.answers };
}
