/* A field for longer words in which `@` offers people. */
import { askedAt, peopleFor, taken } from "../chat/complete.js";
import { PersonAvatar } from "../kit/controls.js";
import { html, useRef, useState } from "../kit/html.js";

function Offers({ id, offers, chosen, take }) {
  return html`<ul class="offers" id=${id} role="listbox" aria-label="People">${offers.map((offer, index) => html`<li key=${offer.key} id=${`${id}-${index}`} role="option" aria-selected=${String(index === chosen)} class="offer"
    onPointerDown=${(event) => { event.preventDefault(); take(offer); }}><${PersonAvatar} person=${offer.person} small /><span>${offer.label}</span><span class="hint">${offer.detail}</span></li>`)}</ul>`;
}

/** As a textarea; `write(text)` hears of each change, `send()` of Ctrl and Enter, `leave()` of Escape. `people()` are those whom `@` offers. */
export function MentionField({ id, label, testid, value, write, send, leave, people, ...others }) {
  const box = useRef(null);
  const [offered, setOffered] = useState(null); // {asked, offers, chosen}

  function offer() {
    const asked = askedAt(box.current.value, box.current.selectionStart);
    const offers = asked?.sign === "@" ? peopleFor(asked.word, people()) : [];
    setOffered(offers.length ? { asked, offers, chosen: 0 } : null);
  }

  function take(one) {
    const { text, caret } = taken(box.current.value, box.current.selectionStart, offered.asked, one);
    box.current.value = text;
    box.current.setSelectionRange(caret, caret);
    setOffered(null);
    write(text);
  }

  function onOfferKey(event) {
    const { offers, chosen } = offered;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setOffered({ ...offered, chosen: (chosen + step + offers.length) % offers.length });
    else if (event.key === "Enter" || event.key === "Tab") take(offers[chosen]);
    else if (event.key === "Escape") setOffered(null);
    else return false;
    event.preventDefault();
    return true;
  }

  function onKeyDown(event) {
    if (event.isComposing || (offered && onOfferKey(event))) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    else if (event.key === "Escape" && leave) {
      event.preventDefault();
      leave();
    }
  }

  return html`<div class="mention-field">
    ${offered && html`<${Offers} id=${`${id}-offers`} ...${offered} take=${take} />`}
    <textarea ref=${box} class="input" data-testid=${testid} aria-label=${label} placeholder=${label} dir="auto" data-kept value=${value}
      aria-controls=${offered ? `${id}-offers` : undefined} aria-activedescendant=${offered ? `${id}-offers-${offered.chosen}` : undefined}
      onInput=${(event) => { write(event.target.value); offer(); }} onBlur=${() => setOffered(null)} onKeyDown=${onKeyDown} ...${others}></textarea>
  </div>`;
}
