/* Any frame by hand, and trouble at the press of a button, on the socket that is chosen. */
import { Button, Field } from "../../kit/controls.js";
import { html, useRef, useState } from "../../kit/html.js";
import { SILENCE_MS } from "../faults.js";

/** @param {{bench: any}} props */
export function SendForm({ bench }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const names = Object.keys(bench.states.value);
  const submitted = (event) => {
    event.preventDefault();
    bench.sendRaw(bench.draft.value);
  };
  const pressed = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
  };
  return html`
    <form class="stack" ref=${form} onSubmit=${submitted}>
      <${Field} label="On the socket" testid="raw-socket" control="select" options=${names.map((name) => ({ id: name, label: name }))}
        value=${bench.chosen.value} onChange=${({ currentTarget }) => { bench.chosen.value = currentTarget.value; }} />
      <${Field} label="Raw frame, sent as it stands (Ctrl+Enter)" testid="raw-input" control="textarea" rows="3" spellcheck="false"
        value=${bench.draft.value} onKeyDown=${pressed} onInput=${({ currentTarget }) => { bench.draft.value = currentTarget.value; }} />
      <div class="buttons"><${Button} type="submit" testid="raw-send">Send frame</></div>
    </form>
    <${Faults} bench=${bench} />`;
}

/** @param {{bench: any}} props */
function Faults({ bench }) {
  const { faults } = bench;
  const [speak, setSpeak] = useState(null);
  const silence = () => {
    if (speak) speak();
    else setSpeak(() => faults.silence(() => setSpeak(null)));
  };
  return html`
    <div class="faults buttons" role="group" aria-label="Faults">
      <${Button} small testid="cut-socket" title="Drop the connection as a broken cable would" onClick=${() => faults.cut()}>Cut the socket</>
      <${Button} small testid="send-nonsense" title="A frame that is no JSON; the third one closes the socket with 4400" onClick=${() => faults.nonsense()}>Send nonsense</>
      <${Button} small testid="flood" title="200 messages at once on a second socket" onClick=${() => faults.flood()}>Flood</>
      <${Button} small testid="go-silent" title="Say nothing for a minute, and open a second socket that never signs in"
        onClick=${silence}>${speak ? `Speak again (silent for ${SILENCE_MS / 1000} s)` : "Go silent"}</>
    </div>`;
}
