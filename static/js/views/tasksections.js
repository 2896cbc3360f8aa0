/* The parts that a task is shown in. Each is {element, render(task)}, and those in which one writes say whether one has. */
import { h, setAttribute, setText } from "../dom.js";
import { exactTime, listTime, size } from "../format.js";
import { icon } from "../icons.js";
import { STATUSES } from "../tasks.js";
import { confirm, openDialog, peoplePicker } from "./dialogs.js";
import { busy, field, iconButton, personAvatar, withLinks } from "./parts.js";
import { keepFields } from "./keep.js";
import { draftOf, layOut, taskFields } from "./taskform.js";
import { createHistoryWords } from "./taskhistory.js";
import { askText, clearRefusal, moveTask, refusalLine, showRefusal, small, wordsOf } from "./taskparts.js";

const section = (title, ...content) =>
  h("section", { class: "task-section", "aria-label": title }, h("h3", { class: "section-title" }, title), content);

const commentName = (id) => `comment-${id}`;
const fieldsName = (id) => `task-${id}`;

/** What somebody has written about a task and not sent, as text. */
export const unsentWords = (kept, id) =>
  [...Object.values(kept.get(fieldsName(id))?.words ?? {}), kept.get(commentName(id))?.words].filter(Boolean).join("\n\n");

