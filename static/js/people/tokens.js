/* One's own API tokens: what scripts and bots act with in one's name. */
import { useScope } from "../app/scope.js";
import { Button, Field } from "../kit/controls.js";
import { Form, useForm } from "../kit/form.js";
import { html, useEffect, useState } from "../kit/html.js";
import { SecretOnce } from "../kit/secretonce.js";
import { SCOPES, TokenList } from "./tokenlist.js";

const PATH = "/api/users/profile/tokens/";
const LIVES = [[7, "A week"], [30, "A month"], [90, "Three months"], [365, "A year"]];
const FOR_EVER = { id: "", label: "Until it is revoked" };

/** How long a new token may live, as a choice; `maxDays` is null where there is no limit. */
export function lives(maxDays) {
  const fitting = LIVES.filter(([days]) => !maxDays || Number(days) <= maxDays).map(([days, label]) => ({ id: String(days), label: String(label) }));
  if (!maxDays) return [...fitting, FOR_EVER];
  return fitting.length ? fitting : [{ id: String(Math.floor(maxDays)), label: `${Math.floor(maxDays)} days` }];
}

export function Tokens() {
  const { call, say } = useScope();
  const [listed, setListed] = useState(null);
  const [made, setMade] = useState(null);
  const failed = (error) => say(error.message);
  const load = () => call("GET", PATH).then(setListed, failed);
  useEffect(() => { load(); }, []);
  const revoke = ({ id }) => call("DELETE", `${PATH}${id}/`).then(load, failed);
  if (!listed) return null;

  function isMade(token) {
    setMade(token);
    return load();
  }

  return html`<section class="surface" aria-label="API tokens">
    <h3 class="section-title">API tokens</h3>
    <p class="hint">With a token, a script or a bot acts as you, and you need not give it your password. A new password ends all of them.</p>
    ${made && html`<${Shown} token=${made} done=${() => setMade(null)} />`}
    <${TokenList} tokens=${listed.tokens} revoke=${revoke} label="Your API tokens" />
    ${!made && html`<${NewToken} maxDays=${listed.max_days} made=${isMade} />`}
  </section>`;
}

function Shown({ token, done }) {
  const line = `curl -H "Authorization: Bearer ${token.token}" ${location.origin}/api/users/profile/`;
  return html`<${SecretOnce} words=${`Copy “${token.name}” now: it is shown only this once.`} label="The new token" secret=${token.token} testid="api-token-text" done=${done}>
    <p class="hint">Try it in a terminal:</p><p><code class="broken-anywhere" data-testid="api-token-curl">${line}</code></p>
  </>`;
}

function NewToken({ maxDays, made }) {
  const { call } = useScope();
  const choices = lives(maxDays);
  const days = choices.find(({ id }) => id === "90") ?? choices[0];
  const form = useForm({ name: "", scope: "read", expires_in_days: days.id, current_password: "" }, {
    secret: ["current_password"],
    async send({ expires_in_days: life, ...json }) {
      await made(await call("POST", PATH, { json: { ...json, expires_in_days: life ? Number(life) : null } }));
    },
  });
  return html`<${Form} form=${form} label="New API token" testid="api-token-new">
    <${Field} label="Name" testid="api-token-name" hint="What it is for, like “Nightly report”." maxlength="100" ...${form.bind("name")} />
    <div class="abreast">
      <${Field} label="It may" testid="api-token-scope" control="select" options=${SCOPES} ...${form.bind("scope")} />
      <${Field} label="It lasts" testid="api-token-life" control="select" options=${choices} ...${form.bind("expires_in_days")} />
    </div>
    <${Field} label="Current password" type="password" testid="api-token-password" autocomplete="current-password" ...${form.bind("current_password")} />
    <div class="buttons"><${Button} testid="api-token-new" onClick=${form.submit}>Make a token</></div>
  </>`;
}
