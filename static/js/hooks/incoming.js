/* Webhooks in: addresses at which programs post into a room. */
import { useScope } from "../app/scope.js";
import { listTime } from "../format.js";
import { Button, Field } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { Form, useForm } from "../kit/form.js";
import { html, useState } from "../kit/html.js";
import { Once } from "./once.js";
import { INCOMING } from "./words.js";

export function Incoming({ where, hooks, load, mayMake }) {
  const { call, directory, say } = useScope();
  const [once, setOnce] = useState("");
  const form = useForm({ name: "" }, {
    async send({ name }) {
      setOnce((await call("POST", INCOMING, { json: { room: where.room, name: name.trim() } })).url);
      await load();
    },
  });

  async function end(hook) {
    const question = { title: "End the address", text: `Whatever posts as ${hook.name} is refused from then on.`, action: "End it" };
    if (await confirm(question)) await call("DELETE", `${INCOMING}${hook.id}/`).then(load, (error) => say(error.message));
  }

  return html`<section aria-label="What programs post here">
    <h3 class="section-title">What programs post here</h3>
    ${once && html`<${Once} label="Address:" text=${once} words=${"A program posts here what it has to say, as JSON: {\"text\": \"…\"}. Whoever knows the address can; it is shown only now."} done=${() => setOnce("")} />`}
    <ul class="people-list">${hooks.map((hook) => html`<li key=${hook.id} class="people-row" data-testid="incoming-hook" data-hook-id=${hook.id}>
      <span class="grow"><span class="person-name">${hook.name}</span> <span class="hint">${`made by ${directory.name(hook.maker)}, ${hook.last_used_at ? `used ${listTime(hook.last_used_at)}` : "never used"}`}</span></span>
      <${Button} small kind="danger" testid="incoming-end" aria-label=${`End the address of ${hook.name}`} onClick=${() => end(hook)}>End</></li>`)}</ul>
    ${mayMake && html`<${Form} form=${form} label="New address" testid="incoming-form">
      <${Field} label="A new address, for" testid="incoming-name" maxlength="150" autocomplete="off" placeholder="CI" hint="What posts there is named so, in your name." ...${form.bind("name")} />
      <div class="buttons"><${Button} testid="incoming-new" onClick=${form.submit}>Make an address</></div></>`}
  </section>`;
}
