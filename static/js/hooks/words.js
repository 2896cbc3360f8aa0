/* What webhooks are called, for people. Values in, values out. */

export const OUTGOING = "/api/hooks/outgoing/";
export const INCOMING = "/api/hooks/incoming/";
export const ADDRESSES = "/api/hooks/addresses/";

export const ROOM_EVENTS = [
  { id: "message.created", label: "a message is written" },
  { id: "message.edited", label: "a message is edited" },
  { id: "message.deleted", label: "a message is deleted" },
];
export const WORKSPACE_EVENTS = [
  { id: "task.created", label: "a task is made, or moved here" },
  { id: "task.changed", label: "a task is changed" },
  { id: "task.done", label: "a task is done" },
  { id: "task.commented", label: "a task is commented" },
  { id: "task.deleted", label: "a task is deleted, or moved away" },
];

const NAMES = new Map([...ROOM_EVENTS, ...WORKSPACE_EVENTS].map(({ id, label }) => [id, label]));
NAMES.set("test", "a test");

export const eventName = (id) => NAMES.get(id) ?? id;
/** The same where it begins a line. */
export const eventTitle = (id) => eventName(id).replace(/^./, (letter) => letter.toUpperCase());

const OFF = {
  failing: "Off: its receiver took nothing for a day.",
  gone: "Off: its receiver says that it is gone for good.",
  no_access: "Off: whoever made it may not have it any more.",
  address_not_allowed: "Off: its address is not allowed any more.",
  switched_off: "Off.",
};

/** How a webhook is. */
export function stateOf({ is_active: isActive, off_reason: reason, failing_since: failingSince, waiting }, listTime) {
  if (!isActive) return OFF[reason] ?? "Off.";
  if (failingSince) return `Its receiver has taken nothing since ${listTime(failingSince)}; ${waiting} waiting.`;
  return waiting ? `On; ${waiting} waiting.` : "On.";
}

/** What came of a delivery. */
export function outcomeOf({ state, status, error, attempts, duration_ms: took }) {
  const times = attempts > 1 ? ` (${attempts} attempts)` : "";
  if (state === "delivered") return `${status} in ${took} ms${times}`;
  if (state === "dropped") return `dropped${error ? `: ${error}` : ""}`;
  return attempts ? `waiting: ${error}${times}` : "waiting";
}
