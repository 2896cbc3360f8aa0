/* The address at which a calendar elsewhere reads one's due tasks. */
import { useScope } from "../app/scope.js";
import { moment } from "../format.js";
import { Button } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { html, useEffect, useState } from "../kit/html.js";
import { SecretOnce } from "../kit/secretonce.js";

const PATH = "/api/users/profile/calendar/";

export function CalendarAddress() {
  const { call, say } = useScope();
  const [state, setState] = useState(null);
  const [url, setUrl] = useState("");
  const failed = (error) => say(error.message);
  const load = () => call("GET", PATH).then(setState, failed);
  useEffect(() => { load(); }, []);
  if (!state) return null;

  const make = () => call("POST", PATH).then((made) => { setUrl(made.url); return load(); }).catch(failed);

  async function renew() {
    const question = { title: "Make a new address", text: "Calendars that read the present address show nothing new any more until they are given the new one.", action: "Make a new one" };
    if (await confirm(question)) await make();
  }

  async function end() {
    const question = { title: "End the address", text: "Calendars that read it show nothing new any more.", action: "End it" };
    if (await confirm(question)) await call("DELETE", PATH).then(() => { setUrl(""); return load(); }).catch(failed);
  }

  return html`<section class="surface" aria-label="Calendar">
    <h3 class="section-title">Calendar</h3>
    <p class="hint" data-testid="calendar-state">${state.is_on
      ? `A calendar can read your due tasks at an address that was made ${moment(new Date(state.created_at))}.`
      : "Your due tasks can show in your own calendar: it subscribes to an address that only you know."}</p>
    ${url && html`<${SecretOnce} words="Give this address to your calendar, where it says “subscribe”. It is shown only this once, and whoever has it can read what is due for you." label="The address of your calendar" secret=${url} testid="calendar-url" done=${() => setUrl("")} />`}
    <div class="buttons">${state.is_on
      ? html`<${Button} testid="calendar-renew" onClick=${renew}>Make a new address</><${Button} testid="calendar-end" onClick=${end}>End it</>`
      : html`<${Button} testid="calendar-make" onClick=${make}>Make an address</>`}</div>
  </section>`;
}
