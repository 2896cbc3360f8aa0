/* One box to go anywhere and to find what was said: rooms, people, tasks, messages, comments, places and what can be done. Ctrl+K. */
import { roomTitle } from "../chat/roomfacts.js";
import { Icon } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { classes, html, useEffect, useMemo, useRef, useState } from "../kit/html.js";
import { inLine } from "../chat/shortcodes.js";
import { listTime } from "../format.js";
import { displayName } from "./directory.js";
import { found } from "./finding.js";
import { go } from "./place.js";
import { completionsOf, marked, questionOf, snippetOf, wantedWords } from "./question.js";
import { useScope } from "./scope.js";
import { createSearching } from "./searching.js";
import { shortcuts } from "./shortcuts.js";
import { themeItems } from "./theme.js";
import { VIEWS } from "./viewlist.js";

const KINDS = {
  room: ["Room", "chat"], person: ["Person", "person"], task: ["Task", "task"], place: ["Place", "book"], command: ["Do", "check"],
  message: ["Message", "rooms"], comment: ["Comment", "edit"], operator: ["Only", "search"], more: ["More", "down"],
};

const SAID = new Set(["message", "comment"]);

/** Everything that is known without asking. */
function entriesOf({ store, directory, me, chat, api, say, actions, signOut }) {
  const nameOf = (person) => directory.name(person);
  const rooms = store.sortedRooms().map((room) => ({ kind: "room", key: `r${room.id}`, label: roomTitle(room, me(), nameOf), run: () => go(`#room-${room.id}`) }));
  const people = directory.all().filter(({ id }) => id !== me().id).map((person) => ({
    kind: "person", key: `p${person.id}`, label: displayName(person), detail: `@${person.username}`,
    run: () => chat.enterRoom(api.openDirect(person.id)).catch((error) => say(error.message)),
  }));
  const places = VIEWS.map((view) => ({ kind: "place", key: view.id, label: view.label, run: () => go(view.address) }));
  const commands = shortcuts().filter(({ keys }) => !keys.startsWith("g ") && keys !== "mod+k").map(({ keys, words, run }) => ({ kind: "command", key: keys, label: words, detail: keys, run }));
  const own = [...actions.value, ...themeItems(), { label: "Sign out", testid: "sign-out", onClick: signOut }].filter((item) => item?.onClick)
    .map(({ label, testid, checked, onClick }) => ({ kind: "command", key: testid, label, detail: checked === undefined ? undefined : "Theme", run: onClick }));
  return [...rooms, ...people, ...places, ...commands, ...own];
}

/** What the server finds, a moment after the last letter. */
function useServer(scope, query) {
  const search = useMemo(() => createSearching(scope.call), []);
  useEffect(() => search.ask(query), [query]);
  useEffect(() => () => search.end(), []);
  return { ...search.state.value, more: search.more };
}

/** The server's finds as entries. */
function foundEntries({ store, directory, me }, { tasks, messages, comments, more }, wanted) {
  const name = (id) => directory.name(id);
  const roomOf = (id) => {
    const room = store.rooms.get(id);
    return room ? roomTitle(room, me(), (person) => directory.name(person)) : "A room";
  };
  const said = (kind, one, author, where, address) => ({
    kind, key: `${kind}${one.id}`, label: snippetOf(inLine(one.content), wanted), detail: `${author} · ${where} · ${listTime(one.timestamp ?? one.created_at)}`, run: () => go(address),
  });
  const further = (list, words, which) => (list.next ? [{ kind: "more", key: which, label: words, stays: true, run: () => more(which) }] : []);
  return [
    ...tasks.map((task) => ({ kind: "task", key: `t${task.id}`, label: task.title, detail: `#${task.id}`, run: () => go(`#task-${task.id}`) })),
    ...messages.results.map((one) => said("message", one, directory.name(one.sender), roomOf(one.room_id), `#room-${one.room_id}/${one.id}`)),
    ...further(messages, messages.results.length ? "More messages" : "Search further back in messages", "messages"),
    ...comments.results.map((one) => said("comment", one, name(one.author), one.task_title, `#task-${one.task}/${one.id}`)),
    ...further(comments, comments.results.length ? "More comments" : "Search further back in comments", "comments"),
  ];
}

const Label = ({ label, wanted }) => html`<span class="offer-label">${marked(label, wanted).map(({ text, isWanted }) => (isWanted ? html`<mark>${text}</mark>` : text))}</span>`;

function Box({ close }) {
  const scope = useScope();
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useRef(null);
  const input = useRef(null);
  const { plain, hasOperators } = questionOf(query);
  const wanted = wantedWords(plain);
  const server = useServer(scope, query);
  const known = hasOperators ? [] : found(entriesOf(scope), query);
  const completions = completionsOf(query, { people: scope.directory.all(), rooms: scope.store.sortedRooms().filter((room) => room.room_type !== "direct") });
  const shown = [...completions.map((one) => ({ kind: "operator", key: one.text, label: one.text, detail: one.detail, stays: true, run: () => write(one.query) })), ...known, ...foundEntries(scope, server, wanted)];
  const index = Math.min(chosen, shown.length - 1);

  useEffect(() => { list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }); }, [index]);

  function write(next) {
    setQuery(next);
    setChosen(0);
    input.current.focus();
  }

  function take(entry) {
    if (!entry.stays) close(true);
    entry.run();
  }

  function onKeyDown(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) setChosen((index + step + shown.length) % shown.length);
    else if (event.key === "Enter" && shown[index]) take(shown[index]);
    else return;
    event.preventDefault();
  }

  const status = server.problem || (server.isBusy ? "Searching…" : shown.length ? "" : "Nothing was found.");
  return html`<input ref=${input} class="input" type="search" autofocus placeholder="A room, a person, a task, words that somebody wrote" aria-label="Go anywhere" data-testid="goto" role="combobox" aria-expanded="true" maxlength="1000"
      value=${query} aria-describedby="goto-help" aria-controls="goto-found" aria-activedescendant=${shown.length ? `goto-${index}` : undefined} onInput=${(event) => write(event.target.value)} onKeyDown=${onKeyDown} />
    <p class="hint goto-help" id="goto-help">${"Narrow it with "}<kbd>from:ann</kbd>${" "}<kbd>in:"Launch team"</kbd>${" "}<kbd>in:#12</kbd>${" "}<kbd>before:2026-12-24</kbd>${" "}<kbd>after:2026-11-30</kbd></p>
    <ul class="goto-found" id="goto-found" role="listbox" aria-label="Found" ref=${list}>${shown.map((entry, place) => html`<li key=${entry.kind + entry.key} id=${`goto-${place}`} role="option" class=${classes("offer", SAID.has(entry.kind) && "said")} data-testid="goto-option" data-kind=${entry.kind}
      aria-selected=${String(place === index)} onClick=${() => take(entry)}><${Icon} name=${KINDS[entry.kind][1]} /><span class="offer-words"><${Label} label=${entry.label} wanted=${SAID.has(entry.kind) ? wanted : []} />${entry.detail && html`<span class="hint">${entry.detail}</span>`}</span><span class="hint offer-kind">${KINDS[entry.kind][0]}</span></li>`)}</ul>
    <p class=${server.problem ? "problem" : "hint goto-status"} role="status" data-testid="goto-status">${status}</p>`;
}

export const askWhere = (scope) => ask({ title: "Go anywhere", testid: "goto-dialog", content: (close) => html`<${scope.Provide}><${Box} close=${close} /></>` });
