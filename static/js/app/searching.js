/* Asks the server for what the search box wants: tasks, messages and comments. */
import { signal } from "../kit/html.js";
import { taskNumber } from "./finding.js";
import { questionOf } from "./question.js";

const SEARCH_MS = 200;
const MAX_TASKS = 6;
const PAGE = 8;
const PATHS = { messages: "/api/chat/search/", comments: "/api/task-comments/search/" };
const NOTHING = { results: [], next: null };
const EMPTY = { tasks: [], messages: NOTHING, comments: NOTHING, isBusy: false, problem: "" };

const wordsOf = (error) => Object.values(error.fields ?? {}).flat().join(" ") || error.message;
const once = (tasks) => [...new Map(tasks.map((task) => [task.id, task])).values()].slice(0, MAX_TASKS);

/** `state` -> {tasks, messages, comments: {results, next}, isBusy, problem}; ask(query), more(which), end(). */
export function createSearching(call) {
  const state = signal(EMPTY);
  let timer = 0;
  let asked = "";

  const set = (change) => { state.value = { ...state.value, ...change }; };
  const page = (which, query, before) => call("GET", PATHS[which], { query: { search: query, before, page_size: PAGE } });

  async function findTasks(query) {
    const number = taskNumber(query);
    const { plain, hasOperators } = questionOf(query);
    const found = plain && !hasOperators ? [call("GET", "/api/tasks/", { query: { search: plain, page_size: MAX_TASKS } }).then(({ results }) => results)] : [];
    if (number) found.unshift(call("GET", `/api/tasks/${number}/`).then((task) => [task], () => []));
    return once((await Promise.all(found)).flat());
  }

  async function run(query) {
    set({ isBusy: true });
    const answers = await Promise.allSettled([findTasks(query), page("messages", query), page("comments", query)]);
    if (query !== asked) return;
    const [tasks, messages, comments] = answers.map((answer) => (answer.status === "fulfilled" ? answer.value : null));
    const failed = answers.find(({ status }) => status === "rejected");
    set({
      isBusy: false, tasks: tasks ?? [], messages: messages ?? NOTHING, comments: comments ?? NOTHING,
      problem: failed?.status === "rejected" ? wordsOf(failed.reason) : "",
    });
  }

  return {
    state,
    ask(text) {
      const query = text.trim();
      if (query === asked) return;
      asked = query;
      clearTimeout(timer);
      if (query.length < 2 && !taskNumber(query)) {
        state.value = EMPTY;
        return;
      }
      set({ isBusy: true });
      timer = setTimeout(() => run(query), SEARCH_MS);
    },
    /** The next page of one kind, behind those that are there. */
    async more(which) {
      const query = asked;
      const known = state.value[which];
      if (!known.next || state.value.isBusy) return;
      set({ isBusy: true });
      const found = await page(which, query, known.next).catch((error) => ({ error }));
      if (query !== asked) return;
      if (found.error) set({ isBusy: false, problem: wordsOf(found.error) });
      else set({ isBusy: false, [which]: { results: [...known.results, ...found.results], next: found.next } });
    },
    end() {
      asked = "";
      clearTimeout(timer);
    },
  };
}
