/* Focus: the session one is in with its clock and its people, the ways into another, and what one has done. */
import { useScope } from "../app/scope.js";
import { Button, Field, PersonAvatar } from "../kit/controls.js";
import { Form, useForm } from "../kit/form.js";
import { html, useEffect, useState } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";
import { workspacesOf } from "../workspaces/known.js";
import { clockText, phaseText, progressOf } from "./clock.js";
import { Figures, History } from "./figures.js";
import { focusOf } from "./known.js";
import { isSilent, setSilent } from "./sound.js";

const CONTROLS = [["start", "Start", "primary"], ["pause", "Pause", "primary"], ["resume", "Resume", "primary"], ["skip", "Skip", ""], ["end", "End", ""]];
const SHOWN_AT = { waiting: ["start", "end"], running: ["pause", "skip", "end"], paused: ["resume", "skip", "end"], finished: [] };
const NUMBERS = ["focus_minutes", "break_minutes", "rounds"];

export function View() {
  const focus = focusOf(useScope());
  focus.changes.value;
  const { session } = focus.state;
  useEffect(() => {
    focus.isLookedAt = true;
    focus.load({ isQuiet: true });
    return () => { focus.isLookedAt = false; };
  }, []);
  return html`<${Parts} name="focus"><${Content} label="Focus">
    <header class="part-head"><h2 class="part-title">Focus</h2><${SoundSwitch} /></header>
    <div class="scroll"><div class="page focus-page">
      <div class="focus-main">
        ${session && html`<${Session} session=${session} focus=${focus} />`}
        <${Open} focus=${focus} />
        ${(!session || session.status === "finished") && html`<${NewSession} focus=${focus} />`}
      </div>
      <aside class="focus-aside" aria-label="What has been done"><${Figures} version=${session?.status} /><${History} focus=${focus} /></aside>
    </div></div>
  </></>`;
}

function SoundSwitch() {
  const [silent, set] = useState(isSilent());
  const change = () => {
    setSilent(!silent);
    set(!silent);
  };
  return html`<${Button} kind="quiet" testid="focus-sound" aria-pressed=${String(!silent)} onClick=${change}>${silent ? "Sound off" : "Sound on"}</>`;
}

function Session({ session, focus }) {
  const { me, directory } = useScope();
  const left = focus.remaining();
  focus.clock.value; // rendered again with every second
  const isOver = session.status === "finished";
  const host = session.participants.find(({ id }) => id === session.host);
  const shown = focus.isHost() ? SHOWN_AT[session.status] : [];
  const rounds = session.round
    ? `Round ${session.round} of ${session.rounds}`
    : `${session.rounds} rounds of ${session.focus_minutes} min, breaks of ${session.break_minutes} min`;
  return html`<section class="surface focus-session" data-testid="focus-session" aria-label="Your session">
    <header class="section-head"><h3 class="section-title">${session.title}</h3><span class="hint" role="status">${focus.state.isLive ? "" : "reconnecting…"}</span></header>
    <p class="focus-phase" data-testid="focus-phase" role="status" data-phase=${session.phase ?? ""} data-status=${session.status}>${phaseText(session)}</p>
    <p class="focus-clock" data-testid="focus-clock" role="timer" data-ends-at=${session.ends_at ?? ""} data-phase=${session.phase ?? ""}>${clockText(left)}</p>
    <progress class="focus-bar" max="1" value=${progressOf(session, left)} aria-label="How much of the phase is over"></progress>
    <p class="hint">${rounds}</p>
    <div class="buttons focus-buttons">
      ${CONTROLS.filter(([name]) => shown.includes(name)).map(([name, label, kind]) => html`<${Button} key=${name} kind=${kind} testid=${`focus-${name}`} onClick=${() => focus.act(name)}>${label}</>`)}
      <${Button} key="leave" testid="focus-leave" onClick=${focus.leave}>${isOver ? "Close" : "Leave"}</>
    </div>
    ${!isOver && !focus.isHost() && host && html`<p class="hint">${`${directory.name(host)} holds the clock.`}</p>`}
    <ul class="people-list" data-testid="focus-people" aria-label="Who is here">
      ${session.participants.map((person) => html`<li key=${person.id} class="people-row" data-user-id=${person.id}>
        <${PersonAvatar} person=${directory.person(person)} /><span class="people-name">${person.id === me().id ? `${directory.name(person)} (you)` : directory.name(person)}</span>
        ${person.id === session.host && html`<span class="hint">host</span>`}</li>`)}
    </ul>
  </section>`;
}

function Open({ focus }) {
  const sessions = focus.open();
  async function join(id) {
    if (focus.state.session) await focus.leave();
    focus.join(id);
  }
  if (!sessions.length) {
    return focus.state.session || focus.state.status !== "ready" ? null : html`<p class="hint">Nobody focuses right now. Begin, and others can join.</p>`;
  }
  return html`<section aria-label="Open sessions"><h3 class="section-title">Open sessions</h3>
    <ul class="focus-open" data-testid="focus-sessions" aria-label="Focus sessions">
      ${sessions.map((session) => html`<li key=${session.id} class="focus-row" data-testid="focus-item" data-session-id=${session.id}>
        <div class="focus-row-words"><p class="people-name">${session.title}</p>
          <p class="hint">${`${phaseText(session)}, ${session.participants.length === 1 ? "1 person" : `${session.participants.length} people`}`}</p></div>
        <${Button} testid="focus-join" onClick=${() => join(session.id)}>Join</></li>`)}
    </ul></section>`;
}

function NewSession({ focus }) {
  const scope = useScope();
  const workspaces = workspacesOf(scope);
  workspaces.changes.value;
  const form = useForm({ title: "", focus_minutes: "25", break_minutes: "5", rounds: "4", workspace: "" }, {
    slot: scope.kept.slot("new-focus"),
    send(values) {
      const numbers = Object.fromEntries(NUMBERS.map((name) => [name, Number(values[name])]));
      return focus.create({ title: values.title.trim(), ...numbers, ...(values.workspace ? { workspace: Number(values.workspace) } : {}) });
    },
  });
  const spaces = [{ id: "", label: "Everybody" }, ...workspaces.sorted().map(({ id, name }) => ({ id: String(id), label: name }))];
  return html`<section class="surface" aria-label="New session"><${Form} form=${form} label="New session">
    <${Field} label="New session" testid="focus-title" maxlength="255" autocomplete="off" placeholder="What it is about" ...${form.bind("title")} />
    <div class="focus-numbers">
      <${Field} label="Focus, min" testid="focus-minutes" type="number" min="1" step="any" ...${form.bind("focus_minutes")} />
      <${Field} label="Break, min" testid="focus-break" type="number" min="0" step="any" ...${form.bind("break_minutes")} />
      <${Field} label="Rounds" testid="focus-rounds" type="number" min="1" ...${form.bind("rounds")} />
      <${Field} label="Open to" testid="focus-workspace" control="select" options=${spaces} ...${form.bind("workspace")} />
    </div>
    <div class="buttons"><${Button} kind="primary" testid="focus-new" onClick=${form.submit}>Create</></div>
  </></section>`;
}
