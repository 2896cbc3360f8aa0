/* What a webhook has told, and what came of it; looked at again while anything waits. */
import { useScope } from "../app/scope.js";
import { exactTime, listTime } from "../format.js";
import { Button } from "../kit/controls.js";
import { html, useEffect, useState } from "../kit/html.js";
import { eventTitle, outcomeOf } from "./words.js";

const LOOK_AGAIN_MS = 1_000;
const LOOKS = 15;

export function Log({ path, version }) {
  const { call, say } = useScope();
  const [lines, setLines] = useState(null);
  const [again, setAgain] = useState(0);

  useEffect(() => {
    let timer = 0;
    let looks = 0;
    const look = () => call("GET", `${path}deliveries/`, { query: { page_size: 20 } }).then(({ results }) => {
      setLines(results);
      looks += 1;
      if (looks < LOOKS && results.some(({ state }) => state === "waiting")) timer = window.setTimeout(look, LOOK_AGAIN_MS);
    }, (error) => say(error.message));
    look();
    return () => window.clearTimeout(timer);
  }, [path, version, again]);

  const sendAgain = (id) => call("POST", `${path}deliveries/${id}/again/`, { json: {} }).then(() => setAgain(again + 1), (error) => say(error.message));
  if (!lines) return html`<p role="status">Loading the log…</p>`;
  if (!lines.length) return html`<p class="hint">Nothing was told yet.</p>`;
  return html`<ul class="people-list" aria-label="Log" data-testid="webhook-deliveries">${lines.map((line) => html`<li key=${line.id} class="people-row" data-testid="delivery" data-state=${line.state}>
    <span class="grow"><span>${eventTitle(line.event)}</span> <span class="hint">${outcomeOf(line)}</span></span>
    <time class="hint" datetime=${line.created_at} title=${exactTime(line.created_at)}>${listTime(line.created_at)}</time>
    ${line.state !== "waiting" && html`<${Button} small kind="quiet" testid="delivery-again" onClick=${() => sendAgain(line.id)}>Send again</>`}
  </li>`)}</ul>`;
}
