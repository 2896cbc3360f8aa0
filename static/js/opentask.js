/*
 * The task that is open, with its comments and its history: the newest of
 * each, and older ones as far as somebody asks. Knows nothing of the page.
 */
import { keyFor } from "./ids.js";

const PAGE = 50;
const REREAD_MS = 300;
const LOST = "This task has been deleted, or it is no longer shared with you.";

export const pathOf = (id, action = "") => `/api/tasks/${id}/${action}`;
const byId = (a, b) => a.id - b.id;

/** Of two states of one thing, the newer. */
export const newest = (old, next) => (old && old.version > next.version ? old : next);

export const nothingOpen = () => ({
  openId: null,
  open: null, // the task, once it is known
  trouble: "", // why there is nothing to show, or why what shows is no longer so
  comments: [], // in order of time
  moreComments: 0,
  history: [], // the newest first
  moreHistory: 0,
});

/** `put(task)` takes a task as an answer tells it, as in tasks.js; `postForm` as in formpost.js. */
export function createOpenTask({ call, postForm, state, kept, put, changed, say }) {
  let round = 0;
  let rereading = 0;
  let firstPage = 1; // of the comments: what lies before it has not been read
  let gone = new Set(); // comments whose end has been heard of: from here, from the socket, or both

  function close() {
    round += 1;
    Object.assign(state, nothingOpen());
    changed();
  }

  async function open(id) {
    round += 1;
    const mine = round;
    gone = new Set();
    Object.assign(state, nothingOpen(), { openId: id, open: state.known.get(id) ?? null });
    changed();
    try {
      const task = await call("GET", pathOf(id));
      if (mine !== round) return;
      state.open = put(task);
      await Promise.all([readHistory(), readComments(state.comments)]);
    } catch (error) {
      if (mine === round) fail(error);
    }
  }

  function fail(error) {
    if (error.status !== 404) state.trouble = error.message;
    else state.trouble = state.open ? LOST : `There is no task ${state.openId}, or it is not shared with you.`;
    changed();
  }

  /** What is written stays on the page, for whoever wrote it. */
  function lost() {
    state.trouble = LOST;
    changed();
  }

  /** After a gap: what is open stays open, with what somebody has begun to write. */
  async function refresh() {
    const mine = round;
    try {
      const task = await call("GET", pathOf(state.openId));
      if (mine !== round) return;
      Object.assign(state, { open: put(task), trouble: "" });
      await Promise.all([readHistory(), readComments([])]);
    } catch (error) {
      if (mine === round) fail(error);
    }
  }

  // History

  async function historyPage(page) {
    const id = state.openId;
    const answer = await call("GET", pathOf(id, "history/"), { query: { page, page_size: PAGE } });
    return state.openId === id ? answer : null;
  }

  function keepHistory(entries, count) {
    const known = new Map(entries.map((entry) => [entry.id, entry]));
    state.history = [...known.values()].sort(byId).reverse();
    state.moreHistory = Math.max(0, count - state.history.length);
    changed();
  }

  /** The newest entries, put before the others if nothing is missing in between. */
  async function readHistory() {
    const answer = await historyPage(1);
    if (!answer) return;
    const ids = new Set(answer.results.map(({ id }) => id));
    const meets = state.history.some(({ id }) => ids.has(id));
    keepHistory(meets ? [...answer.results, ...state.history] : answer.results, answer.count);
  }

  async function olderHistory() {
    const answer = await historyPage(Math.floor(state.history.length / PAGE) + 1);
    if (answer) keepHistory([...state.history, ...answer.results], answer.count);
  }

  function rereadSoon() {
    clearTimeout(rereading);
    rereading = setTimeout(() => state.openId && readHistory().catch((error) => say(error.message)), REREAD_MS);
  }

  // Comments

  function keepComments(comments, unread) {
    const known = new Map();
    for (const comment of comments) known.set(comment.id, newest(known.get(comment.id), comment));
    state.comments = [...known.values()].sort(byId);
    state.moreComments = Math.max(0, unread(known.size));
    changed();
  }

  async function commentPage(page, before) {
    const id = state.openId;
    const answer = await call("GET", "/api/task-comments/", { query: { task: id, page, page_size: PAGE } });
    if (state.openId !== id) return;
    firstPage = page;
    keepComments([...before, ...answer.results], (read) => answer.count - read);
  }

  const olderComments = () => commentPage(Math.max(1, firstPage - 1), state.comments);

  /** The server tells them from the oldest on: the newest are on the last page, which may be a short one. */
  async function readComments(before) {
    await commentPage(Math.max(1, Math.ceil(state.open.comment_count / PAGE)), before);
    if (state.moreComments && state.comments.length < PAGE) await olderComments();
  }

  /** Of a comment that has not been read, an event changes only how many there are. */
  function heard({ action, data }) {
    if (data.task !== state.openId || gone.has(data.id)) return;
    if (action === "deleted") gone.add(data.id);
    const others = state.comments.filter(({ id }) => id !== data.id);
    const isRead = others.length < state.comments.length;
    const unread = state.moreComments - (action === "deleted" && !isRead ? 1 : 0);
    const shown = action !== "deleted" && (isRead || action === "created");
    keepComments(shown ? [...state.comments, data] : others, () => unread);
    rereadSoon();
  }

  // What a person does with it

  const tell = (action, data) => heard({ action, data });
  async function comment(content) {
    const json = { task: state.openId, content };
    const slot = kept.slot("comment-key");
    const made = await call("POST", "/api/task-comments/", { json, once: keyFor(slot, json) });
    slot.set(null);
    tell("created", made);
  }
  const editComment = async ({ id, version }, content) =>
    tell("updated", await call("PATCH", `/api/task-comments/${id}/`, { json: { content }, version }));
  async function removeComment(comment) {
    await call("DELETE", `/api/task-comments/${comment.id}/`);
    tell("deleted", comment);
  }

  async function reread(id) {
    const now = id && await call("GET", pathOf(id)).catch(() => null);
    if (now) put(now);
    rereadSoon();
  }

  /** Does something to the task's belongings, then shows the task as it is now. */
  async function act(method, path, options = {}) {
    const id = state.openId;
    await call(method, path, options);
    await reread(id);
  }

  /** `on` -> {progress(fraction), started(abort)}. */
  async function upload(files, on) {
    const id = state.openId;
    const form = new FormData();
    for (const file of files) form.append("attachments", file);
    await postForm(pathOf(id, "upload_attachment/"), form, on);
    await reread(id);
  }

  return {
    open, close, lost, refresh, heard, rereadSoon, olderHistory, olderComments,
    comment, editComment, removeComment, act, upload,
    removeFile: ({ id }) => act("DELETE", `/api/task-attachments/${id}/`),
    end: () => clearTimeout(rereading),
  };
}
