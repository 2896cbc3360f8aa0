/* Where one is signed in. */
import { useScope } from "../app/scope.js";
import { moment } from "../format.js";
import { Button } from "../kit/controls.js";
import { html, useEffect, useState } from "../kit/html.js";
import { deviceName } from "../words.js";

const PATH = "/api/auth/sessions/";

export function Sessions() {
  const { call } = useScope();
  const [sessions, setSessions] = useState([]);
  const [problem, setProblem] = useState("");
  const failed = (error) => setProblem(error.message);
  const load = () => call("GET", PATH, { query: { page_size: 100 } }).then(({ results }) => setSessions(results), failed);
  useEffect(() => { load(); }, []);
  const end = ({ id }) => call("DELETE", `${PATH}${id}/`).then(load, failed);
  return html`<section class="surface" aria-label="Where you are signed in">
    <h3 class="section-title">Where you are signed in</h3>
    <p class="form-message" role="alert" data-testid="sessions-message">${problem}</p>
    <ul class="people-list" data-testid="sessions" aria-label="Sessions">
      ${sessions.map((session) => html`<li key=${session.id} class="people-row" data-testid="session">
        <div class="grow"><p class="people-name" title=${session.device}>${deviceName(session.device)}${session.is_current && html` <span class="hint">this one</span>`}</p>
          <p class="hint">${`${session.address}, last used ${moment(new Date(session.last_used))}`}</p></div>
        ${!session.is_current && html`<${Button} testid="session-end" aria-label=${`End the session of ${deviceName(session.device)}`} onClick=${() => end(session)}>End</>`}
      </li>`)}
    </ul>
  </section>`;
}