export function createTaskSections({ tasks, api, say, discuss }) {
  const { state, may } = tasks;
  const name = (id) => tasks.person(id).username;
  const happened = createHistoryWords({ state, name });
  const told = (promise) => promise.catch((error) => say(wordsOf(error)));

  /** Only what differs is written again, so that a button keeps its focus while others work. */
  const written = new WeakMap();
  function fill(list, items, create, empty) {
    const sign = JSON.stringify([items, items.map((item) => [item.author, item.user?.id ?? item.user, item.proposed_by].map((id) => id && name(id)))]);
    if (written.get(list) === sign) return;
    written.set(list, sign);
    list.replaceChildren(...items.map(create));
    if (!items.length && empty) list.append(h("li", { class: "hint" }, empty));
  }

  function choosePeople({ title, action, chosen = [], hide = [], send }) {
    const line = refusalLine();
    const submit = h("button", { type: "button", class: "button primary", testid: "task-people-confirm" }, action);
    const picker = peoplePicker({ api, me: null, hide, many: true, problem: line, choose: () => {} });
    for (const person of chosen) picker.chosen.set(person.id, person);
    submit.addEventListener("click", () => {
      setText(line, "");
      busy(submit, () => send([...picker.chosen.keys()]).then(() => dialog.close(), (error) => showRefusal(error, {}, line)));
    });
    const dialog = openDialog(title, line, picker.element, h("div", { class: "buttons" }, submit));
  }

  const moment = (iso) => h("time", { class: "hint", datetime: iso, title: exactTime(iso) }, listTime(iso));

  function commentItem(comment) {
    const mine = comment.author === tasks.me().id;
    return h("li", { class: "comment", testid: "task-comment-item", data: { commentId: comment.id } },
      personAvatar(tasks.person(comment.author)),
      h("div", { class: "comment-body" },
        h("p", { class: "comment-head" }, h("strong", {}, name(comment.author)), moment(comment.created_at),
          mine && iconButton("edit", "Edit comment", () => askText({
            title: "Edit comment", label: "Comment", action: "Save", testid: "comment-edit", value: comment.content,
            slot: tasks.kept.slot(`comment-edit-${comment.id}`),
            send: (text) => tasks.editComment(comment, text),
          })),
          mine && iconButton("remove", "Delete comment", () => confirm({
            title: "Delete comment", text: "It disappears for everyone who sees the task.", action: "Delete",
            then: () => told(tasks.removeComment(comment)),
          }))),
        h("p", { class: "text" }, withLinks(comment.content))));
  }

  const fileItem = (task) => (file) => h("li", { class: "file-row", testid: "task-file-item" },
    h("a", { class: "file", href: file.file_url, target: "_blank", rel: "noopener", download: file.file_name },
      icon("file"), h("bdi", { class: "file-name" }, file.file_name), h("span", { class: "file-size" }, size(file.file_size))),
    may.detach(file, task) && iconButton("remove", `Remove ${file.file_name}`, () => confirm({
      title: "Remove file", text: `${file.file_name} disappears for everyone.`, action: "Remove",
      then: () => told(tasks.removeFile(file)),
    })));

  const historyItem = (entry) => h("li", { class: "history-item", testid: "task-history-item", data: { action: entry.action } },
    h("span", {}, h("strong", {}, entry.user?.username ?? "Somebody"), ` ${happened(entry)}`, entry.reason && `: ${entry.reason}`), moment(entry.created_at));

  function proposalItem(proposal) {
    return h("li", { class: "proposal", testid: "task-proposal", data: { proposalId: proposal.id, status: proposal.status } },
      h("span", { class: "grow" }, h("strong", {}, name(proposal.user)), ` asked by ${name(proposal.proposed_by)}: ${proposal.status}`,
        proposal.reason && `: ${proposal.reason}`),
      answers(proposal),
      may.withdraw(proposal) && small("Withdraw", "proposal-withdraw", (button) => busy(button, () => told(tasks.withdraw(proposal)))));
  }

  function answers(proposal) {
    return may.answer(proposal) && [
      small("Accept", "proposal-accept", (button) => busy(button, () => told(tasks.respond(proposal, "accept")))),
      small("Reject", "proposal-reject", () => askText({
        title: "Reject the proposal", label: "Why? (may stay empty)", action: "Reject", testid: "proposal-reason", required: false,
        slot: tasks.kept.slot(`reject-${proposal.id}`),
        send: (reason) => tasks.respond(proposal, "reject", reason),
      })),
    ];
  }

  /** Reads on in a list: {element, show(count)}. */
  function olderButton(testid, load) {
    const problem = h("p", { class: "problem", role: "alert" });
    const button = small("", testid, () => {
      setText(problem, "");
      busy(button, () => load().catch((error) => setText(problem, wordsOf(error))));
    });
    return {
      element: h("div", { class: "older" }, button, problem),
      show(count) {
        setText(button, `Show older (${count})`);
        setAttribute(button, "hidden", !count);
      },
    };
  }

  // The parts of a task

  function commentPart(task) {
    const list = h("ul", { class: "comments", testid: "task-comments" });
    const older = olderButton("comments-older", tasks.olderComments);
    const words = field({ label: "Write a comment", control: "textarea", rows: "2", name: "content", testid: "task-comment" });
    const keep = keepFields({ words }, tasks.kept.slot(commentName(task.id)));
    const line = refusalLine();
    const send = h("button", { type: "submit", class: "button small", testid: "task-comment-send" }, "Comment");
    const chat = small("Open its chat room", "task-discuss", (button) => {
      setText(line, "");
      busy(button, () => discuss(state.open).catch((error) => setText(line, wordsOf(error))));
    });

    function submit(event) {
      event.preventDefault();
      clearRefusal({ words }, line);
      const sent = words.input.value;
      busy(send, () => tasks.comment(sent).then(
        () => { if (words.input.value === sent) keep.clear(); },
        (error) => showRefusal(error, { content: words }, line)));
    }

    words.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send.click();
    });
    return {
      element: section("Comments", older.element, list,
        h("form", { class: "dialog-form", novalidate: true, on: { submit } }, line, words.element, h("div", { class: "buttons" }, send, chat))),
      isTouched: () => Boolean(words.input.value),
      render() {
        older.show(state.moreComments);
        send.disabled = Boolean(state.trouble);
        fill(list, state.comments, commentItem, "");
      },
    };
  }

  function filePart() {
    const list = h("ul", { testid: "task-files" });
    const line = refusalLine("task-file-message");
    const choose = h("input", { type: "file", multiple: true, "aria-label": "Add files", testid: "task-file" });
    const element = section("Files", list, line, choose);
    choose.addEventListener("change", () => {
      const chosen = [...choose.files];
      choose.value = "";
      setText(line, "");
      if (chosen.length) take(chosen);
    });

    const take = (chosen) => busy(choose, () => tasks.upload(chosen).catch((error) => setText(line, wordsOf(error))));
    return {
      take(chosen) {
        element.scrollIntoView({ block: "nearest" });
        setText(line, "");
        take(chosen);
      },
      element,
      render: (task) => fill(list, task.attachments, fileItem(task), ""),
    };
  }

  function historyPart() {
    const list = h("ul", { testid: "task-history" });
    const older = olderButton("history-older", tasks.olderHistory);
    return {
      element: section("History", list, older.element),
      render() {
        fill(list, state.history, historyItem, "");
        older.show(state.moreHistory);
      },
    };
  }

  /** The fields, and what becomes of them when two write at once. */
  function formPart(task) {
    const fields = taskFields(state);
    const draft = draftOf(fields);
    const line = refusalLine("task-message");
    const save = h("button", { type: "submit", class: "button primary small", testid: "task-save" }, "Save");
    const undo = small("Undo", "task-undo", () => refill(state.open));
    const slot = tasks.kept.slot(fieldsName(task.id));
    let base = task; // what the fields were filled from: its version is what one changes

    function refill(now) {
      base = now;
      draft.fill(now);
      clearRefusal(fields, line);
      buttons();
    }

    function buttons() {
      for (const button of [save, undo]) setAttribute(button, "hidden", !draft.isTouched);
      setText(save, draft.isContested ? "Save mine over theirs" : "Save");
      slot.set(draft.unsaved());
    }

    function follow(now) {
      base = now;
      draft.follow(now);
      buttons();
    }

    async function send() {
      const sent = draft.values();
      const now = await tasks.save(base, draft.changes());
      base = now;
      draft.saved(sent, now);
      buttons();
    }

    /** What was written stays. Where nobody else has written, it is saved all the same. */
    async function late(error) {
      if (!error.current) throw error;
      follow(error.current);
      if (!draft.isContested) return send();
      setText(line, "Somebody has changed this task meanwhile. What is there now stands beside what you wrote.");
    }

    const element = h("form",
      {
        class: "task-form", novalidate: true,
        on: {
          input: buttons,
          submit(event) {
            event.preventDefault();
            clearRefusal(fields, line);
            busy(save, () => send().catch(late).catch((error) => showRefusal(error, fields, line)));
          },
        },
      },
      layOut(fields), line, h("div", { class: "buttons" }, save, undo));

    const unsaved = slot.get();
    draft.fill(task);
    draft.resume(unsaved, task);
    buttons();
    return {
      element,
      isTouched: () => draft.isTouched,
      render(now) {
        if (now.version > base.version) follow(now);
        for (const { input } of Object.values(fields)) input.disabled = !may.change(now);
        for (const one of [fields.department, fields.workspace]) if (one) one.input.disabled = !may.assign(now);
      },
    };
  }

  function peoplePart() {
    const list = h("ul", { class: "assignees", testid: "task-assignees" });
    const assign = small("Assign people", "task-assign", () => choosePeople({
      title: "Assigned people", action: "Save", chosen: state.open.assigned_to, send: (ids) => tasks.assign(state.open, ids),
    }));
    const propose = small("Propose", "task-propose", () => choosePeople({
      title: "Propose this task", action: "Propose", hide: state.open.assignees, send: (ids) => tasks.propose(state.open, ids),
    }));
    return {
      element: section("Assigned to", list, h("div", { class: "buttons" }, assign, propose)),
      render(task) {
        for (const button of [assign, propose]) setAttribute(button, "hidden", !may.assign(task));
        fill(list, task.assigned_to, (person) => h("li", { class: "assignee", data: { userId: person.id } }, personAvatar(person), person.username), "Nobody yet.");
      },
    };
  }

  function proposalPart() {
    const list = h("ul", {});
    const element = section("Proposals", list);
    return {
      element,
      render({ proposals = [] }) {
        fill(list, proposals, proposalItem, "");
        setAttribute(element, "hidden", !proposals.length);
      },
    };
  }

  function statusPart() {
    const status = field({ label: "Status", control: "select", options: STATUSES, testid: "task-status" });
    status.input.addEventListener("change", () => {
      status.problem("");
      moveTask({
        tasks, task: state.open, status: status.input.value,
        failed: (error) => status.problem(`Not moved. ${wordsOf(error)}`),
        over: () => { if (state.open) status.input.value = state.open.status; },
      });
    });
    return {
      element: status.element,
      render(task) {
        status.input.disabled = !may.change(task);
        if (document.activeElement !== status.input) status.input.value = task.status;
      },
    };
  }

  return {
    status: statusPart, form: formPart, people: peoplePart, proposals: proposalPart,
    comments: commentPart, files: filePart, history: historyPart, answers,
  };
}
