/* The second step of signing in: a code of one's app, or setting the app up where one's role needs it. */
import { Button, Field } from "../kit/controls.js";
import { refusals } from "../kit/form.js";
import { html, useEffect, useState } from "../kit/html.js";
import { AppSecret, RecoveryCodes } from "../kit/secondfactor.js";

/** `given` are the token that stands for the first step, and whether there is no app yet (`setup` is "1"). */
export function SecondStep({ actions, given: { token, setup: isSetup } }) {
  const [setup, setSetup] = useState(null);
  const [code, setCode] = useState("");
  const [trouble, setTrouble] = useState({ at: {}, above: "" });
  const [answer, setAnswer] = useState(null);
  const refused = (error) => setTrouble(refusals(error, ["otp"]));
  useEffect(() => {
    if (isSetup === "1") actions.beginSecondFactor(token).then(setSetup, refused);
  }, [token]);

  async function send(event) {
    event.preventDefault();
    setTrouble({ at: {}, above: "" });
    if (!code.trim()) return setTrouble({ at: { otp: "Write a code first." }, above: "" });
    try {
      const found = await actions.takeSecondStep(token, code.trim());
      return found.recovery_codes.length ? setAnswer(found) : await actions.goOn(found.next);
    } catch (error) {
      return refused(error);
    }
  }

  if (answer) return html`<div class="form"><${RecoveryCodes} codes=${answer.recovery_codes} done=${() => actions.goOn(answer.next)} /></div>`;
  return html`<form class="form" novalidate onSubmit=${send} aria-labelledby="door-title">
    <h2 id="door-title" class="part-title">${isSetup === "1" ? "Set up a second factor" : "A second step"}</h2>
    ${isSetup === "1" && html`<p>Your role signs in with a code of an app beside the password.</p>`}
    ${setup && html`<${AppSecret} setup=${setup} />`}
    <p class="form-message" role="alert" data-testid="second-step-message">${trouble.above}</p>
    <${Field} label="Code" testid="second-step-code" autocomplete="one-time-code" inputmode=${isSetup === "1" ? "numeric" : "text"} autocapitalize="none" spellcheck="false"
      value=${code} problem=${trouble.at.otp} hint=${isSetup === "1" ? "" : "Of your app, or one of your recovery codes."} onInput=${(event) => setCode(event.currentTarget.value)} />
    <div class="buttons"><${Button} kind="primary" type="submit" testid="second-step-send">Go on</>
      <${Button} testid="second-step-cancel" onClick=${() => actions.giveUp()}>Not now</></div>
  </form>`;
}
