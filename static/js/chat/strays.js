/* Words for rooms that one is no longer in: nobody can send them any more, but they are still one's own. */
import { useScope } from "../app/scope.js";
import { Button } from "../kit/controls.js";
import { html, useState } from "../kit/html.js";
import { straysOf } from "../strays.js";

export function Strays() {
  const { store, kept, chat, follow } = useScope();
  const [, again] = useState(0);
  follow("rooms", "thread");
  const all = straysOf({ store, kept, discard: chat.discard });
  if (!all.length) return null;
  return html`<ul class="strays" data-testid="strays" aria-label="Not sent">${all.map(({ id, title, text, discard }) => html`<li key=${id} class="stray" data-testid="stray">
    <p class="problem">${title}</p><p class="stray-text">${text}</p><${Button} small onClick=${() => { discard(); again((count) => count + 1); }}>Discard</></li>`)}</ul>`;
}
