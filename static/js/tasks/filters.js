/* What narrows the tasks: read from the address and written into it, as the server is asked, and for a task that an event brings. */

export const DUE = [
  { id: "overdue", label: "Overdue" },
  { id: "today", label: "Due today" },
  { id: "week", label: "Due within 7 days" },
];
export const ORDERS = [
  { id: "due_date", label: "Due first" },
  { id: "-priority", label: "Most urgent first" },
  { id: "-created_at", label: "Newest first" },
  { id: "-updated_at", label: "Last changed first" },
];
const TEXTS = ["search", "status", "priority", "assignee", "department", "workspace", "due"];
const ENDED = ["done", "cancelled"];
const RANKS = { low: 1, medium: 2, high: 3, critical: 4 };

export const NO_FILTERS = Object.freeze({ search: "", status: "", priority: "", assignee: "", department: "", workspace: "", due: "", mine: false });

/**
 * The filters that an address's query names.
 * @returns {Record<string, any>}
 */
export function fromQuery(query) {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, query[name] ?? ""]));
  if (!DUE.some(({ id }) => id === texts.due)) texts.due = "";
  return { ...texts, mine: query.mine === "1" };
}

/** The order that a board or a list has unless the address names another. */
export const usualOrder = (view) => (view === "list" ? "due_date" : "-created_at");

/** How the tasks are shown: as a board, or as a list, and in which order. */
export function shapeOf(query) {
  const view = query.view === "list" ? "list" : "board";
  return { view, order: ORDERS.some(({ id }) => id === query.order) ? query.order : usualOrder(view) };
}

/** The query of an address, without what is empty or as ever. */
export function toQuery(filters, { view, order }) {
  const named = Object.entries(filters).filter(([, value]) => value);
  return { ...Object.fromEntries(named), ...(view === "list" && { view }), ...(order !== usualOrder(view) && { order }) };
}

export const isFiltered = (filters) => Object.values(filters).some(Boolean);
export const isSame = (a, b) => Object.keys(NO_FILTERS).every((name) => a[name] === b[name]);

const midnight = (now, days) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);

/** From when (as the server takes it: later than) until when (earlier than) a task is due. */
export function dueRange(due, now = new Date()) {
  if (due === "overdue") return { before: now };
  const after = new Date(midnight(now, 0).getTime() - 1);
  if (due === "today") return { after, before: midnight(now, 1) };
  return due === "week" ? { after, before: midnight(now, 7) } : {};
}

/** The filters as the server takes them. */
export function forServer({ due, mine, ...others }, now = new Date()) {
  const { after, before } = dueRange(due, now);
  return { ...others, mine: mine || null, due_after: after?.toISOString(), due_before: before?.toISOString() };
}

/** Whether a column can hold anything that the filters leave. */
export const isColumnWanted = ({ status, due }, id) => (!status || status === id) && !(due === "overdue" && ENDED.includes(id));

const isNumber = (wanted, id) => !wanted || id === Number(wanted);

function isDueThen(due, iso, now) {
  const { after, before } = dueRange(due, now);
  const at = new Date(iso);
  return Boolean(iso) && at < before && (!after || at > after);
}

/** Whether the filters leave a task, as far as the page can tell: what a search finds only the server knows. */
export function accepts(filters, task, me, now = new Date()) {
  const { priority, assignee, department, workspace, due, mine } = filters;
  return isColumnWanted(filters, task.status)
    && (!priority || task.priority === priority)
    && (!assignee || task.assignees.includes(Number(assignee)))
    && isNumber(department, task.department) && isNumber(workspace, task.workspace)
    && (!due || isDueThen(due, task.due_date, now))
    && (!mine || task.creator === me.id || task.assignees.includes(me.id));
}

const keyOf = {
  due_date: (task) => (task.due_date ? Date.parse(task.due_date) : Infinity),
  priority: (task) => RANKS[task.priority],
  created_at: (task) => task.id,
  updated_at: (task) => Date.parse(task.updated_at),
};

/** Tasks in one of the orders; of two that are the same in it, the newer comes first. */
export function sorted(tasks, order) {
  const key = keyOf[order.replace("-", "")];
  const way = order.startsWith("-") ? -1 : 1;
  const compare = (a, b) => (key(a) === key(b) ? b.id - a.id : way * (key(a) < key(b) ? -1 : 1));
  return [...tasks].sort(compare);
}

/**
 * What a new task has from the filters under which it is made.
 * @param {{ priority?: any, assignee?: any, department?: any, workspace?: any }} filters
 * @param {boolean} mayManage
 */
export function givenBy({ priority, assignee, department, workspace }, mayManage) {
  return {
    ...(priority && { priority }), ...(workspace && { workspace: Number(workspace) }),
    ...(department && mayManage && { department: Number(department) }), ...(assignee && { assignees: [Number(assignee)] }),
  };
}
