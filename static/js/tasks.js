/*
 * The tasks that the board shows: read over REST, kept fresh by the tasks' own
 * socket, which is opened when somebody first looks. Knows nothing of the page.
 */
import { keyFor } from "./ids.js";
import { createOpenTask, newest, nothingOpen, pathOf } from "./opentask.js";
import { NO_FILTERS, accepts, forServer, isColumnWanted, isSame, sorted, usualOrder } from "./tasks/filters.js";

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
const MAX_PAGES = 10;
const RELOAD_MS = 300;
const RECOUNT_MS = 1_000;
const NUMBERS = ["assignee", "department", "workspace"]; // on the socket
const MANAGERS = ["ceo", "hr", "supervisor", "manager"];

/** The server says the same; asking first saves the person a refusal. */
export const needsReason = (from, to) => from === "done" || ["blocked", "cancelled"].includes(to);

/* On the tasks' socket a task is known by its uuid, and `pk` is its number. */
const fromSocket = (data) => ({ ...data, id: data.pk });

/**
 * openSocket(on) -> a socket as in socket.js; me() -> who is signed in; `kept` (kept.js) holds what is half written;
 * `postForm` as in formpost.js.
 */
export function createTasks({ call, all, openSocket, postForm, kept, say, me }) {
  const listeners = new Set();
  let socket = null;
  let loading = 0;
  let touched = null; // what events changed while a list was on its way: id -> gone?
  let reloading = 0;
  let recounting = 0;
  let removing = null; // the task that is being deleted here

  const state = {
    filters: NO_FILTERS,
    view: "board",
    order: usualOrder("board"),
    known: new Map(),
    columns: new Map(), // of the board: status -> {count, reached: the oldest task read so far, hasMore}
    listing: { count: 0, hasMore: false }, // of the list
    status: "loading", // ready, failed
    problem: "",
    proposals: [], // to oneself, not answered yet
    departments: [],
    workspaces: [],
    ...nothingOpen(),
    connection: "idle",
  };

  const changed = () => listeners.forEach((listener) => listener());
  const opened = createOpenTask({ call, postForm, state, kept, put, changed, say });

  // Which tasks

  const isWanted = (task) => accepts(state.filters, task, me());

  const inColumn = (status) =>
    sorted([...state.known.values()].filter((task) => task.status === status && isWanted(task)), state.order);

  const columnOf = (task) => (task && isWanted(task) ? state.columns.get(task.status) : null);

  function countOf(status) {
    const column = state.columns.get(status);
    const shown = inColumn(status).length;
    return column?.hasMore ? Math.max(column.count, shown) : shown;
  }

  /** The tasks in the list's order. */
  const listed = () => sorted([...state.known.values()].filter(isWanted), state.order);

  function countListed() {
    const shown = listed().length;
    return state.listing.hasMore ? Math.max(state.listing.count, shown) : shown;
  }

  const list = (query) => call("GET", "/api/tasks/", { query: { ...forServer(state.filters), ordering: state.order, page_size: PAGE, ...query } });

  /** The list is one of all statuses, in its order: its next page begins where what is known ends. */
  async function moreListed() {
    const round = loading;
    const answer = await list({ page: Math.floor(listed().length / PAGE) + 1 });
    if (round !== loading) return;
    for (const task of answer.results) state.known.set(task.id, newest(state.known.get(task.id), task));
    state.listing = { count: answer.count, hasMore: Boolean(answer.next) };
    changed();
  }

  /** One list if everything fits into it, else one for each status. */
  async function read() {
    const all = await list({});
    state.listing = { count: all.count, hasMore: Boolean(all.next) };
    if (state.view === "list") return new Map([["", all]]);
    if (!all.next) return new Map(STATUSES.map(({ id }) => [id, { results: all.results.filter((task) => task.status === id), next: null }]));
    const wanted = STATUSES.filter(({ id }) => isColumnWanted(state.filters, id));
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
      state.columns.clear();
      for (const [status, { results, next, count }] of answers) {
        if (status) state.columns.set(status, { count: count ?? results.length, reached: reach(results), hasMore: Boolean(next) });
        for (const task of results) if (!touched.get(task.id)) state.known.set(task.id, newest(before.get(task.id), task));
      }
      if (touched.size) recountSoon();
      for (const [id, gone] of touched) if (!gone && before.has(id)) state.known.set(id, before.get(id));
      Object.assign(state, { status: "ready", problem: "" });
    } catch (error) {
      if (mine !== loading) return;
      Object.assign(state, { status: "failed", problem: error.message });
    }
    touched = null;
    changed();
  }

  const reach = (results) => results.at(-1)?.id ?? Infinity;

  /*
   * Tasks come and go while one reads on, so the next page is where the read
   * part ends by now: it may hold many that are known, but nothing is skipped.
   */
  async function more(status) {
    const column = state.columns.get(status);
    const before = inColumn(status).length;
    const round = loading;
    const isByAge = state.order === usualOrder("board");
    let page = Math.floor(inColumn(status).filter(({ id }) => !isByAge || id >= column.reached).length / PAGE);
    do {
      page += 1;
      const answer = await list({ status, page });
      if (round !== loading) return; // other filters have been chosen meanwhile
      for (const task of answer.results) state.known.set(task.id, newest(state.known.get(task.id), task));
      Object.assign(column, { count: answer.count, hasMore: Boolean(answer.next), reached: Math.min(column.reached, reach(answer.results)) });
      changed();
    } while (column.hasMore && inColumn(status).length < before + PAGE / 2);
  }

  /** Of a column that is not read to its end, only the server knows how many tasks came or went unseen. */
  function recountSoon() {
    if (![...state.columns.values()].some(({ hasMore }) => hasMore)) return;
    recounting ||= setTimeout(() => {
      recounting = 0;
      const given = Object.entries(forServer(state.filters)).filter(([, value]) => value);
      const filters = Object.fromEntries(given.map(([name, value]) => [name, NUMBERS.includes(name) ? Number(value) : value]));
      for (const [status, { hasMore }] of state.columns) {
        if (hasMore) socket.send({ mode: "all", ...filters, status, page_size: 1, request_id: `${loading} ${status}` });
      }
    }, RECOUNT_MS);
  }

  function counted({ request_id: asked = "", count }) {
    const [round, status] = String(asked).split(" ");
    const column = Number(round) === loading ? state.columns.get(status) : null;
    if (!column || count === undefined) return;
    column.count = count;
    changed();
  }

  function reloadSoon() {
    clearTimeout(reloading);
    reloading = setTimeout(load, RELOAD_MS);
  }

  /** Shows what the address names; what is read already is not read again. */
  function show(filters, { view, order }) {
    const isOther = !isSame(filters, state.filters) || view !== state.view || order !== state.order;
    if (!isOther) return;
    const isSearch = isSame({ ...filters, search: "" }, { ...state.filters, search: "" }) && view === state.view;
    Object.assign(state, { filters, view, order });
    if (isSearch && filters.search) reloadSoon();
    else if (asked) load();
    changed();
  }

  // One task

  /** Takes a task as an answer or an event tells it; an older state changes nothing. */
  function put(task, { isNew = false } = {}) {
    const old = state.known.get(task.id);
    const next = newest(old, task);
    const [from, to] = [columnOf(old), columnOf(next)];
    if (!old && !isNew) recountSoon();
    else if (from !== to) {
      if (from) from.count -= 1;
      if (to) to.count += 1;
    }
    /* Only the server knows what a search finds. */
    if (old || !state.filters.search) state.known.set(task.id, next);
    touched?.set(task.id, false);
    if (state.openId === task.id) Object.assign(state, { open: newest(state.open, task), trouble: "" });
    changed();
    return next;
  }

  function drop(id) {
    const column = columnOf(state.known.get(id));
    if (column) column.count -= 1;
    else recountSoon();
    state.known.delete(id);
    touched?.set(id, true);
    if (state.openId === id && removing !== id) opened.lost();
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
    const slot = kept.slot("new-task-key");
    const task = put(await call("POST", "/api/tasks/", { json, once: keyFor(slot, json) }), { isNew: true });
    slot.set(null);
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
    removing = task.id;
    try {
      await call("DELETE", pathOf(task.id));
      drop(task.id);
    } finally {
      removing = null;
    }
  }

  const assign = async (task, ids) =>
    put((await call("POST", pathOf(task.id, "assign/"), { json: { user_ids: ids, replace: true } })).task);

  // Proposals

  async function act(...request) {
    await opened.act(...request);
    await loadProposals();
  }

  const propose = (task, ids) => act("POST", pathOf(task.id, "propose_assignment/"), { json: { user_ids: ids } });
  const withdraw = ({ id }) => act("POST", `/api/task-proposals/${id}/withdraw/`, { json: {} });
  const respond = (proposal, action, reason = "") =>
    act("POST", pathOf(proposal.task, "respond_assignment/"), { json: { assignment_id: proposal.id, action, reason } });

  async function loadProposals() {
    const answer = await call("GET", "/api/task-proposals/", { query: { mine: true, status: "pending", page_size: PAGE } });
    state.proposals = answer.results;
    changed();
  }

  // What there is to choose from

  async function loadChoices() {
    const [departments, workspaces] = await Promise.all(
      ["/api/departments/", "/api/v1/workspaces/"].map((path) => all(path, {}, MAX_PAGES).catch(() => [])));
    Object.assign(state, { departments, workspaces });
    changed();
  }

  // The socket

  function receive(frame) {
    if (frame.type === "resync") return reloadAll();
    if (frame.type === "proposal") return loadProposals().catch(() => null);
    if (frame.type === "comment") return opened.heard(frame);
    if (frame.mode === "all") return counted(frame);
    if (frame.type !== "task") return null;
    const task = fromSocket(frame.data);
    if (frame.action === "deleted") return drop(task.id);
    put(task, { isNew: frame.action === "created" });
    if (state.filters.search) reloadSoon();
    if (task.id !== state.openId) return null;
    if (frame.action === "created") opened.refresh(); // it is shared again
    else opened.rereadSoon();
    return null;
  }

  function reloadAll() {
    load();
    loadProposals().catch(() => null);
    if (state.openId) opened.refresh();
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
    manage: manages,
    change: (task) => manages() || task.creator === me().id || task.assignees.includes(me().id),
    assign: (task) => manages() || task.creator === me().id,
    remove: (task) => manages() || (task.creator === me().id && !task.department && !task.workspace
      && task.assignees.every((id) => id === me().id)),
    answer: (proposal) => proposal.status === "pending" && proposal.user === me().id,
    withdraw: (proposal) => proposal.status === "pending" && (proposal.proposed_by === me().id || manages()),
    detach: (file, task) => file.uploaded_by === me().id || task.creator === me().id || manages(),
  };

  return {
    ...opened,
    state, kept, may, inColumn, countOf, listed, countListed, start, show, more, moreListed, load,
    create, save, remove, move, assign, propose, respond, withdraw, me,
    watch: (listener) => listeners.add(listener),
    end() {
      listeners.clear();
      clearTimeout(reloading);
      clearTimeout(recounting);
      opened.end();
      socket?.end();
    },
  };
}
