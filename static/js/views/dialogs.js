/* Questions that stand above the page: whom to talk to, whom to add, and whether one is sure. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";
import { isKept, keepFields } from "./keep.js";
import { busy, field, iconButton, personAvatar } from "./parts.js";

const SEARCH_MS = 200;

/* What is searched for, and an address to try, are no words that one would miss. */
const WRITTEN = "input:not([type=search], [type=url], [type=file]), textarea";
const written = (dialog) => [...dialog.querySelectorAll(WRITTEN)].filter((one) => one.value !== one.defaultValue);
const hasWords = (dialog) => written(dialog).length > 0;
const losesWords = (dialog) => written(dialog).some((one) => !isKept(one));
const allOpen = () => [...document.querySelectorAll("dialog[open]")];

/** Whether a dialog is open whose words are kept nowhere else. */
export const dialogsHoldWords = () => allOpen().some(losesWords);
export const closeDialogs = () => allOpen().forEach((dialog) => dialog.close());

/**
 * The browser's own modal dialog: it traps focus and gives focus back. Escape
 * and the cross close it, after a question if that would lose words; a press
 * beside it, which may be a slip, closes it only while nothing is written.
 */
export function openDialog(title, ...content) {
  const dialog = h("dialog", { class: "dialog", "aria-label": title },
    h("div", { class: "dialog-head" },
      h("h2", { class: "section-title" }, title),
      iconButton("close", "Close", leave, { testid: "dialog-close" })),
    content);

  function leave() {
    if (!losesWords(dialog)) return dialog.close();
    return confirm({
      title: "Discard what you wrote?", text: "It has not been saved.", action: "Discard", stay: "Keep writing",
      then: () => dialog.close(),
    });
  }

  function leaveOn(event) {
    event.preventDefault();
    leave();
  }

  dialog.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing) leaveOn(event); });
  dialog.addEventListener("cancel", (event) => { if (event.target === dialog) leaveOn(event); }); // a phone's way back
  dialog.addEventListener("close", () => dialog.remove());
  let isPressedBeside = false; // a drag out of a field ends beside the dialog as well
  dialog.addEventListener("pointerdown", (event) => { isPressedBeside = event.target === dialog; });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && isPressedBeside && !hasWords(dialog)) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A searchable list of people. `choose(person, isChosen)`; chosen ones stay chosen while searching; `me` is left out. */
export function peoplePicker({ api, me, hide = [], many, choose, problem }) {
  const chosen = new Map();
  const hidden = new Set([me?.id, ...hide]);
  const list = h("ul", { class: "people", "aria-label": "People" });
  const search = h("input", { class: "input", type: "search", placeholder: "Search people", "aria-label": "Search people", testid: "person-search", autofocus: true });
  let waiting = 0;
  let asked = 0;

  function option(person) {
    const button = h("button",
      {
        type: "button", class: "person", testid: "person-option",
        data: { userId: person.id, username: person.username },
        "aria-pressed": many ? String(chosen.has(person.id)) : null,
        on: { click: () => pick(person, button) },
      },
      h("span", { class: "avatar-place" }, personAvatar(person), person.is_online && h("span", { class: "online", title: "Online" })),
      h("span", { class: "person-name" }, person.full_name || person.username),
      h("span", { class: "person-handle" }, `@${person.username}`),
      many && h("span", { class: "check", "aria-hidden": "true" }, icon("check")));
    return h("li", {}, button);
  }

  function pick(person, button) {
    if (many) {
      if (!chosen.delete(person.id)) chosen.set(person.id, person);
      setAttribute(button, "aria-pressed", String(chosen.has(person.id)));
    }
    choose(person, button);
  }

  async function load() {
    asked += 1;
    const mine = asked;
    try {
      const people = await api.people(search.value.trim());
      if (mine !== asked) return;
      const shown = people.filter((person) => !hidden.has(person.id));
      list.replaceChildren(...shown.map(option));
      if (!shown.length) list.append(h("li", { class: "empty" }, "Nobody found."));
    } catch (error) {
      setText(problem, error.message);
    }
  }

  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(load, SEARCH_MS);
  });
  load();
  return { element: h("div", { class: "picker" }, search, list), chosen };
}

const problemLine = () => h("p", { class: "form-message", role: "alert" });

/** `start(userId)` is a promise; the dialog closes when it is kept. */
export function askForPerson({ api, me, title = "New direct room", start }) {
  const problem = problemLine();
  const picker = peoplePicker({
    api, me, problem, many: false,
    choose: (person, button) =>
      busy(button, () => start(person.id).then(() => dialog.close(), (error) => setText(problem, error.message))),
  });
  const dialog = openDialog(title, problem, picker.element);
}

/** `create(name, userIds)` likewise; `slot` keeps the name while it is being written. */
export function askForGroup({ api, me, slot, create }) {
  const problem = problemLine();
  const name = field({ label: "Name of the group", testid: "group-name", maxlength: "255", autocomplete: "off" });
  const keep = keepFields({ name }, slot);
  const submit = h("button", { type: "submit", class: "button primary", testid: "create-room" }, "Create group");
  const picker = peoplePicker({ api, me, problem, many: true, choose: () => {} });

  function send(event) {
    event.preventDefault();
    name.problem("");
    setText(problem, "");
    busy(submit, () => create(name.input.value.trim(), [...picker.chosen.keys()]).then(done, show));
  }

  function done() {
    keep.clear();
    dialog.close();
  }

  function show(error) {
    const { name: [ofName] = [], ...others } = error.fields ?? {};
    name.problem(ofName);
    const rest = Object.values(others).flat().join(" ");
    setText(problem, rest || (ofName ? "" : error.message));
  }

  const dialog = openDialog("New group", h("form", { class: "dialog-form", on: { submit: send } },
    problem, name.element, picker.element, h("div", { class: "buttons" }, submit)));
  name.input.focus();
}

export function askForMembers({ api, me, room, add }) {
  const problem = problemLine();
  const submit = h("button", { type: "button", class: "button primary", testid: "add-people-confirm", disabled: true }, "Add to the group");
  const picker = peoplePicker({
    api, me, problem, many: true, hide: room.participants.map((person) => person.id),
    choose: () => { submit.disabled = picker.chosen.size === 0; },
  });
  submit.addEventListener("click", () =>
    busy(submit, () => add([...picker.chosen.keys()]).then(() => dialog.close(), (error) => setText(problem, error.message))));
  const dialog = openDialog("Add people", problem, picker.element, h("div", { class: "buttons" }, submit));
}

/** Yes or no; the safe answer has the focus. */
export function confirm({ title, text, action, stay = "Cancel", then }) {
  const cancel = h("button", { type: "button", class: "button", autofocus: true, testid: "stay", on: { click: () => dialog.close() } }, stay);
  const yes = h("button", { type: "button", class: "button danger", testid: "confirm" }, action);
  yes.addEventListener("click", () => {
    dialog.close();
    then();
  });
  const dialog = openDialog(title, h("p", {}, text), h("div", { class: "buttons" }, cancel, yes));
}
