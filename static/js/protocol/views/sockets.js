/* Which sockets are open, how they are, and the way to open more. */
import { WAYS } from "../../credentials.js";
import { Button, Field } from "../../kit/controls.js";
import { html, useState } from "../../kit/html.js";
import { KINDS, placeOf } from "../kinds.js";

/** @param {import("../sockets.js").State} state */
export function stateWords(state) {
  if (state.name === "waiting") return `reconnecting in ${Math.max(0, Math.ceil(((state.retryAt ?? 0) - Date.now()) / 1000))} s`;
  if (state.name === "connecting") return state.attempt ? "reconnecting…" : "connecting…";
  return state.name === "closed" ? `closed (${state.code})` : state.name;
}

/** What a row of the list says, which does not count the seconds. */
const shortWords = (state) => (state.name === "waiting" ? "waiting" : stateWords(state));

/** @param {{bench: any}} props */
export function Sockets({ bench }) {
  const { settings } = bench;
  const open = Object.entries(bench.states.value);
  const [way, setWay] = useState(settings.way);
  const chosen = ({ currentTarget }) => {
    setWay(currentTarget.value);
    bench.signInWith(currentTarget.value);
  };
  return html`
    <ul class="sockets" data-testid="sockets">
      ${open.map(([name, state]) => html`<${Row} key=${name} name=${name} state=${state} bench=${bench} />`)}
    </ul>
    <${Opener} bench=${bench} />
    <${Field} label="How sockets sign in" testid="credentials" control="select" options=${WAYS} value=${way} onChange=${chosen} />`;
}

/** @param {any} props */
function Row({ name, state, bench }) {
  return html`
    <li class="socket" data-testid="socket" data-name=${name} data-state=${state.name}>
      <span class="socket-name">${name}</span>
      <code class="socket-path">${placeOf(name)?.path}</code>
      <span class="pill" data-state=${state.name}>${shortWords(state)}</span>
      <${Button} small testid="socket-reopen" label="Open ${name} again" onClick=${() => bench.open(name)}>Again</>
      <${Button} small testid="socket-close" label="Close ${name}" onClick=${() => bench.close(name)}>Close</>
    </li>`;
}

/** @param {{bench: any}} props */
function Opener({ bench }) {
  const [kindId, setKind] = useState("workspace");
  const [number, setNumber] = useState("");
  const kind = KINDS.find(({ id }) => id === kindId) ?? KINDS[0];
  const submitted = (event) => {
    event.preventDefault();
    bench.open(kind.number ? `${kind.id} ${number.trim()}` : kind.id);
    setNumber("");
  };
  return html`
    <form class="row" onSubmit=${submitted}>
      <select class="input" aria-label="Kind of socket" data-testid="socket-kind" value=${kindId}
        onChange=${({ currentTarget }) => setKind(currentTarget.value)}>
        ${KINDS.map(({ id, label }) => html`<option value=${id}>${label}</option>`)}
      </select>
      ${kind.number && html`<input class="input number" required pattern="[0-9]{1,15}" inputmode="numeric" placeholder="Number"
        aria-label="Number of the ${kind.number}" data-testid="socket-number" value=${number}
        onInput=${({ currentTarget }) => setNumber(currentTarget.value)} />`}
      <${Button} type="submit" testid="socket-open">Open</>
    </form>
    <p class="hint">${kind.path.replace("#", `<${kind.number}>`)}: ${kind.shows}.</p>`;
}
