/* Where webhooks may be sent: for the ceo. */
import { useScope } from "../app/scope.js";
import { Button, Field } from "../kit/controls.js";
import { Form, useForm } from "../kit/form.js";
import { html } from "../kit/html.js";
import { ADDRESSES } from "./words.js";

export function Addresses({ addresses, load }) {
  const { call, say } = useScope();
  const form = useForm({ origin: "" }, {
    async send({ origin }) {
      await call("POST", ADDRESSES, { json: { origin: origin.trim() } });
      await load();
    },
  });
  const remove = ({ id }) => call("DELETE", `${ADDRESSES}${id}/`).then(load, (error) => say(error.message));
  return html`<section aria-label="Where webhooks may be sent">
    <h3 class="section-title">Where webhooks may be sent</h3>
    <ul class="people-list">${addresses.map((one) => html`<li key=${one.id} class="people-row" data-testid="hook-address">
      <code class="grow" style=${{ overflowWrap: "anywhere" }}>${one.origin}</code>
      <${Button} small testid="address-remove" aria-label=${`Remove ${one.origin}`} onClick=${() => remove(one)}>Remove</></li>`)}</ul>
    <${Form} form=${form} label="Allow an address" testid="address-form">
      <${Field} label="Allow an address" testid="address-origin" type="url" maxlength="2000" autocomplete="off" placeholder="https://ci.example.org" hint="Scheme, host and port; machines of the LAN, too." ...${form.bind("origin")} />
      <div class="buttons"><${Button} testid="address-add" onClick=${form.submit}>Allow</></div></>
  </section>`;
}
