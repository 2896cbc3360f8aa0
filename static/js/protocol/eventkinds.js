/* The three kinds of events that can be posted, with the fields of each and how their text is read. */

/** Numbers that are none go to the server as they are: it says what is wrong with them. @param {string} text */
const asNumber = (text) => (Number.isFinite(Number(text)) ? Number(text) : text);

const number = (label, hint = "") => ({ label, hint, inputmode: "numeric", autocomplete: "off", read: asNumber });
const words = (label, hint = "") => ({ label, hint, autocomplete: "off", read: (text) => text });
const numbers = (label, hint) =>
  ({ ...number(label, hint), read: (text) => text.split(/[\s,]+/).filter(Boolean).map(asNumber) });
const object = (label) =>
  ({ label, control: "textarea", rows: "2", spellcheck: "false", read: (text) => JSON.parse(text) });
const choice = (label, ids) =>
  ({ label, control: "select", options: ids.map((id) => ({ id, label: id })), initial: ids[0], read: (text) => text });

/** @type {Record<string, Record<string, any>>} */
export const KINDS = {
  task: {
    task_id: number("Task number"),
    title: words("Title"),
    action: choice("Action", ["created", "updated", "completed", "deleted"]),
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

/**
 * What the texts of a form say; what is empty is left out.
 * @param {string} kind
 * @param {Record<string, string>} texts
 */
export function bodyOf(kind, texts) {
  /** @type {Record<string, any>} */
  const json = {};
  /** @type {Record<string, string>} */
  const problems = {};
  for (const [name, { read, initial = "" }] of Object.entries(KINDS[kind])) {
    const text = (texts[name] ?? initial).trim();
    try {
      if (text) json[name] = read(text);
    } catch {
      problems[name] = "This is not JSON.";
    }
  }
  return { json, problems };
}
