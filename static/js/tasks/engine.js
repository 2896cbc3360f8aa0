/* The tasks of the signed-in person: made when somebody first looks, and told to the components as one signal. */
import { watched } from "../app/changes.js";
import { formPoster } from "../formpost.js";
import { createTasks } from "../tasks.js";

const PATH = "/ws/tasks/";

function make(scope) {
  const { call, api, kept, say, me, session } = scope;
  const tasks = createTasks({
    call, kept, say, me,
    all: api.all,
    postForm: formPoster(session),
    openSocket: (on) => scope.openSocket(PATH, on),
  });
  return { ...tasks, changes: watched(tasks) };
}

/**
 * The tasks, started. Their state is changed in place, so each component that shows some of it reads
 * `changes.value`, and is rendered again when something has changed.
 */
export function useTasks(scope) {
  const tasks = scope.engine("tasks", () => make(scope));
  tasks.start();
  tasks.changes.value;
  return tasks;
}

/** An error in one line, with what the server says of each field. */
export const wordsOf = (error) => Object.values(error.fields ?? {}).flat().join(" ") || error.message;
