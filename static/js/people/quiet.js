/* When one is left alone: while focusing, and at certain hours. */
import { useScope } from "../app/scope.js";
import { Button, Field } from "../kit/controls.js";
import { Form, useForm } from "../kit/form.js";
import { html, useEffect, useRef } from "../kit/html.js";

const PROFILE = "/api/users/profile/";
const USUAL = { start: "18:00", end: "08:00" };
export const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** What the form's values ask of the server. */
export function quietChanges({ hold, isQuiet, start, end, zone }) {
  return { hold_while_focusing: hold, quiet_hours: isQuiet ? { start, end, time_zone: zone } : null };
}

export function valuesOf({ hold_while_focusing: hold = true, quiet_hours: quiet = null }) {
  return { hold, isQuiet: Boolean(quiet), start: quiet?.start ?? USUAL.start, end: quiet?.end ?? USUAL.end, zone: quiet?.time_zone ?? ownZone() };
}

/** `isWanted` brings the form before one's eyes. */
export function Quiet({ user, isWanted }) {
  const { call, becomeMe, say } = useScope();
  const section = useRef(null);
  const form = useForm(valuesOf(user), {
    async send(values) {
      becomeMe({ hold_while_focusing: true, quiet_hours: null, ...await call("PATCH", PROFILE, { json: quietChanges(values) }) });
      say("Saved.");
    },
  });
  useEffect(() => {
    if (isWanted) section.current.scrollIntoView({ block: "start" });
  }, [isWanted]);
  const { hold, isQuiet, zone } = form.values;
  const check = (name, label, testid, value) => html`<label class="check-row"><input type="checkbox" data-testid=${testid} checked=${value} onChange=${(event) => form.set(name, event.currentTarget.checked)} />${label}</label>`;
  return html`<section ref=${section} class="surface" aria-label="Quiet hours">
    <h3 class="section-title">Quiet hours</h3>
    <p class="hint">Meanwhile you are told of nothing but deadlines and messages of the system. The rest waits, and comes afterwards in one piece.</p>
    <${Form} form=${form} label="Quiet hours" testid="quiet-save">
      ${check("hold", "While I focus", "quiet-hold", hold)}
      ${check("isQuiet", "Every day, at these hours", "quiet-on", isQuiet)}
      ${isQuiet && html`<div class="abreast">
          <${Field} label="From" type="time" testid="quiet-start" ...${form.bind("start")} />
          <${Field} label="Until" type="time" testid="quiet-end" ...${form.bind("end")} /></div>
        <p class="hint">${`By the clock of ${zone.replaceAll("_", " ")}.`} ${zone !== ownZone() && html`<${Button} small testid="quiet-here" onClick=${() => form.set("zone", ownZone())}>${`Use ${ownZone().replaceAll("_", " ")}`}</>`}</p>`}
      <div class="buttons"><${Button} kind=${form.isChanged ? "primary" : ""} testid="quiet-save" onClick=${form.submit}>Save</></div>
    </>
  </section>`;
}
