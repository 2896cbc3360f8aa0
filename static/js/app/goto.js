/* One box to go anywhere: rooms, people, tasks, places and what can be done. Ctrl+K. */
import { roomTitle } from "../chat/roomfacts.js";
import { Icon } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useEffect, useRef, useState } from "../kit/html.js";
import { displayName } from "./directory.js";
import { found, taskNumber } from "./finding.js";
import { go } from "./place.js";
import { useScope } from "./scope.js";
import { shortcuts } from "./shortcuts.js";
import { VIEWS } from "./viewlist.js";

const SEARCH_MS = 200;
const MAX_TASKS = 6;
const KINDS = { room: ["Room", "chat"], person: ["Person", "person"], task: ["Task", "task"], place: ["Place", "book"], command: ["Do", "check"] };

/** Everything that is known without asking. */
function entriesOf({ store, directory, me, chat, api, say }) {
  const nameOf = (person) => directory.name(person);
  const rooms = store.sortedRooms().map((room) => ({ kind: "room", key: `r${room.id}`, label: roomTitle(room, me(), nameOf), run: () => go(`#room-${room.id}`) }));
  const people = directory.all().filter(({ id }) => id !== me().id).map((person) => ({
    kind: "person", key: `p${person.id}`, label: displayName(person), detail: `@${person.username}`,
    run: () => chat.enterRoom(api.openDirect(person.id)).catch((error) => say(error.message)),
  }));
  const places = VIEWS.map((view) => ({ kind: "place", key: view.id, label: view.label, run: () => go(view.address) }));
  const commands = shortcuts().filter(({ keys }) => !keys.startsWith("g ") && keys !== "mod+k").map(({ keys, words, run }) => ({ kind: "command", key: keys, label: words, detail: keys, run }));
  return [...rooms, ...people, ...places, ...commands];
}

const taskEntry = (task) => ({ kind: "task", key: `t${task.id}`, label: task.title, detail: `#${task.id}`, run: () => go(`#task-${task.id}`) });

/** The tasks that the server finds, a moment after the last letter. */
function useTasks(call, query) {
  const [tasks, setTasks] = useState([]);
  useEffect(() => {
    const number = taskNumber(query);
    const search = query.trim();
    if (search.length < 2 && !number) return void setTasks([]);
    let isCurrent = true;
    const timer = setTimeout(async () => {
      const asked = [call("GET", "/api/tasks/", { query: { search, page_size: MAX_TASKS } }).then((page) => page.results, () => [])];
      if (number) asked.unshift(call("GET", `/api/tasks/${number}/`).then((task) => [task], () => []));
      const all = (await Promise.all(asked)).flat();
      if (isCurrent) setTasks([...new Map(all.map((task) => [task.id, task])).values()].slice(0, MAX_TASKS));
    }, SEARCH_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [query]);
  return tasks;
}

function Box({ close }) {
  const scope = useScope();
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef(null);
  const tasks = useTasks(scope.call, query);
  const shown = [...found(entriesOf(scope), query), ...tasks.map(taskEntry)];
  const index = Math.min(chosen, shown.length - 1);

  useEffect(() => { list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }); }, [index]);

  function take(entry) {
    close(true);
    entry.run();
  }

  function onKeyDown(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) setChosen((index + step + shown.length) % shown.length);
    else if (event.key === "Enter" && shown[index]) take(shown[index]);
    else return;
    event.preventDefault();
  }

  return html`<input class="input" type="search" autofocus placeholder="A room, a person, a task, something to do" aria-label="Go anywhere" data-testid="goto" role="combobox" aria-expanded="true"
      aria-controls="goto-found" aria-activedescendant=${shown.length ? `goto-${index}` : undefined} onInput=${(event) => { setQuery(event.target.value); setChosen(0); }} onKeyDown=${onKeyDown} />
    <ul class="goto-found" id="goto-found" role="listbox" aria-label="Found" ref=${list}>${shown.map((entry, place) => html`<li key=${entry.kind + entry.key} id=${`goto-${place}`} role="option" class="offer" data-testid="goto-option"
      aria-selected=${String(place === index)} onClick=${() => take(entry)}><${Icon} name=${KINDS[entry.kind][1]} /><span class="offer-label">${entry.label}</span>${entry.detail && html`<span class="hint">${entry.detail}</span>`}<span class="hint offer-kind">${KINDS[entry.kind][0]}</span></li>`)}</ul>
    ${!shown.length && html`<p class="empty" role="status">Nothing has that name.</p>`}`;
}

export const askWhere = (scope) => ask({ title: "Go anywhere", testid: "goto-dialog", content: (close) => html`<${scope.Provide}><${Box} close=${close} /></>` });
