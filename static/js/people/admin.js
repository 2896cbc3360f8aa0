/* What hr, supervisors and the ceo do about somebody: role, department, name, a link for a new password, in or out. */
import { displayName } from "../app/directory.js";
import { useScope } from "../app/scope.js";
import { Button, Field } from "../kit/controls.js";
import { ask, confirm } from "../kit/dialog.js";
import { Form, useForm } from "../kit/form.js";
import { html, useEffect, useState } from "../kit/html.js";
import { manages, roleName, rolesToGive } from "./rights.js";
import { TokenList } from "./tokenlist.js";

export function Administration({ person, people }) {
  const { me, follow } = useScope();
  follow("me");
  const roles = rolesToGive(me(), person);
  const isManaged = manages(me(), person);
  if (!roles.length && !isManaged) return null;
  return html`<section class="surface" aria-label="Administration" data-testid="administration">
    <h3 class="section-title">Administration</h3>
    ${roles.length > 0 && html`<${Choice} label="Role" testid="person-role" value=${person.role} options=${roles.map((id) => ({ id, label: roleName(id) }))}
      choose=${(role) => people.giveRole(person.id, role)} />`}
    ${isManaged && html`<${Choice} label="Department" testid="person-department" value=${String(person.department ?? "")} options=${departmentOptions(people)}
      choose=${(id) => people.update(person.id, { department: id ? Number(id) : null })} />
      <${Names} person=${person} people=${people} />
      <${Access} person=${person} people=${people} />
      ${person.id !== me().id && html`<${TokensOf} key=${person.id} person=${person} />`}`}
  </section>`;
}

const departmentOptions = ({ departments }) => [{ id: "", label: "None" }, ...departments.value.map(({ id, name }) => ({ id: String(id), label: name }))];

/** A choice that is made at once; if it is refused, what was chosen before stands again, with the reason. */
function Choice({ label, testid, value, options, choose }) {
  const [wanted, setWanted] = useState(null);
  const [problem, setProblem] = useState("");
  async function chosen(event) {
    setWanted(event.currentTarget.value);
    setProblem("");
    await choose(event.currentTarget.value).catch((error) => setProblem(error.message));
    setWanted(null);
  }
  return html`<${Field} label=${label} testid=${testid} control="select" options=${options} value=${wanted ?? value} problem=${problem} disabled=${wanted !== null} onChange=${chosen} />`;
}

function Names({ person, people }) {
  const { kept } = useScope();
  const form = useForm({ first_name: person.first_name, last_name: person.last_name }, {
    slot: kept.slot(`person-${person.id}`),
    send: (_values, changed) => people.update(person.id, changed),
  });
  return html`<${Form} form=${form} label="Name"><div class="abreast">
      <${Field} label="First name" testid="person-first_name" ...${form.bind("first_name")} />
      <${Field} label="Last name" testid="person-last_name" ...${form.bind("last_name")} />
    </div>
    ${form.isChanged && html`<div class="buttons"><${Button} kind="primary" testid="person-save" onClick=${form.submit}>Save the name</><${Button} onClick=${form.reset}>Cancel</></div>`}
  </>`;
}

/** Somebody's API tokens, if they have any. */
function TokensOf({ person }) {
  const { call, say } = useScope();
  const [tokens, setTokens] = useState([]);
  const path = `/api/users/${person.id}/tokens/`;
  const failed = (error) => say(error.message);
  const load = () => call("GET", path).then((listed) => setTokens(listed.tokens), failed);
  useEffect(() => { load(); }, [person.version]);
  if (!tokens.length) return null;
  return html`<h4 class="label">API tokens</h4>
    <${TokenList} tokens=${tokens} label=${`API tokens of ${displayName(person)}`} revoke=${({ id }) => call("DELETE", `${path}${id}/`).then(load, failed)} />`;
}

function Access({ person, people }) {
  const { say, me } = useScope();
  const name = displayName(person);
  const told = (work) => work.catch((error) => say(error.message));

  async function deactivate() {
    const question = { title: `Deactivate ${name}`, text: "They are signed out everywhere at once and cannot sign in again. What they have written stays, and they can be let in again.", action: "Deactivate" };
    if (await confirm(question)) await told(people.setActive(person.id, false));
  }

  async function resetSecondFactor() {
    const question = { title: `Remove the second factor of ${name}`, text: "They are signed out everywhere, and sign in with their password alone. Make sure that it is really them who ask.", action: "Remove" };
    if (await confirm(question)) await told(people.resetSecondFactor(person.id).then(() => say("There is no second factor any more.")));
  }

  const giveLink = () => told(people.resetLink(person.id).then((link) => { showLink(name, link); }));

  return html`<div class="buttons">
    <${Button} testid="person-reset-link" onClick=${giveLink}>Link for a new password</>
    ${person.email && !person.email_verified && html`<${Button} testid="person-verify" onClick=${() => told(people.vouch(person.id))}>Confirm their address</>`}
    ${person.id !== me().id && html`<${Button} testid="person-reset-second-factor" onClick=${resetSecondFactor}>Remove their second factor</>`}
    ${person.id !== me().id && (person.is_active
      ? html`<${Button} kind="danger" testid="person-deactivate" onClick=${deactivate}>Deactivate</>`
      : html`<${Button} kind="primary" testid="person-activate" onClick=${() => told(people.setActive(person.id, true))}>Let in again</>`)}
  </div>`;
}

const showLink = (name, link) => ask({
  title: "Link for a new password",
  content: (close) => html`<p>${`Hand this to ${name}. It works once, within an hour, and whoever has it can sign in as them.`}</p>
    <input class="input" readonly data-testid="reset-link" data-kept="" aria-label="Link" value=${link} onFocus=${(event) => event.currentTarget.select()} />
    <div class="buttons">${navigator.clipboard && html`<${Button} kind="primary" testid="reset-link-copy" onClick=${() => navigator.clipboard.writeText(link).then(() => close())}>Copy</>`}
      <${Button} onClick=${() => close()}>Close</></div>`,
});
