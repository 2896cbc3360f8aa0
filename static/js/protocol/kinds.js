/* The kinds of sockets that the server has, with what each needs to be opened. */

/**
 * @typedef {object} Kind
 * @property {string} id
 * @property {string} label
 * @property {string} shows what arrives there, in a few words
 * @property {string} path "#" stands for the number
 * @property {string} [number] what the number is of, where one is needed
 */

/** @type {Kind[]} */
export const KINDS = [
  { id: "chat", label: "Chat", path: "/ws/chat/", shows: "rooms, messages, typing, presence" },
  { id: "notifications", label: "Notifications", path: "/ws/notifications", shows: "what concerns you" },
  { id: "tasks", label: "Tasks", path: "/ws/tasks/", shows: "every task you may see" },
  { id: "workspace", label: "Workspace tasks", path: "/ws/tasks/#", number: "workspace", shows: "the tasks of one workspace" },
  { id: "focus", label: "Focus session", path: "/ws/focus-session/#", number: "session", shows: "one session's clock; whoever connects takes part" },
  { id: "room", label: "One room", path: "/ws/chat/#/", number: "room", shows: "one room of the chat" },
  { id: "health", label: "Health", path: "/ws/health/", shows: "whether sockets work" },
];

/** Those that need no number and say what concerns a person. */
export const OPEN_AT_FIRST = ["chat", "notifications", "tasks"];

const NAME = /^([a-z]+)(?: (\d{1,15}))?$/;

/**
 * A socket's kind and address by its name, such as "chat" or "workspace 3". Null where there is none.
 * @param {string} name
 */
export function placeOf(name) {
  const [, id, number] = name.match(NAME) ?? [];
  const kind = KINDS.find((one) => one.id === id);
  if (!kind || Boolean(kind.number) !== Boolean(number)) return null;
  return { kind, path: kind.path.replace("#", number ?? "") };
}
