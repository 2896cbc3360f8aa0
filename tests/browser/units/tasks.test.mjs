/* The pure parts of the tasks: filters, due dates, drafts, folded columns, and what happened in words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { besideOf, cardSideways, cardUpright, isFolded, windowOf } from "../../../static/js/tasks/columns.js";
import {
  beginning, changesOf, dropped, followed, hasContest, isContested, resumed, saved, toKeep, unsentWords, valueOf, written,
} from "../../../static/js/tasks/draft.js";
import { dueChip } from "../../../static/js/tasks/due.js";
import { NO_FILTERS, accepts, dueRange, forServer, fromQuery, givenBy, isColumnWanted, isFiltered, shapeOf, sorted, toQuery } from "../../../static/js/tasks/filters.js";
import { happened } from "../../../static/js/tasks/history.js";

const NOW = new Date(2026, 5, 10, 12, 0); // a Wednesday
const at = (days, hour = 15) => new Date(2026, 5, 10 + days, hour).toISOString();
const ME = { id: 7 };
const task = (more = {}) => ({
  id: 1, version: 1, title: "Paint", description: "Red", status: "todo", priority: "medium", due_date: null, estimate_hours: null,
  creator: 7, assignees: [], department: null, workspace: null, updated_at: at(0), ...more,
});

test("a due date reads as a word while it is near", () => {
  const words = (days, hour, status = "todo") => dueChip(task({ due_date: at(days, hour), status }), NOW);
  assert.deepEqual(words(-1, 9), { words: "Overdue", kind: "late" });
  assert.equal(words(0, 11).words, "Overdue");
  assert.deepEqual(words(0, 18), { words: "Today", kind: "today" });
  assert.equal(words(1, 1).words, "Tomorrow");
  assert.equal(words(2, 1).words, "Fri");
  assert.deepEqual(words(30, 1), { words: "10 Jul", kind: "later" });
  assert.equal(words(365, 1).words, "10 Jun 2027");
  assert.deepEqual(words(-1, 9, "done"), { words: "9 Jun", kind: "ended" });
  assert.equal(dueChip(task(), NOW), null);
});

test("filters come from the address and go back into it", () => {
  const query = { mine: "1", workspace: "3", search: "two words", view: "list", order: "-priority" };
  assert.deepEqual(toQuery(fromQuery(query), shapeOf(query)), { ...query, mine: true });
  assert.deepEqual(toQuery(NO_FILTERS, shapeOf({})), {});
  assert.deepEqual(fromQuery({ due: "never", mine: "yes" }), NO_FILTERS);
  assert.deepEqual(shapeOf({ view: "calendar", order: "colour" }), { view: "board", order: "-created_at" });
  assert.deepEqual(toQuery(NO_FILTERS, shapeOf({ view: "list" })), { view: "list" });
  assert.deepEqual(toQuery(NO_FILTERS, shapeOf({ order: "-priority" })), { order: "-priority" });
  assert.ok(!isFiltered(NO_FILTERS));
  assert.ok(isFiltered({ ...NO_FILTERS, due: "today" }));
});

test("what the server is asked and what the page keeps agree", () => {
  const filters = (more) => ({ ...NO_FILTERS, ...more });
  assert.ok(accepts(filters({ due: "today" }), task({ due_date: at(0, 0) }), ME, NOW));
  assert.ok(!accepts(filters({ due: "today" }), task({ due_date: at(1, 0) }), ME, NOW));
  assert.ok(accepts(filters({ due: "week" }), task({ due_date: at(6, 23) }), ME, NOW));
  assert.ok(!accepts(filters({ due: "week" }), task({ due_date: at(7, 0) }), ME, NOW));
  assert.ok(accepts(filters({ due: "overdue" }), task({ due_date: at(-1) }), ME, NOW));
  assert.ok(!accepts(filters({ due: "overdue" }), task({ due_date: at(-1), status: "done" }), ME, NOW));
  assert.ok(!accepts(filters({ due: "overdue" }), task(), ME, NOW));
  assert.ok(!accepts(filters({ workspace: "3" }), task({ workspace: 4 }), ME, NOW));
  assert.ok(accepts(filters({ mine: true }), task({ creator: 1, assignees: [7] }), ME, NOW));
  assert.ok(!accepts(filters({ mine: true }), task({ creator: 1 }), ME, NOW));
  assert.ok(!isColumnWanted(filters({ due: "overdue" }), "done"));
  assert.deepEqual(dueRange("overdue", NOW), { before: NOW });
  const asked = forServer(filters({ due: "today", mine: true }), NOW);
  assert.equal(asked.mine, true);
  assert.ok(new Date(asked.due_after) < new Date(2026, 5, 10) && new Date(asked.due_before).getTime() === new Date(2026, 5, 11).getTime());
});

test("a new task has what the filters say, as far as one may", () => {
  const filters = { ...NO_FILTERS, workspace: "3", department: "4", assignee: "5", priority: "high" };
  assert.deepEqual(givenBy(filters, true), { priority: "high", workspace: 3, department: 4, assignees: [5] });
  assert.deepEqual(givenBy(filters, false), { priority: "high", workspace: 3, assignees: [5] });
  assert.deepEqual(givenBy(NO_FILTERS, true), {});
});

test("lists are sorted as the server sorts them, and what has no date comes last", () => {
  const tasks = [task({ id: 1 }), task({ id: 2, due_date: at(3) }), task({ id: 3, due_date: at(1), priority: "critical" }), task({ id: 4, priority: "low" })];
  const ids = (order) => sorted(tasks, order).map(({ id }) => id);
  assert.deepEqual(ids("due_date"), [3, 2, 4, 1]);
  assert.deepEqual(ids("-priority"), [3, 2, 1, 4]);
  assert.deepEqual(ids("-created_at"), [4, 3, 2, 1]);
});

test("columns that are empty or finished are folded, unless somebody chose otherwise", () => {
  const folded = (id, count, chosen = {}, isPhone = false) => isFolded({ id, count, chosen, isPhone });
  assert.ok(folded("todo", 0));
  assert.ok(!folded("todo", 1));
  assert.ok(folded("done", 5));
  assert.ok(!folded("done", 5, { done: false }));
  assert.ok(folded("todo", 5, { todo: true }));
  assert.ok(!folded("done", 0, { done: true }, true));
});

test("the arrows lead from card to card", () => {
  const columns = [{ id: "todo", ids: [1, 2, 3] }, { id: "in_progress", ids: [] }, { id: "review", ids: [4] }];
  assert.equal(cardUpright(columns, 2, 1), 3);
  assert.equal(cardUpright(columns, 3, 1), null);
  assert.equal(cardSideways(columns, 3, 1), 4);
  assert.equal(cardSideways(columns, 4, 1), null);
  assert.equal(cardSideways(columns, 9, 1), null);
  assert.equal(besideOf(["todo", "done"], "done", 1), "done");
  assert.deepEqual(windowOf(0, 660), [0, 20]);
  assert.deepEqual(windowOf(60, 600), windowOf(0, 660));
  assert.ok(windowOf(66_000, 660)[0] > 980);
});

test("what is written stays, and what others write in other places comes in", () => {
  let draft = written(beginning(task()), "title", "Paint it");
  draft = followed(draft, task({ version: 2, description: "Blue" }));
  assert.equal(valueOf(draft, "title"), "Paint it");
  assert.equal(valueOf(draft, "description"), "Blue");
  assert.ok(!hasContest(draft));
  assert.deepEqual(changesOf(draft), { title: "Paint it" });
  assert.equal(toKeep(written(draft, "title", "Paint")), null);
});

test("two who write in one place are told of each other, also after a reload", () => {
  const mine = written(beginning(task()), "description", "Green");
  const draft = resumed(JSON.parse(JSON.stringify(toKeep(mine))), task({ version: 2, description: "Blue" }));
  assert.ok(isContested(draft, "description"));
  assert.equal(draft.filled.description, "Blue");
  assert.equal(valueOf(dropped(draft, "description"), "description"), "Blue");
  assert.ok(!hasContest(written(draft, "description", "Blue")));
  const after = saved(written(draft, "title", "More"), { description: "Green" }, task({ version: 3, description: "Green" }));
  assert.deepEqual(after.words, { title: "More" });
  assert.ok(!hasContest(after));
});

test("fields are sent as the server takes them", () => {
  let draft = beginning(task({ department: 3, estimate_hours: "2.00" }));
  for (const [name, text] of [["department", ""], ["workspace", "4"], ["estimate_hours", " "], ["due_date", "2026-06-12T10:30"]]) draft = written(draft, name, text);
  assert.deepEqual(changesOf(draft), { department: null, workspace: 4, estimate_hours: null, due_date: new Date(2026, 5, 12, 10, 30).toISOString() });
  assert.equal(valueOf(beginning(task({ description: "a\r\nb" })), "description"), "a\nb");
});

test("of a task that is gone, what one had written can be read", () => {
  const values = { "task-1": { words: { title: "T", description: "D" } }, "comment-1": { words: "C" } };
  assert.equal(unsentWords({ get: (name) => values[name] ?? null }, 1), "T\n\nD\n\nC");
  assert.equal(unsentWords({ get: () => null }, 1), "");
});

test("what happened reads as a sentence", () => {
  const words = (entry) => happened({ action: "updated", ...entry }, { choices: { departments: [{ id: 3, name: "Kitchen" }], workspaces: [] }, name: (id) => `P${id}` });
  assert.equal(words({ action: "status_changed", old_value: "todo", new_value: "in_progress" }), "moved it from To do to In progress");
  assert.equal(words({ field: "assignees", old_value: [1], new_value: [2, 3] }), "assigned P2, P3 and took P1 off it");
  assert.equal(words({ field: "department", old_value: null, new_value: 3 }), "changed the department from nothing to Kitchen");
  assert.equal(words({ field: "attachments", action: "attached", new_value: ["a.txt"] }), "added a.txt");
  assert.equal(words({ action: "proposal_rejected", field: "proposals" }), "rejected a proposal");
  assert.ok(words({ field: "title", old_value: "x".repeat(99), new_value: "y" }).includes("…"));
});
