/* Posts an event by hand, of any of the three kinds, and shows what the server answers. */
import { h, setAttribute, setText } from "../dom.js";
import { busy, field, iconButton } from "./parts.js";

const PATH = "/api/v1/realtime/events/";

const number = (label, hint) => ({ label, hint, inputmode: "numeric", autocomplete: "off", read: (text) => (text && Number.isFinite(Number(text)) ? Number(text) : text) });
const words = (label, hint) => ({ label, hint, autocomplete: "off", read: (text) => text });
const numbers = (label, hint) => ({ ...number(label, hint), read: (text) => text.split(/[\s,]+/).filter(Boolean).map((one) => (Number.isFinite(Number(one)) ? Number(one) : one)) });
const object = (label) => ({ label, control: "textarea", rows: "2", spellcheck: "false", read: (text) => JSON.parse(text) });

const KINDS = {
  task: {
    task_id: number("Task number"),
    title: words("Title"),
    action: { label: "Action", control: "select", options: ["created", "updated", "completed", "deleted"].map((id) => ({ id, label: id })), read: (text) => text },
    workspace_id: number("Workspace number", "May stay empty."),
    target_user_ids: numbers("Who is told", "Numbers of people, with commas. Empty: only you."),
  },
  workspace: {
    workspace_id: number("Workspace number"),
    title: words("Title"),
    content: words("Text"),
    type: words("Type", "May stay empty."),
    related_entity_type: words("Type of what it is about", "May stay empty."),
    related_entity_id: number("Number of what it is about", "May stay empty."),
    exclude_user_ids: numbers("Who is not told", "Numbers of people, with commas."),
    data: object("Data, as JSON"),
  },
  system: {
    title: words("Title"),
    content: words("Text"),
    user_id: number("Who is told", "Number of a person. Empty: you."),
    data: object("Data, as JSON"),
  },
};

export function createSender({ call, close }) {
  const kind = field({ label: "Kind of event", testid: "event-kind", control: "select", options: Object.keys(KINDS).map((id) => ({ id, label: id })) });
  const submit = h("button", { type: "submit", class: "button primary", testid: "event-send" }, "Send event");
  const answer = h("pre", { class: "event-answer", testid: "event-answer", role: "status", tabindex: "0", "aria-label": "Answer", hidden: true });
  const groups = Object.fromEntries(Object.entries(KINDS).map(([name, fields]) => {
    const made = Object.fromEntries(Object.entries(fields).map(([id, { read, ...options }]) =>
      [id, { ...field({ ...options, testid: `event-${name}-${id}` }), read }]));
    return [name, { fields: made, element: h("div", { class: "event-fields" }, Object.values(made).map(({ element }) => element)) }];
  }));

  function chosen() {
    return groups[kind.input.value];
  }

  function choose() {
    for (const group of Object.values(groups)) setAttribute(group.element, "hidden", group !== chosen());
  }

  /** What is empty is left out; null when a field cannot be read. */
  function body() {
    const json = {};
    let isReadable = true;
    for (const [name, one] of Object.entries(chosen().fields)) {
      const text = one.input.value.trim();
      one.problem("");
      try {
        if (text) json[name] = one.read(text);
      } catch {
        one.problem("This is not JSON.");
        isReadable = false;
      }
    }
    return isReadable ? json : null;
  }

  function show(value, isGood) {
    setText(answer, JSON.stringify(value, null, 2));
    answer.dataset.good = String(isGood);
    setAttribute(answer, "hidden", false);
    answer.scrollIntoView({ block: "nearest" });
  }

  async function post(json) {
    try {
      show(await call("POST", `${PATH}${kind.input.value}`, { json }), true);
    } catch (error) {
      for (const [name, texts] of Object.entries(error.fields ?? {})) chosen().fields[name]?.problem(texts.join(" "));
      show({ status: error.status, ...(error.fields ?? { detail: error.message, code: error.code ?? undefined }) }, false);
    }
  }

  function send(event) {
    event.preventDefault();
    const json = body();
    if (json) busy(submit, () => post(json));
  }

  kind.input.addEventListener("change", choose);
  choose();
  return h("section", { "aria-label": "Events" },
    h("div", { class: "panel-head live-head" }, h("h2", { class: "panel-title" }, "Send an event"), iconButton("close", "Close", close, { class: "icon-button live-close" })),
    h("div", { class: "scroll" }, h("form", { class: "live event-form", novalidate: true, on: { submit: send } },
      kind.element, Object.values(groups).map(({ element }) => element),
      h("div", { class: "buttons" }, submit), answer)));
}
