/*
 * The tasks that the board shows, and the one that is open: read over REST,
 * kept fresh by the tasks' own socket, which is opened when somebody first
 * looks. Knows nothing of the page.
 */

export const STATUSES = [
  { id: "todo", label: "To do" },
  { id: "in_progress", label: "In progress" },
  { id: "review", label: "Review" },
  { id: "blocked", label: "Blocked" },
  { id: "done", label: "Done" },
  { id: "cancelled", label: "Cancelled" },
];
export const PRIORITIES = [
  { id: "low", label: "Low" },
  { id: "medium", label: "Medium" },
  { id: "high", label: "High" },
  { id: "critical", label: "Critical" },
];
export const labelOf = (list, id) => list.find((one) => one.id === id)?.label ?? String(id);

const PAGE = 100; // the most that one answer holds
const MOST_PAGES = 10;
const RELOAD_MS = 300;
const MANAGERS = ["ceo", "hr", "supervisor", "manager"];

/** The server says the same; asking first saves the person a refusal. */
export const needsReason = (from, to) => from === "done" || ["blocked", "cancelled"].includes(to);

const emptyFilters = () => ({ search: "", status: "", priority: "", assignee: "", mine: false });
const emptyExtras = () => ({ comments: [], history: [], moreHistory: false });
const pathOf = (id, action = "") => `/api/tasks/${id}/${action}`;
/* On the tasks' socket a task is known by its uuid, and `pk` is its number. */
const fromSocket = (data) => ({ ...data, id: data.pk });

