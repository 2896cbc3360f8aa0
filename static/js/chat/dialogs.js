/* What chat asks: whom to talk to, what a group is called, what a task that is made of a message is called. */
import { useScope } from "../app/scope.js";
import { keyFor } from "../ids.js";
import { Button, Field } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useState } from "../kit/html.js";
import { PeoplePicker } from "../kit/people.js";
import { titleFrom } from "./text.js";

const Problem = ({ words }) => html`<p class="form-message" role="alert">${words}</p>`;

function PersonQuestion({ close }) {
  const { api, chat } = useScope();
  const [problem, setProblem] = useState("");
  const start = (person) => chat.enterRoom(api.openDirect(person.id)).then(() => close(true), (error) => setProblem(error.message));
  return html`<${Problem} words=${problem} /><${PeoplePicker} choose=${start} problem=${setProblem} />`;
}

const toggled = (chosen, person) => {
  const next = new Map(chosen);
  if (!next.delete(person.id)) next.set(person.id, person);
  return next;
};

function GroupQuestion({ close }) {
  const { api, chat, kept } = useScope();
  const slot = kept.slot("new-group");
  const [name, setName] = useState(slot.get()?.name ?? "");
  const [topic, setTopic] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(new Map());
  const [trouble, setTrouble] = useState({ name: "", above: "" });

  function onInput(event) {
    setName(event.target.value);
    slot.set(event.target.value ? { name: event.target.value } : null);
  }

  async function create() {
    setTrouble({ name: "", above: "" });
    try {
      await chat.enterRoom(api.createGroup(name.trim(), [...chosen.keys()], { topic: topic.trim(), is_open: isOpen }));
      slot.set(null);
      close(true);
    } catch (error) {
      const { name: [ofName] = [], ...others } = error.fields ?? {};
      setTrouble({ name: ofName, above: Object.values(others).flat().join(" ") || (ofName ? "" : error.message) });
    }
  }

  return html`<form class="form" onSubmit=${(event) => { event.preventDefault(); create(); }}>
    <${Problem} words=${trouble.above} />
    <${Field} label="Name of the group" testid="group-name" maxlength="255" autocomplete="off" autofocus data-kept value=${name} problem=${trouble.name} onInput=${onInput} />
    <${Field} label="Topic" testid="group-topic" maxlength="250" autocomplete="off" placeholder="What it is about" value=${topic} onInput=${(event) => setTopic(event.target.value)} />
    <label class="check-row"><input type="checkbox" data-testid="group-open" checked=${isOpen} onChange=${(event) => setOpen(event.target.checked)} />Anybody may find and join it</label>
    <${PeoplePicker} many chosen=${chosen} choose=${(person) => setChosen((now) => toggled(now, person))} problem=${(above) => setTrouble({ name: "", above })} />
    <div class="buttons"><${Button} kind="primary" testid="create-room" onClick=${create}>Create group</></div>
  </form>`;
}

function MembersQuestion({ room, close }) {
  const { api } = useScope();
  const [chosen, setChosen] = useState(new Map());
  const [problem, setProblem] = useState("");
  const add = () => api.addPeople(room.id, [...chosen.keys()]).then(() => close(true), (error) => setProblem(error.message));
  return html`<${Problem} words=${problem} />
    <${PeoplePicker} many hide=${room.participants.map((person) => person.id)} chosen=${chosen} choose=${(person) => setChosen((now) => toggled(now, person))} problem=${setProblem} />
    <div class="buttons"><${Button} kind="primary" testid="add-people-confirm" disabled=${!chosen.size} onClick=${add}>Add to the group</></div>`;
}

