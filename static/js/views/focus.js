/* The shared timer: the session one is in with its clock and its people, and the ways into another. */
import { coalesce, h, reconcile, setAttribute, setText } from "../dom.js";
import { keepFields } from "./keep.js";
import { busy, field, iconButton, personAvatar } from "./parts.js";

const TICK_MS = 200;
const PHASES = { focus: "Focus", break: "Break" };
const STATUSES = { waiting: "Waiting to start", finished: "Finished" };

const two = (number) => String(number).padStart(2, "0");

function clockText(ms) {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const rest = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${rest}` : rest;
}

function phaseText({ status, phase }) {
  if (STATUSES[status]) return STATUSES[status];
  return status === "paused" ? `${PHASES[phase]}, paused` : PHASES[phase];
}

export function createFocusPanel({ focus, workspaces, kept, me, close }) {
  // The session one is in

  const title = h("h3", { class: "section-title focus-name" });
  const connection = h("span", { class: "hint", role: "status" });
  const phase = h("p", { class: "focus-phase", testid: "focus-phase", role: "status" });
  const clock = h("p", { class: "focus-clock", testid: "focus-clock", role: "timer" });
  const bar = h("progress", { class: "focus-bar", max: "1", value: "0", "aria-label": "How much of the phase is over" });
  const round = h("p", { class: "hint" });
  const control = (name, label, extra = "") => {
    const button = h("button", { type: "button", class: `button ${extra}`, testid: `focus-${name}` }, label);
    button.addEventListener("click", () => busy(button, () => focus.act(name)));
    return button;
  };
  const controls = {
    start: control("start", "Start", "primary"),
    pause: control("pause", "Pause", "primary"),
    resume: control("resume", "Resume", "primary"),
    skip: control("skip", "Skip"),
    end: control("end", "End"),
  };
  const leave = h("button", { type: "button", class: "button", testid: "focus-leave" }, "Leave");
  leave.addEventListener("click", () => busy(leave, focus.leave));
  const host = h("p", { class: "hint" });
  const people = h("ul", { class: "members", testid: "focus-people", "aria-label": "Who is here" });
  const current = h("div", { class: "live-card focus-card", testid: "focus-session" },
    h("div", { class: "live-card-head" }, title, connection),
    phase, clock, bar, round,
    h("div", { class: "buttons focus-buttons" }, Object.values(controls), leave),
    host, people);

  const shownAt = {
    waiting: ["start", "end"], running: ["pause", "skip", "end"], paused: ["resume", "skip", "end"], finished: [],
  };

  function renderCurrent() {
    const { session, isLive } = focus.state;
    setAttribute(current, "hidden", !session);
    if (!session) return;
    setText(title, session.title);
    setText(connection, isLive ? "" : "reconnecting…");
    setText(phase, phaseText(session));
    for (const name of ["phase", "status"]) phase.dataset[name] = session[name] ?? "";
    Object.assign(clock.dataset, { endsAt: session.ends_at ?? "", phase: session.phase ?? "" });
    setText(round, session.round ? `Round ${session.round} of ${session.rounds}` : `${session.rounds} rounds of ${session.focus_minutes} min, breaks of ${session.break_minutes} min`);
    for (const [name, button] of Object.entries(controls)) setAttribute(button, "hidden", !focus.isHost() || !shownAt[session.status].includes(name));
    setText(leave, session.status === "finished" ? "Close" : "Leave");
    const hosting = session.participants.find(({ id }) => id === session.host);
    setText(host, session.status === "finished" || focus.isHost() || !hosting ? "" : `${hosting.username} holds the clock.`);
    reconcile(people, session.participants, {
      key: ({ id }) => id,
      sign: (person) => JSON.stringify([person, session.host]),
      create: (person) => h("li", { class: "member", data: { userId: person.id } }, personAvatar(person),
        h("span", { class: "member-name" }, person.id === me().id ? `${person.username} (you)` : person.username),
        person.id === session.host && h("span", { class: "hint" }, "host")),
    });
    tick();
  }

  function tick() {
    const { session } = focus.state;
    if (!session) return;
    const left = focus.remaining();
    const whole = (session.phase === "break" ? session.break_minutes : session.focus_minutes) * 60_000;
    setText(clock, clockText(left));
    bar.value = session.phase && whole ? 1 - Math.min(1, left / whole) : session.status === "finished" ? 1 : 0;
  }

  // The others, and a new one

  const list = h("ul", { class: "cards", testid: "focus-sessions", "aria-label": "Focus sessions" });
  const empty = h("p", { class: "empty" });
  const others = h("h3", { class: "section-title" }, "Open sessions");

  function card(session) {
    const join = h("button", { type: "button", class: "button small", testid: "focus-join" }, "Join");
    join.addEventListener("click", () => busy(join, async () => {
      if (focus.state.session) await focus.leave();
      focus.join(session.id);
    }));
    const count = session.participants.length;
    return h("li", { class: "live-card focus-row", testid: "focus-item", data: { sessionId: session.id } },
      h("div", { class: "panel-head-text" },
        h("p", { class: "room-name" }, session.title),
        h("p", { class: "hint" }, `${phaseText(session)}, ${count} ${count === 1 ? "person" : "people"}`)),
      join);
  }

  const form = {
    title: field({ label: "New session", testid: "focus-title", maxlength: "255", autocomplete: "off", placeholder: "What it is about" }),
    focus_minutes: field({ label: "Focus, min", testid: "focus-minutes", type: "number", min: "1", step: "any", value: "25" }),
    break_minutes: field({ label: "Break, min", testid: "focus-break", type: "number", min: "0", step: "any", value: "5" }),
    rounds: field({ label: "Rounds", testid: "focus-rounds", type: "number", min: "1", value: "4" }),
    workspace: field({ label: "Open to", testid: "focus-workspace", control: "select" }),
  };
  const keep = keepFields({ title: form.title }, kept.slot("new-focus"));
  const submit = h("button", { type: "submit", class: "button primary", testid: "focus-new" }, "Create");

  function send(event) {
    event.preventDefault();
    for (const one of Object.values(form)) one.problem("");
    const json = { title: form.title.input.value.trim() };
    for (const name of ["focus_minutes", "break_minutes", "rounds"]) json[name] = Number(form[name].input.value);
    if (form.workspace.input.value) json.workspace = Number(form.workspace.input.value);
    busy(submit, () => focus.create(json).then(keep.clear, show));
  }

  function show(error) {
    const known = Object.entries(error.fields ?? {}).filter(([name]) => form[name]);
    for (const [name, texts] of known) form[name].problem(texts.join(" "));
    if (!known.length) form.title.problem(error.message);
  }

  function renderOthers() {
    const items = focus.open();
    reconcile(list, items, { key: ({ id }) => id, sign: (item) => JSON.stringify([item.title, item.status, item.phase, item.participants.length]), create: card });
    setAttribute(others, "hidden", !items.length);
    setAttribute(list, "hidden", !items.length);
    setText(empty, items.length || focus.state.session || focus.state.status !== "ready" ? "" : "Nobody focuses right now. Begin, and others can join.");
  }

  function renderWorkspaces() {
    const chosen = form.workspace.input.value;
    form.workspace.input.replaceChildren(h("option", { value: "" }, "Everybody"),
      ...workspaces.sorted().map(({ id, name }) => h("option", { value: id }, name)));
    form.workspace.input.value = chosen;
    if (form.workspace.input.selectedIndex < 0) form.workspace.input.value = "";
  }

  const element = h("section", { "aria-label": "Focus" },
    h("div", { class: "panel-head live-head" }, h("h2", { class: "panel-title" }, "Focus"), iconButton("close", "Close", close, { class: "icon-button live-close" })),
    h("div", { class: "scroll" }, h("div", { class: "live" },
      current, others, list, empty,
      h("form", { class: "live-card focus-form", novalidate: true, on: { submit: send } },
        Object.entries(form).map(([name, { element: one }]) => {
          one.classList.add(`field-${name}`);
          return one;
        }),
        submit))));

  const ticking = setInterval(() => {
    if (element.isConnected) tick();
    else clearInterval(ticking);
  }, TICK_MS);

  focus.watch(coalesce(() => {
    renderCurrent();
    renderOthers();
  }));
  workspaces.watch(coalesce(renderWorkspaces));
  renderCurrent();
  renderOthers();
  renderWorkspaces();
  return element;
}
