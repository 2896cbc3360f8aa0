/* Posts an event by hand, of any of the three kinds that OneTask has, and shows what the server answers. */
import { Button, Field } from "../../kit/controls.js";
import { html, useState } from "../../kit/html.js";
import { KINDS, bodyOf } from "../eventkinds.js";

const PATH = "/api/v1/realtime/events/";
const ALL = Object.keys(KINDS).map((id) => ({ id, label: id }));

/** @param {{bench: any}} props */
export function EventForm({ bench }) {
  const [kind, setKind] = useState("task");
  const [texts, setTexts] = useState(/** @type {Record<string, string>} */ ({}));
  const [problems, setProblems] = useState(/** @type {Record<string, string>} */ ({}));
  const [answer, setAnswer] = useState(/** @type {{value: any, isGood: boolean} | null} */ (null));

  async function send() {
    const { json, problems: wrong } = bodyOf(kind, texts);
    setProblems(wrong);
    if (Object.keys(wrong).length) return;
    try {
      setAnswer({ value: await bench.call("POST", `${PATH}${kind}`, { json }), isGood: true });
    } catch (thrown) {
      const error = (thrown);
      setProblems(Object.fromEntries(Object.entries(error.fields ?? {}).map(([name, words]) => [name, words.join(" ")])));
      setAnswer({ value: { status: error.status, ...(error.fields ?? { detail: error.message, code: error.code ?? undefined }) }, isGood: false });
    }
  }

  const submitted = (event) => {
    event.preventDefault();
    send();
  };
  const fieldOf = ([name, { read: _read, initial, ...about }]) => html`
    <${Field} key=${`${kind}-${name}`} testid=${`event-${kind}-${name}`} problem=${problems[name]} ...${about} value=${texts[name] ?? initial ?? ""}
      onInput=${({ currentTarget }) => setTexts((now) => ({ ...now, [name]: currentTarget.value }))} />`;
  return html`
    <form class="stack" novalidate onSubmit=${submitted}>
      <${Field} label="Kind of event" testid="event-kind" control="select" options=${ALL} value=${kind}
        onChange=${({ currentTarget }) => { setKind(currentTarget.value); setProblems({}); }} />
      ${Object.entries(KINDS[kind]).map(fieldOf)}
      <div class="buttons"><${Button} kind="primary" testid="event-send" onClick=${send}>Send event</><input type="submit" hidden /></div>
      ${answer && html`<pre class="answer" data-testid="event-answer" data-good=${String(answer.isGood)} role="status" tabindex="0" aria-label="Answer">${JSON.stringify(answer.value, null, 2)}</pre>`}
    </form>`;
}