/** openSocket(on) -> a socket as in socket.js; me() -> who is signed in. */
export function createTasks({ call, people, openSocket, say, me }) {
  const listeners = new Set();
  const names = new Map(); // id -> person; null while asked for
  let socket = null;
  let loading = 0;
  let touched = null; // what events changed while a list was on its way: id -> gone?
  let reloading = 0;
  let rereading = 0;
  let opened = 0;

  const state = {
    filters: emptyFilters(),
    known: new Map(),
    columns: new Map(), // status -> {count, page, hasMore}
    status: "loading", // ready, failed
    problem: "",
    proposals: [], // to oneself, not answered yet
    departments: [],
    workspaces: [],
    open: null, // the opened task
    ...emptyExtras(),
    connection: "idle",
  };

  const changed = () => listeners.forEach((listener) => listener());

  // Which tasks

  function isWanted(task) {
    const { status, priority, assignee, mine } = state.filters;
    return (!status || task.status === status)
      && (!priority || task.priority === priority)
      && (!assignee || task.assignees.includes(Number(assignee)))
      && (!mine || task.creator === me().id || task.assignees.includes(me().id));
  }

  const inColumn = (status) =>
    [...state.known.values()].filter((task) => task.status === status && isWanted(task)).sort((a, b) => b.id - a.id);

  const columnOf = (task) => (task && isWanted(task) ? state.columns.get(task.status) : null);

  function countOf(status) {
    const column = state.columns.get(status);
    const shown = inColumn(status).length;
    return column?.hasMore ? Math.max(column.count, shown) : shown;
  }

  function list(query) {
    const { mine, ...others } = state.filters;
    return call("GET", "/api/tasks/", { query: { ...others, mine: mine || null, page_size: PAGE, ...query } });
  }

  /** One list if everything fits into it, else one for each status. */
  async function read() {
    const all = await list({});
    if (!all.next) return new Map(STATUSES.map(({ id }) => [id, { results: all.results.filter((task) => task.status === id), next: null }]));
    const wanted = STATUSES.filter(({ id }) => !state.filters.status || state.filters.status === id);
    const answers = await Promise.all(wanted.map(({ id }) => list({ status: id })));
    return new Map(wanted.map(({ id }, index) => [id, answers[index]]));
  }

  async function load() {
    loading += 1;
    const mine = loading;
    touched = new Map();
    try {
      const answers = await read();
      if (mine !== loading) return;
      const before = state.known;
      state.known = new Map();
      for (const [status, { results, next, count }] of answers) {
        state.columns.set(status, { count: count ?? results.length, page: 1, hasMore: Boolean(next) });
        for (const task of results) if (!touched.get(task.id)) state.known.set(task.id, newest(before.get(task.id), task));
      }
      for (const [id, gone] of touched) if (!gone && before.has(id)) state.known.set(id, before.get(id));
      Object.assign(state, { status: "ready", problem: "" });
    } catch (error) {
      if (mine !== loading) return;
      Object.assign(state, { status: "failed", problem: error.message });
    }
    touched = null;
    changed();
  }

  async function more(status) {
    const column = state.columns.get(status);
    const answer = await list({ status, page: column.page + 1 });
    Object.assign(column, { page: column.page + 1, hasMore: Boolean(answer.next), count: answer.count });
    for (const task of answer.results) state.known.set(task.id, newest(state.known.get(task.id), task));
    changed();
  }

  function reloadSoon() {
    clearTimeout(reloading);
    reloading = setTimeout(load, RELOAD_MS);
  }

  function filter(change) {
    Object.assign(state.filters, change);
    if ("search" in change) reloadSoon();
    else load();
    changed();
  }

  // One task

  const newest = (old, next) => (old && old.version > next.version ? old : next);

  /** Takes a task as an answer or an event tells it; an older state changes nothing. */
  function put(task) {
    const old = state.known.get(task.id);
    const next = newest(old, task);
    const [from, to] = [columnOf(old), columnOf(next)];
    if (from !== to && from) from.count -= 1;
    if (from !== to && to) to.count += 1;
    /* Only the server knows what a search finds. */
    if (old || !state.filters.search) state.known.set(task.id, next);
    touched?.set(task.id, false);
    for (const person of task.assigned_to ?? []) names.set(person.id, person);
    if (state.open?.id === task.id) state.open = newest(state.open, task);
    changed();
    return next;
  }

  function drop(id) {
    const column = columnOf(state.known.get(id));
    if (column) column.count -= 1;
    state.known.delete(id);
    touched?.set(id, true);
    if (state.open?.id === id) close();
    changed();
  }

  async function move(task, status, reason = "") {
    const before = state.known.get(task.id) ?? task;
    put({ ...before, status });
    try {
      put(await call("POST", pathOf(task.id, "update_status/"), { json: { status, reason } }));
    } catch (error) {
      const now = state.known.get(task.id);
      if (now && now.version <= before.version) put(before);
      throw error;
    }
  }

  async function create(json) {
    const task = put(await call("POST", "/api/tasks/", { json }));
    if (state.filters.search) reloadSoon();
    return task;
  }

  /** A stale version is a 409 whose `current` is what somebody else made of it meanwhile. */
  async function save(task, json) {
    try {
      return put(await call("PATCH", pathOf(task.id), { json, version: task.version }));
    } catch (error) {
      if (error.current) put(error.current);
      throw error;
    }
  }

  async function remove(task) {
    await call("DELETE", pathOf(task.id));
    drop(task.id);
  }

  const assign = async (task, ids) =>
    put((await call("POST", pathOf(task.id, "assign/"), { json: { user_ids: ids, replace: true } })).task);

  // What belongs to the opened task

  async function open(id) {
    opened += 1;
    const mine = opened;
    Object.assign(state, emptyExtras(), { open: state.known.get(id) ?? null });
    changed();
    try {
      const task = await call("GET", pathOf(id));
      if (mine !== opened) return;
      state.open = task;
      put(task);
      await reread();
    } catch (error) {
      say(error.message);
      if (mine === opened) close();
    }
  }

  /** After a gap: what is open stays open, with what somebody has begun to write. */
  async function refresh() {
    const { id } = state.open;
    try {
      put(await call("GET", pathOf(id)));
      await reread();
    } catch (error) {
      if (error.status === 404) drop(id);
    }
  }

  function close() {
    opened += 1;
    state.open = null;
    changed();
  }

  async function allComments(id) {
    const found = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const answer = await call("GET", "/api/task-comments/", { query: { task: id, page, page_size: PAGE } });
      found.push(...answer.results);
      if (!answer.next) break;
    }
    return found;
  }

  async function reread() {
    const id = state.open?.id;
    if (!id) return;
    const [comments, history] = await Promise.all([
      allComments(id), call("GET", pathOf(id, "history/"), { query: { page_size: PAGE } }),
    ]);
    if (state.open?.id !== id) return;
    Object.assign(state, { comments, history: history.results, moreHistory: Boolean(history.next) });
    for (const { user } of history.results) if (user) names.set(user.id, user);
    changed();
  }

  function rereadSoon() {
    clearTimeout(rereading);
    rereading = setTimeout(() => reread().catch((error) => say(error.message)), RELOAD_MS);
  }

  /** Does something to the opened task's belongings, then shows the task as it is now. */
  async function act(method, path, options = {}) {
    const task = state.open;
    await call(method, path, options);
    const now = task && await call("GET", pathOf(task.id)).catch(() => null);
    if (now) put(now);
    rereadSoon();
    await loadProposals();
  }

  const comment = (content) => act("POST", "/api/task-comments/", { json: { task: state.open.id, content } });
  const editComment = ({ id, version }, content) => act("PATCH", `/api/task-comments/${id}/`, { json: { content }, version });
  const removeComment = ({ id }) => act("DELETE", `/api/task-comments/${id}/`);
  const removeFile = ({ id }) => act("DELETE", `/api/task-attachments/${id}/`);
  const propose = (task, ids) => act("POST", pathOf(task.id, "propose_assignment/"), { json: { user_ids: ids } });
  const withdraw = ({ id }) => act("POST", `/api/task-proposals/${id}/withdraw/`, { json: {} });
  const respond = (proposal, action, reason = "") =>
    act("POST", pathOf(proposal.task, "respond_assignment/"), { json: { assignment_id: proposal.id, action, reason } });

  function upload(files) {
    const form = new FormData();
    for (const file of files) form.append("attachments", file);
    return act("POST", pathOf(state.open.id, "upload_attachment/"), { form });
  }

  async function loadProposals() {
    const answer = await call("GET", "/api/task-proposals/", { query: { mine: true, status: "pending", page_size: PAGE } });
    state.proposals = answer.results;
    changed();
  }

  // People

  /** Somebody by number; who is not known yet is asked for, and a later change shows the name. */
  function person(id) {
    if (id === me().id) return me();
    if (!names.has(id)) {
      names.set(id, null);
      call("GET", `/api/users/${id}/`).then((found) => {
        names.set(id, found);
        changed();
      }, () => null);
    }
    return names.get(id) ?? { id, username: `person ${id}`, avatar: null };
  }

  async function loadChoices() {
    const every = (path) => call("GET", path, { query: { page_size: PAGE } }).then((answer) => answer.results ?? answer, () => []);
    const [everybody, departments, workspaces] = await Promise.all([
      people("").catch(() => []), every("/api/departments/"), every("/api/v1/workspaces/"),
    ]);
    for (const one of everybody) names.set(one.id, one);
    Object.assign(state, { departments, workspaces });
    changed();
  }

  // The socket

  function receive(frame) {
    if (frame.type === "resync") return reloadAll();
    if (frame.type === "proposal") return loadProposals().catch(() => null);
    if (frame.type === "comment" && frame.data.task === state.open?.id) return rereadSoon();
    if (frame.type !== "task") return null;
    const task = fromSocket(frame.data);
    if (frame.action === "deleted") return drop(task.id);
    put(task);
    if (state.filters.search) reloadSoon();
    if (task.id === state.open?.id) rereadSoon();
    return null;
  }

  function reloadAll() {
    load();
    loadProposals().catch(() => null);
    if (state.open) refresh();
  }

  let heard = false; // the socket has stood
  let asked = false; // something has been read, if only without the socket

  /* The first list is read when the socket stands, so that nothing falls between the two. */
  function connectionChanged({ name }) {
    state.connection = name;
    const isFirst = name === "connected" ? !heard : !asked && ["waiting", "closed"].includes(name);
    heard ||= name === "connected";
    asked ||= isFirst;
    if (isFirst) reloadAll();
    changed();
  }

  function start() {
    if (socket) return;
    socket = openSocket({ frame: receive, state: connectionChanged });
    socket.connect();
    loadChoices();
  }

  // What this person may do, as far as the page can tell; the server decides

  const manages = () => MANAGERS.includes(me().role);
  const may = {
    change: (task) => manages() || task.creator === me().id || task.assignees.includes(me().id),
    assign: (task) => manages() || task.creator === me().id,
    remove: (task) => manages() || (task.creator === me().id && !task.department && !task.workspace
      && task.assignees.every((id) => id === me().id)),
    answer: (proposal) => proposal.status === "pending" && proposal.user === me().id,
    withdraw: (proposal) => proposal.status === "pending" && (proposal.proposed_by === me().id || manages()),
    detach: (file, task) => file.uploaded_by === me().id || task.creator === me().id || manages(),
  };

  return {
    state, may, person, inColumn, countOf, start, filter, more, load,
    open, close, create, save, remove, move, assign,
    comment, editComment, removeComment, upload, removeFile, propose, respond, withdraw,
    everybody: () => [...names.values()].filter(Boolean),
    me,
    watch: (listener) => listeners.add(listener),
    wake: () => socket?.wake(),
    end() {
      listeners.clear();
      clearTimeout(reloading);
      clearTimeout(rereading);
      socket?.end();
    },
  };
}
