/* One's second factor: codes of an app, which signing in then takes beside the password. */
import { useScope } from "../app/scope.js";
import { Button, Field } from "../kit/controls.js";
import { Form, useForm } from "../kit/form.js";
import { html, useEffect, useState } from "../kit/html.js";
import { AppSecret, RecoveryCodes } from "../kit/secondfactor.js";

const PATH = "/api/users/profile/second-factor/";

export function SecondFactor() {
  const { call, say } = useScope();
  const [state, setState] = useState(null);
  const [setup, setSetup] = useState(null);
  const [codes, setCodes] = useState(null);
  const load = () => call("GET", PATH).then(setState, (error) => say(error.message));
  useEffect(() => { load(); }, []);

  function confirmed({ recovery_codes: shown }) {
    setSetup(null);
    setCodes(shown);
    return load();
  }

  if (!state) return null;
  const part = () => {
    if (codes) return html`<${RecoveryCodes} codes=${codes} done=${() => setCodes(null)} />`;
    if (setup) return html`<${AppSecret} setup=${setup} /><${Confirm} confirmed=${confirmed} cancel=${() => setSetup(null)} />`;
    if (state.is_on) return html`<${Change} state=${state} renewed=${setCodes} changed=${load} />`;
    return html`<${Begin} isRequired=${state.is_required} begun=${setSetup} />`;
  };
  return html`<section class="surface" aria-label="Second factor">
    <h3 class="section-title">Second factor</h3>
    <p class="hint" data-testid="second-factor-state">${state.is_on ? `On. ${state.recovery_codes_left} recovery codes are left.` : "Off: your password alone signs you in."}</p>
    ${part()}
  </section>`;
}

function Begin({ isRequired, begun }) {
  const { call } = useScope();
  const form = useForm({ current_password: "" }, {
    secret: ["current_password"],
    send: async (json) => begun(await call("POST", PATH, { json })),
  });
  return html`${isRequired && html`<p>Your role needs one: set it up before your session ends.</p>`}
    <${Form} form=${form} label="Set up a second factor" testid="second-factor-begin">
      <${Field} label="Current password" type="password" testid="second-factor-password" autocomplete="current-password" ...${form.bind("current_password")} />
      <div class="buttons"><${Button} testid="second-factor-begin" onClick=${form.submit}>Set up an app</></div>
    </>`;
}

function Confirm({ confirmed, cancel }) {
  const { call } = useScope();
  const form = useForm({ otp: "" }, {
    secret: ["otp"],
    send: async (json) => confirmed(await call("POST", `${PATH}confirm/`, { json })),
  });
  return html`<${Form} form=${form} label="Confirm the app" testid="second-factor-confirm">
    <${Field} label="Code" testid="second-factor-code" autocomplete="one-time-code" inputmode="numeric" ...${form.bind("otp")} />
    <div class="buttons"><${Button} kind="primary" testid="second-factor-confirm" onClick=${form.submit}>Switch it on</><${Button} onClick=${cancel}>Cancel</></div>
  </>`;
}

function Change({ state, renewed, changed }) {
  const { call } = useScope();
  const [action, act] = useState("recovery-codes/");
  const form = useForm({ current_password: "", otp: "" }, {
    secret: ["current_password", "otp"],
    async send(json) {
      const answer = await call("POST", PATH + action, { json });
      if (answer.recovery_codes) renewed(answer.recovery_codes);
      await changed();
    },
  });
  const choices = [{ id: "recovery-codes/", label: "New recovery codes" }, ...(state.is_required ? [] : [{ id: "off/", label: "Switch it off" }])];
  return html`<${Form} form=${form} label="Change the second factor" testid="second-factor-change">
    <${Field} label="Change" control="select" testid="second-factor-action" options=${choices} value=${action} onChange=${(event) => act(event.currentTarget.value)} />
    <${Field} label="Current password" type="password" testid="second-factor-password" autocomplete="current-password" ...${form.bind("current_password")} />
    <${Field} label="Code" testid="second-factor-code" autocomplete="one-time-code" hint="Of your app, or a recovery code." ...${form.bind("otp")} />
    <div class="buttons"><${Button} testid="second-factor-change" onClick=${form.submit}>Do it</></div>
  </>`;
}
