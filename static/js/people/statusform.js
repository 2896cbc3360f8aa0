/* What one says of oneself: a few words, an emoji, and when that ends. */
import { useScope } from "../app/scope.js";
import { moment } from "../format.js";
import { Button, Field } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { Form, useForm } from "../kit/form.js";
import { html } from "../kit/html.js";
import { ENDS, statusOf, USUAL } from "../status.js";

const PROFILE = "/api/users/profile/";
const SAME = "same";

const now = (user) => (statusOf(user) ? user : { status_text: "", status_emoji: "", status_until: null });

/** The ends one can choose: where one is set already, it may stay. */
function endsFor({ status_until: until }) {
  return until ? [{ id: SAME, label: `Until ${moment(new Date(until))}` }, ...ENDS] : ENDS;
}

/** What the form's values ask of the server. */
export function statusChanges({ text, emoji, end }) {
  const change = { status_text: text.trim(), status_emoji: emoji.trim() };
  if (end === SAME) return change;
  const until = ENDS.find(({ id }) => id === end)?.from(Date.now()) ?? null;
  return { ...change, status_until: until === null ? null : new Date(until).toISOString() };
}

/** `done()` is called when it has been saved. */
export function StatusForm({ done }) {
  const { call, becomeMe, directory, me } = useScope();
  const user = now(me());

  const send = async (change) => {
    const saved = await call("PATCH", PROFILE, { json: change });
    becomeMe(saved);
    directory.amend(saved.id, saved);
    done();
  };
  const form = useForm({ text: user.status_text ?? "", emoji: user.status_emoji ?? "", end: user.status_until ? SAME : "" }, {
    send: (values) => send(statusChanges(values)),
  });
  const take = ({ emoji, text, end }) => {
    form.set("emoji", emoji);
    form.set("text", text);
    form.set("end", end);
  };
  return html`<${Form} form=${form} label="Status" testid="status-save">
    <div class="status-line">
      <${Field} label="Emoji" testid="status-emoji" maxlength="16" autocomplete="off" ...${form.bind("emoji")} />
      <${Field} label="What is it?" testid="status-text" maxlength="100" autocomplete="off" autofocus data-kept="" placeholder="In a meeting" ...${form.bind("text")} />
    </div>
    <div class="buttons usual">${USUAL.map((one) => html`<${Button} key=${one.text} small testid="status-usual" onClick=${() => take(one)}>${`${one.emoji} ${one.text}`}</>`)}</div>
    <${Field} label="Clear it" testid="status-end" control="select" options=${endsFor(user)} ...${form.bind("end")} />
    <div class="buttons"><${Button} kind="primary" testid="status-save" onClick=${form.submit}>Save</>
      ${statusOf(user) && html`<${Button} testid="status-clear" onClick=${() => send({ status_text: "", status_emoji: "", status_until: null })}>Clear now</>`}</div>
  </>`;
}

export const askForStatus = (scope) => ask({
  title: "Your status", testid: "status-dialog",
  content: (close) => html`<${scope.Provide}><${StatusForm} done=${() => close(true)} /></>`,
});
