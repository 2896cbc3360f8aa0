/* The fields of the task that is open: what is written in them, how it is saved, and what becomes of it when two write at once. */
import { signal } from "../kit/html.js";
import { beginning, changesOf, dropped, followed, hasContest, isContested, resumed, saved, toKeep, valueOf, written } from "./draft.js";
import { wordsOf } from "./engine.js";

const LATE = "Somebody has changed this task meanwhile. What is there now stands beside what you wrote.";

/** The form of one task; it goes on with what was kept. */
export function createTaskForm({ tasks, task }) {
  const slot = tasks.kept.slot(`task-${task.id}`);
  let base = task; // its version is what one changes
  const draft = signal(slot.get() ? resumed(slot.get(), task) : beginning(task));
  const parked = signal(new Set()); // fields that were left with Escape: their words wait
  const problems = signal({});
  const message = signal("");

  function put(next) {
    draft.value = next;
    slot.set(toKeep(next));
  }

  function follow(now) {
    base = now;
    put(followed(draft.value, now));
  }

  function setParked(name, isParked) {
    if (parked.value.has(name) === isParked) return;
    const next = new Set(parked.value);
    if (isParked) next.add(name);
    else next.delete(name);
    parked.value = next;
  }

  /** What is sent: all but what waits. */
  const ready = () => Object.fromEntries(Object.entries(draft.value.words).filter(([name]) => !parked.value.has(name)));

  async function send() {
    const sent = ready();
    if (!Object.keys(sent).length) return;
    const now = await tasks.save(base, changesOf({ words: sent }));
    base = now;
    put(saved(draft.value, sent, now));
  }

  /** What was written stays. Where nobody else has written, it is saved all the same. */
  async function late(error) {
    if (!error.current) throw error;
    follow(error.current);
    if (!hasContest(draft.value)) return send();
    message.value = LATE;
    return null;
  }

  function refused(error) {
    const fields = Object.entries(error.fields ?? {});
    const known = fields.filter(([name]) => name in draft.value.filled);
    problems.value = Object.fromEntries(known.map(([name, texts]) => [name, texts.join(" ")]));
    message.value = known.length ? fields.filter(([name]) => !(name in draft.value.filled)).flatMap(([, texts]) => texts).join(" ") : wordsOf(error);
  }

  function forgive() {
    problems.value = {};
    message.value = "";
  }

  return {
    draft, parked, problems, message, follow,
    base: () => base,
    value: (name) => valueOf(draft.value, name),
    isWritten: (name) => name in draft.value.words,
    /** Shown as a field even without the focus: one has written in it. */
    isOpen: (name) => name in draft.value.words && !parked.value.has(name),
    isParked: (name) => name in draft.value.words && parked.value.has(name),
    isReady: () => Object.keys(ready()).length > 0,
    isContested: (name) => isContested(draft.value, name),
    hasContest: () => hasContest({ ...draft.value, words: ready() }),
    write(name, text) {
      setParked(name, false);
      put(written(draft.value, name, text));
    },
    park: (name) => setParked(name, true),
    resume: (name) => setParked(name, false),
    takeTheirs: (name) => put(dropped(draft.value, name)),
    discard() {
      forgive();
      put(Object.keys(ready()).reduce((now, name) => dropped(now, name), draft.value));
    },
    save() {
      forgive();
      return send().catch(late).catch(refused);
    },
  };
}
