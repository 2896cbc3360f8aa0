/* Webhooks out: who is told of what. */
import { useScope } from "../app/scope.js";
import { listTime } from "../format.js";
import { Button, Field } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { Form, useForm } from "../kit/form.js";
import { html, useState } from "../kit/html.js";
import { Log } from "./log.js";
import { Once } from "./once.js";
import { eventName, OUTGOING, ROOM_EVENTS, stateOf, WORKSPACE_EVENTS } from "./words.js";

export function Outgoing({ where, hooks, addresses, load, mayMake }) {
  const [once, setOnce] = useState("");
  const [isMaking, setMaking] = useState(false);
  const shown = (secret) => { setOnce(secret); setMaking(false); return load(); };
  return html`<section aria-label="What other programs are told">
    <header class="section-head"><h3 class="section-title">What other programs are told</h3>
      ${mayMake && !isMaking && html`<${Button} icon="add" testid="webhook-new" onClick=${() => setMaking(true)}>New webhook</>`}</header>
    ${once && html`<${Once} label="Secret:" text=${once} words="The receiver knows by this secret that what it gets is from here. It is shown only now." done=${() => setOnce("")} />`}
    ${isMaking && html`<${NewWebhook} where=${where} addresses=${addresses} made=${shown} giveUp=${() => setMaking(false)} />`}
    ${!hooks.length && !isMaking && html`<p class="hint">None yet. A webhook sends what happens here to another program, signed.</p>`}
    <ul class="people-list form">${hooks.map((hook) => html`<${Webhook} key=${hook.id} hook=${hook} load=${load} renewed=${shown} />`)}</ul>
  </section>`;
}

function NewWebhook({ where, addresses, made, giveUp }) {
  const { call } = useScope();
  const events = where.room ? ROOM_EVENTS : WORKSPACE_EVENTS;
  const form = useForm({ name: "", url: "", events: [events[0].id] }, {
    send: async (values) => made((await call("POST", OUTGOING, { json: { ...values, name: values.name.trim(), ...where } })).secret),
  });
  const chosen = form.values.events;
  const toggle = (id) => form.set("events", chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  const allowed = addresses.map(({ origin }) => origin).join(", ");
  return html`<div class="surface"><${Form} form=${form} label="New webhook" testid="webhook-form">
    <${Field} label="Name" testid="webhook-name" maxlength="150" autocomplete="off" autofocus ...${form.bind("name")} />
    <${Field} label="Address" testid="webhook-url" type="url" maxlength="2000" autocomplete="off" placeholder="https://…" ...${form.bind("url")}
      hint=${allowed ? `Allowed are addresses that begin with ${allowed}.` : "The ceo has not allowed any address yet."} />
    <fieldset class="levels"><legend class="label">Tell it when</legend>
      ${events.map(({ id, label }) => html`<label key=${id} class="check-row"><input type="checkbox" data-testid=${`webhook-event-${id}`} checked=${chosen.includes(id)} onChange=${() => toggle(id)} />${label}</label>`)}
    </fieldset>
    <div class="buttons"><${Button} testid="webhook-cancel" onClick=${giveUp}>Cancel</><${Button} kind="primary" testid="webhook-save" onClick=${form.submit}>Make it</></div>
  </></div>`;
}

function Webhook({ hook, load, renewed }) {
  const { call, directory, say } = useScope();
  const [isOpen, setOpen] = useState(false);
  const [version, setVersion] = useState(0);
  const path = `${OUTGOING}${hook.id}/`;
  const told = (work) => work.catch((error) => say(error.message));

  const test = () => told(call("POST", `${path}test/`, { json: {} }).then(() => { setOpen(true); setVersion(version + 1); }));
  const turn = () => told(call("PATCH", path, { json: { is_active: !hook.is_active } }).then(load));
  async function rotate() {
    const question = { title: "Make a new secret", text: "For a day everything is signed with the old one, too. Until then the receiver must know the new one.", action: "Make it" };
    if (await confirm(question)) await told(call("POST", `${path}secret/`, { json: {} }).then(({ secret }) => renewed(secret)));
  }
  async function end() {
    const question = { title: "End the webhook", text: `${hook.name} is told nothing more, and its log goes.`, action: "End it" };
    if (await confirm(question)) await told(call("DELETE", path).then(load));
  }

  return html`<li class="surface" data-testid="webhook" data-webhook-id=${hook.id}>
    <div><p class="person-name">${hook.name}${hook.place && html` <span class="chip">${hook.place}</span>`}</p>
      <p class="hint" style=${{ overflowWrap: "anywhere" }}>${hook.url}</p>
      <p class="hint">${`Told when ${hook.events.map(eventName).join("; ")}. Made by ${directory.name(hook.maker)}.`}</p>
      <p data-testid="webhook-state">${stateOf(hook, listTime)}</p></div>
    <div class="buttons">
      <${Button} small testid="webhook-test" disabled=${!hook.is_active} onClick=${test}>Send a test</>
      <${Button} small testid="webhook-log" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>${isOpen ? "Hide the log" : "Log"}</>
      <${Button} small testid="webhook-rotate" onClick=${rotate}>New secret</>
      <${Button} small testid="webhook-switch" onClick=${turn}>${hook.is_active ? "Switch off" : "Switch on"}</>
      <${Button} small kind="danger" testid="webhook-end" onClick=${end}>End</>
    </div>
    ${isOpen && html`<${Log} path=${path} version=${version} />`}
  </li>`;
}
