/* How the server is: the health of each part, what it tells frontends, and whether this page may call it. */
import { Button, Field } from "../../kit/controls.js";
import { html, useEffect, useState } from "../../kit/html.js";

const CLIENT_VERSION = "taskroom-page@1.0.0";
const HEALTH = "/api/v2/core/health/";
const CONFIG = "/api/v2/core/config/";

/** @param {{bench: any}} props */
export function Service({ bench }) {
  const { server } = bench.settings;
  return html`<${Health} server=${server} /><${Config} server=${server} /><${Probe} server=${server} />`;
}

const jsonOf = (/** @type {URL} */ url, options = {}) => fetch(url, options).then((answer) => answer.json()).catch(() => null);

const partWords = ({ status, latency_ms: latency, waiting }) =>
  [status, latency === null ? null : `${latency} ms`, waiting ? `${waiting} waiting` : null].filter(Boolean).join(", ");

/** @param {any} answer */
function partsOf(answer) {
  if (!answer) return [["server", "does not answer", "unavailable"]];
  const { status, version, uptime, parts } = answer;
  const whole = ["server", `${status}, version ${version}, up ${Math.round(uptime)} s`, status];
  return [whole, ...Object.entries(parts).map(([name, part]) => [name, partWords(part), part.status])];
}

/** @param {{server: string}} props */
function Health({ server }) {
  const [parts, setParts] = useState(([]));
  /* A 503 says as much as a 200: which part is away. */
  const look = async () => setParts(partsOf(await jsonOf(new URL(HEALTH, server))));
  useEffect(() => { look(); }, []);
  return html`
    <h3 class="part-title">Health</h3>
    <ul data-testid="health">
      ${parts.map(([name, words, state]) => html`
        <li key=${name} class="part" data-testid="part-${name}" data-state=${state}><span>${name.replace("_", " ")}</span> <span class="hint">${words}</span></li>`)}
    </ul>
    <div class="buttons"><${Button} small testid="health-again" onClick=${look}>Look again</></div>`;
}

/** @param {{server: string}} props */
function Config({ server }) {
  const [text, setText] = useState("");
  useEffect(() => {
    jsonOf(new URL(CONFIG, server)).then((answer) => setText(answer ? JSON.stringify(answer, null, 2) : `${server} does not answer.`));
  }, []);
  return html`<h3 class="part-title">Configuration</h3><pre class="answer" data-testid="config" tabindex="0" aria-label="Configuration">${text}</pre>`;
}

/** What promptcraft's client does first: a request with a header that needs a preflight, with cookies. @param {{server: string}} props */
function Probe({ server }) {
  const [address, setAddress] = useState(server);
  const [problem, setProblem] = useState("");
  const [said, setSaid] = useState("");

  async function look() {
    setProblem("");
    let url;
    try {
      url = new URL(CONFIG, address.trim());
    } catch {
      return setProblem("Write it like http://192.168.1.10:8000");
    }
    const answer = await fetch(url, { headers: { "X-Client-Version": CLIENT_VERSION }, credentials: "include" }).catch(() => null);
    const own = url.origin === location.origin ? "It is this page's own server, which needs no CORS." : `It lets pages of ${location.origin} call.`;
    return setSaid(answer
      ? `${url.origin} answers ${answer.status}. ${own}`
      : `${url.origin} does not answer, or does not know this page: add ${location.origin} to its cors_origins.`);
  }

  const submitted = (event) => {
    event.preventDefault();
    look();
  };
  return html`
    <h3 class="part-title">CORS</h3>
    <form class="stack" novalidate onSubmit=${submitted}>
      <${Field} label="Server address" type="url" testid="probe-server" value=${address} problem=${problem}
        onInput=${({ currentTarget }) => setAddress(currentTarget.value)} />
      <p role="status" data-testid="probe-said">${said}</p>
      <div class="buttons"><${Button} testid="probe" onClick=${look}>Probe</><input type="submit" hidden /></div>
    </form>`;
}