function NameQuestion({ room, close }) {
  const { api, store } = useScope();
  const [name, setName] = useState(room.name);
  const [topic, setTopic] = useState(room.topic ?? "");
  const [problem, setProblem] = useState("");

  const rename = () => api.changeRoom(room.id, { name: name.trim(), topic: topic.trim() }).then((changed) => {
    store.mergeRoom(changed);
    close(true);
  }, (error) => setProblem(error.fields?.name?.join(" ") ?? error.message));

  return html`<form class="form" onSubmit=${(event) => { event.preventDefault(); rename(); }}>
    <${Field} label="Name of the group" testid="room-name" maxlength="255" autocomplete="off" autofocus value=${name} problem=${problem} onInput=${(event) => setName(event.target.value)} />
    <${Field} label="Topic" testid="room-topic" maxlength="250" autocomplete="off" placeholder="What it is about" value=${topic} onInput=${(event) => setTopic(event.target.value)} />
    <div class="buttons"><${Button} kind="primary" testid="room-name-save" onClick=${rename}>Save</></div>
  </form>`;
}

const LEVELS = [
  { id: "all", label: "Every message", hint: "Each one counts, and is told." },
  { id: "mentions", label: "Mentions only", hint: "The room is muted: only what mentions you counts." },
  { id: "none", label: "Nothing", hint: "Not even mentions." },
];

function LevelQuestion({ room, close }) {
  const { api, store } = useScope();
  const [problem, setProblem] = useState("");
  const now = store.rooms.get(room.id)?.level ?? "all";
  const choose = (level) => api.changeRoom(room.id, { level }).then(() => {
    store.prefer(room.id, { level });
    close(true);
  }, (error) => setProblem(error.message));
  return html`<${Problem} words=${problem} /><fieldset class="levels"><legend class="only-heard">What you are told of</legend>
    ${LEVELS.map(({ id, label, hint }) => html`<label key=${id} class="level"><input type="radio" name="level" value=${id} checked=${id === now} autofocus=${id === now} data-kept="" data-testid=${`level-${id}`} onChange=${() => { choose(id); }} />
      <span><span class="person-name">${label}</span><span class="hint">${hint}</span></span></label>`)}
  </fieldset>`;
}

function TaskQuestion({ message, room, close }) {
  const { call, kept, say } = useScope();
  const [title, setTitle] = useState(titleFrom(message.content));
  const [problem, setProblem] = useState("");
  const slot = kept.slot(`task-of-${message.id}`);

  async function create() {
    const json = { title: title.trim(), description: `${message.content}\n\n${location.origin}/#room-${room.id}/${message.id}`, assignees: [] };
    try {
      const task = await call("POST", "/api/tasks/", { json, once: keyFor(slot, json) });
      slot.set(null);
      close(true);
      say(`Task #${task.id} has been made.`, { label: "Open it", address: `#task-${task.id}` });
    } catch (error) {
      setProblem(error.fields?.title?.join(" ") ?? error.message);
    }
  }

  return html`<form class="form" onSubmit=${(event) => { event.preventDefault(); create(); }}>
    <${Field} label="Title" testid="message-task-title" maxlength="255" autofocus data-kept value=${title} problem=${problem} onInput=${(event) => setTitle(event.target.value)}
      hint="The message becomes its description, with the way back here." />
    <div class="buttons"><${Button} kind="primary" testid="message-task-save" onClick=${create}>Make the task</></div>
  </form>`;
}

/* A dialog stands outside the views, so each question is given the scope that asks. */
const question = (title, scope, Question, more = {}) => ask({ title, content: (close) => html`<${scope.Provide}><${Question} close=${close} ...${more} /></>` });

/** The open rooms that one may join; fetched when it is first asked for. */
export const browseRooms = (scope) => import("./browse.js").then(({ askForOpenRoom }) => askForOpenRoom(scope), () => scope.say("The open rooms could not be loaded."));

export const askForPerson = (scope) => question("New message", scope, PersonQuestion);
export const askForGroup = (scope) => question("New group", scope, GroupQuestion);
export const askForMembers = (scope, room) => question("Add people", scope, MembersQuestion, { room });
export const askForName = (scope, room) => question("Name and topic", scope, NameQuestion, { room });
export const askForLevel = (scope, room) => question("What you are told of", scope, LevelQuestion, { room });
export const askForTask = (scope, message, room) => question("Make a task of it", scope, TaskQuestion, { message, room });
