/* One task with everything that belongs to it. The fields follow what others change, until one writes in them. */
import { h, setAttribute, setText } from "../dom.js";
import { exactTime, listTime, shortDay, size } from "../format.js";
import { icon } from "../icons.js";
import { PRIORITIES, STATUSES, labelOf } from "../tasks.js";
import { confirm, openDialog, peoplePicker } from "./dialogs.js";
import { busy, field, iconButton, personAvatar, withLinks } from "./parts.js";
import { draftOf, layOut, taskFields } from "./taskform.js";
import { askText, clearRefusal, moveTask, refusalLine, showRefusal } from "./taskparts.js";

const FIELD_NAMES = {
  title: "title", description: "description", priority: "priority", due_date: "due date",
  estimate_hours: "estimate", department: "department", workspace: "workspace",
};
const COMMENT_WORDS = { comment_edited: "changed a comment to", comment_deleted: "deleted a comment" };
const LONGEST = 60;

const section = (title, ...content) =>
  h("section", { class: "task-section", "aria-label": title }, h("h3", { class: "section-title" }, title), content);

const small = (label, testid, click) => {
  const button = h("button", { type: "button", class: "button small", testid }, label);
  button.addEventListener("click", () => click(button));
  return button;
};

const short = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

export function createTaskDetail({ tasks, api, say }) {
  const { state, may } = tasks;
  const element = h("aside", { class: "task-detail", testid: "task-detail", "aria-label": "Task", hidden: true });
  let view = null; // of the task that is open

  const name = (id) => tasks.person(id).username;
  const told = (promise) => promise.catch((error) => say(Object.values(error.fields ?? {}).flat().join(" ") || error.message));

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

  // What happened, in words

  function valueOf(fieldName, value) {
    if (value === null || value === "") return "nothing";
    if (fieldName === "status") return labelOf(STATUSES, value);
    if (fieldName === "priority") return labelOf(PRIORITIES, value);
    if (fieldName === "due_date") return shortDay(value);
    if (["department", "workspace"].includes(fieldName)) return state[`${fieldName}s`].find((one) => one.id === value)?.name ?? `number ${value}`;
    return `“${short(String(value))}”`;
  }

  const people = (ids) => ids.map(name).join(", ");
  const without = (all, others) => (all ?? []).filter((id) => !(others ?? []).includes(id));

  function happened({ action, field: about, old_value: old, new_value: now }) {
    const listed = (value) => (Array.isArray(value) ? value.join(", ") : short(String(value ?? "")));
    if (action === "status_changed") return `moved it from ${valueOf("status", old)} to ${valueOf("status", now)}`;
    if (about === "assignees") {
      const [added, gone] = [without(now, old), without(old, now)];
      return [added.length && `assigned ${people(added)}`, gone.length && `took ${people(gone)} off it`].filter(Boolean).join(" and ");
    }
    if (action === "proposed") return `proposed it to ${people(now ?? [])}`;
    if (action.startsWith("proposal_")) return `${action.slice(9)} a proposal`;
    if (about === "comments") return `${COMMENT_WORDS[action] ?? action}${now ? ` “${listed(now)}”` : ""}`;
    if (about === "attachments") return `${action === "attached" ? "added" : "removed"} ${listed(now ?? old)}`;
    if (action === "updated") return `changed the ${FIELD_NAMES[about] ?? about} from ${valueOf(about, old)} to ${valueOf(about, now)}`;
    return `${action.replace("_", " ")} it`;
  }

  // The pieces

  const moment = (iso) => h("time", { class: "hint", datetime: iso, title: exactTime(iso) }, listTime(iso));

  function commentItem(comment) {
    const mine = comment.author === tasks.me().id;
    return h("li", { class: "comment", testid: "task-comment-item", data: { commentId: comment.id } },
      personAvatar(tasks.person(comment.author)),
      h("div", { class: "comment-body" },
        h("p", { class: "comment-head" }, h("strong", {}, name(comment.author)), moment(comment.created_at),
          mine && iconButton("edit", "Edit comment", () => askText({
            title: "Edit comment", label: "Comment", action: "Save", testid: "comment-edit", value: comment.content,
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
      icon("file"), h("span", { class: "file-name" }, file.file_name), h("span", { class: "file-size" }, size(file.file_size))),
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
        send: (reason) => tasks.respond(proposal, "reject", reason),
      })),
    ];
  }

  // The whole

  function build(task) {
    const fields = taskFields(state);
    const draft = draftOf(fields);
    const line = refusalLine("task-message");
    const title = h("h2", { class: "panel-title" });
    const by = h("p", { class: "hint", testid: "task-by" });
    const status = field({ label: "Status", control: "select", options: STATUSES, testid: "task-status" });
    const save = h("button", { type: "submit", class: "button primary small", testid: "task-save" }, "Save");
    const undo = small("Undo", "task-undo", () => refill(state.open));
    const remove = iconButton("remove", "Delete task", () => confirm({
      title: "Delete task", text: "It disappears for everyone.", action: "Delete", then: () => told(tasks.remove(state.open)),
    }), { testid: "task-delete" });
    const assigned = h("ul", { class: "assignees", testid: "task-assignees" });
    const proposals = h("ul", {});
    const comments = h("ul", { class: "comments", testid: "task-comments" });
    const files = h("ul", { testid: "task-files" });
    const history = h("ul", { testid: "task-history" });
    let base = task; // what the fields were filled from: its version is what one changes

    function refill(now) {
      base = now;
      draft.fill(now);
      clearRefusal(fields, line);
      buttons();
    }

    function buttons() {
      for (const button of [save, undo]) setAttribute(button, "hidden", !draft.isTouched);
    }

    status.input.addEventListener("change", () => moveTask({
      tasks, say, task: state.open, status: status.input.value,
      over: () => { if (state.open) status.input.value = state.open.status; },
    }));

    const form = h("form",
      {
        class: "task-form", novalidate: true,
        on: {
          input: buttons,
          submit(event) {
            event.preventDefault();
            clearRefusal(fields, line);
            busy(save, () => tasks.save(base, draft.changes()).then(refill, refused));
          },
        },
      },
      line, layOut(fields), h("div", { class: "buttons" }, save, undo));

    /** What was written stays; the next save is meant for what is there now. */
    function refused(error) {
      if (!error.current) return showRefusal(error, fields, line);
      base = error.current;
      setText(line, `Somebody has changed this task meanwhile (now “${short(base.title)}”). Save again to put yours over it, or undo to see theirs.`);
    }

    const assign = small("Assign people", "task-assign", () => choosePeople({
      title: "Assigned people", action: "Save", chosen: state.open.assigned_to, send: (ids) => tasks.assign(state.open, ids),
    }));
    const propose = small("Propose", "task-propose", () => choosePeople({
      title: "Propose this task", action: "Propose", hide: state.open.assignees, send: (ids) => tasks.propose(state.open, ids),
    }));

    const words = field({ label: "Write a comment", control: "textarea", rows: "2", name: "content", testid: "task-comment" });
    const commentLine = refusalLine();
    const send = h("button", { type: "submit", class: "button small", testid: "task-comment-send" }, "Comment");
    const commentForm = h("form",
      {
        class: "dialog-form",
        novalidate: true,
        on: {
          submit(event) {
            event.preventDefault();
            clearRefusal({ words }, commentLine);
            busy(send, () => tasks.comment(words.input.value).then(
              () => { words.input.value = ""; }, (error) => showRefusal(error, { content: words }, commentLine)));
          },
        },
      },
      commentLine, words.element, h("div", { class: "buttons" }, send));
    words.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send.click();
    });

    const choose = h("input", { type: "file", multiple: true, "aria-label": "Add files", testid: "task-file" });
    choose.addEventListener("change", () => {
      const chosen = [...choose.files];
      choose.value = "";
      if (chosen.length) told(tasks.upload(chosen));
    });

    const body = h("div", { class: "scroll task-body" },
      by, status.element, form,
      section("Assigned to", assigned, h("div", { class: "buttons" }, assign, propose)),
      section("Proposals", proposals),
      section("Comments", comments, commentForm),
      section("Files", files, choose),
      section("History", history));
    const proposalPart = proposals.parentElement;

    draft.fill(task);
    buttons();
    return {
      id: task.id,
      nodes: [
        h("div", { class: "panel-head" }, title, remove, iconButton("close", "Close", () => tasks.close(), { testid: "task-close" })),
        body,
      ],
      choices: Object.keys(fields).length,
      isTouched: () => draft.isTouched,
      render(now) {
        if (now.version !== base.version && !draft.isTouched) refill(now);
        const mayChange = may.change(now);
        for (const { input } of [...Object.values(fields), status]) input.disabled = !mayChange;
        for (const one of [fields.department, fields.workspace]) if (one) one.input.disabled = !may.assign(now);
        if (document.activeElement !== status.input) status.input.value = now.status;
        setText(title, now.title);
        setText(by, `Made by ${name(now.creator)}, ${exactTime(now.created_at)}${now.completed_at ? `; done ${exactTime(now.completed_at)}` : ""}`);
        setAttribute(remove, "hidden", !may.remove(now));
        for (const button of [assign, propose]) setAttribute(button, "hidden", !may.assign(now));
        fill(assigned, now.assigned_to, (person) => h("li", { class: "assignee", data: { userId: person.id } }, personAvatar(person), person.username), "Nobody yet.");
        fill(proposals, now.proposals ?? [], proposalItem, "");
        setAttribute(proposalPart, "hidden", !(now.proposals ?? []).length);
        fill(comments, state.comments, commentItem, "");
        fill(files, now.attachments, fileItem(now), "");
        fill(history, state.history, historyItem, "");
        if (state.moreHistory) history.append(h("li", { class: "hint" }, "Older entries are not shown."));
      },
    };
  }

  /** Only what differs is written again, so that a button keeps its focus while others work. */
  const written = new WeakMap();
  function fill(list, items, create, empty) {
    const sign = JSON.stringify([items, items.map((item) => [item.author, item.user?.id ?? item.user, item.proposed_by].map((id) => id && name(id)))]);
    if (written.get(list) === sign) return;
    written.set(list, sign);
    list.replaceChildren(...items.map(create));
    if (!items.length && empty) list.append(h("li", { class: "hint" }, empty));
  }

  function render() {
    const task = state.open;
    setAttribute(element, "hidden", !task);
    if (!task) {
      view = null;
      element.replaceChildren();
      return;
    }
    const isNew = view?.id !== task.id;
    if (isNew) {
      view = build(task);
      element.replaceChildren(...view.nodes);
      element.dataset.taskId = task.id;
    }
    view.render(task);
  }

  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !view?.isTouched()) tasks.close();
  });

  return { element, render, answers };
}
