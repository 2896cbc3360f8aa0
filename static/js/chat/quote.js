/* What an answer shows of the message that it answers. */
import { go } from "../app/place.js";
import { html } from "../kit/html.js";
import { inLine } from "./shortcodes.js";

/** Its author and the beginning of its text. */
export const QuoteWords = ({ quote, nameOf, before = "" }) => html`<span class="quote-words"><span class="quote-author">${before}${quote.sender ? nameOf(quote.sender) : "Taskroom"}</span>
  ${" "}<span class="quote-text" dir="auto">${quote.is_deleted ? "This message was deleted" : inLine(quote.content)}</span></span>`;

/** Above the answer; it leads to the place. */
export function Quote({ quote, env }) {
  const address = `#room-${env.roomId}/${quote.id}`;

  function onClick(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (location.hash === address) env.show(quote.id);
    else go(address);
  }

  return html`<a class="quote" href=${address} tabindex="-1" data-testid="quote" data-quoted=${quote.id} onClick=${onClick}><${QuoteWords} quote=${quote} nameOf=${env.nameOf} /></a>`;
}
