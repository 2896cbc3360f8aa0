/* What happened to a task, in words. */
import { PRIORITIES, STATUSES, labelOf } from "../tasks.js";
import { dayWords } from "./due.js";

const FIELD_NAMES = {
  title: "title", description: "description", priority: "priority", due_date: "due date",
  estimate_hours: "estimate", department: "department", workspace: "workspace",
};
const COMMENT_WORDS = { comment_edited: "changed a comment to", comment_deleted: "deleted a comment" };
const MAX_QUOTED = 60;

const short = (text) => (text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
/* Isolated: a text that runs from right to left must not turn the sentence around it. */
const quoted = (text) => `“\u2068${short(text)}\u2069”`;
const without = (all, others) => (all ?? []).filter((id) => !(others ?? []).includes(id));
const listed = (value) => (Array.isArray(value) ? value.join(", ") : String(value ?? ""));

function valueOf(about, value, choices) {
  if (value === null || value === "") return "nothing";
  if (about === "status") return labelOf(STATUSES, value);
  if (about === "priority") return labelOf(PRIORITIES, value);
  if (about === "due_date") return dayWords(value);
  if (["department", "workspace"].includes(about)) return choices[`${about}s`].find((one) => one.id === value)?.name ?? `number ${value}`;
  return quoted(String(value));
}

/** What an entry of the history says, after the name; `choices` knows departments and workspaces, `name(id)` people. */
export function happened({ action, field: about, old_value: old, new_value: now }, { choices, name }) {
  const people = (ids) => ids.map(name).join(", ");
  const value = (what) => valueOf(about, what, choices);
  if (action === "status_changed") return `moved it from ${labelOf(STATUSES, old)} to ${labelOf(STATUSES, now)}`;
  if (about === "assignees") {
    const [added, gone] = [without(now, old), without(old, now)];
    return [added.length && `assigned ${people(added)}`, gone.length && `took ${people(gone)} off it`].filter(Boolean).join(" and ");
  }
  if (action === "proposed") return `proposed it to ${people(now ?? [])}`;
  if (action.startsWith("proposal_")) return `${action.slice(9)} a proposal`;
  if (about === "comments") return `${COMMENT_WORDS[action] ?? action}${now ? ` ${quoted(listed(now))}` : ""}`;
  if (about === "attachments") return `${action === "attached" ? "added" : "removed"} ${listed(now ?? old)}`;
  if (action === "updated") return `changed the ${FIELD_NAMES[about] ?? about} from ${value(old)} to ${value(now)}`;
  return `${action.replace("_", " ")} it`;
}
