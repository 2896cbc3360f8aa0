/* Where one writes: text, files by button, drop or paste, and the editing of a sent message. */
import { size } from "../format.js";
import { Button, Icon, PersonAvatar } from "../kit/controls.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../kit/html.js";
import { askedAt, emojiFor, outsiderWords, peopleFor, taken, withEmoji } from "./complete.js";
import { createDrafting } from "./drafting.js";
import { QuoteWords } from "./quote.js";

/* On a phone there is no Shift: there Enter makes a line, and the button sends. */
const touch = matchMedia("(pointer: coarse)");
const growsAlone = CSS.supports("field-sizing", "content");

let emoji = [];
const loadEmoji = () => import("./emoji.js").then(({ EMOJI }) => { emoji = EMOJI; });

/** As tall as its text, up to the limit in the style sheet; what is not shown has no height to measure. */
function fit(box) {
  if (growsAlone) return;
  box.style.height = "auto";
  if (box.scrollHeight) box.style.height = `${box.scrollHeight}px`;
}

function Offers({ offers, chosen, take }) {
  return html`<ul class="offers" id="offers" role="listbox" aria-label="Suggestions" data-testid="offers">${offers.map((offer, index) => html`<li key=${offer.key} id=${`offer-${index}`} role="option" aria-selected=${String(index === chosen)} class="offer"
    onPointerDown=${(event) => { event.preventDefault(); take(offer); }}>
    ${offer.person && html`<${PersonAvatar} person=${offer.person} small />`}<span>${offer.label}</span><span class="hint">${offer.detail}</span></li>`)}</ul>`;
}

function Files({ drafting }) {
  const files = drafting.files.value;
  if (!files.length) return null;
  return html`<ul class="chips" aria-label="Files to send">${files.map((file, index) => html`<li key=${`${file.name} ${index}`} class="chip"><${Icon} name="file" />
    <span class="file-name">${file.name}</span><span class="file-size">${size(file.size)}</span><${Button} small kind="quiet" icon="close" label=${`Remove ${file.name}`} onClick=${() => drafting.dropFile(file)} /></li>`)}</ul>`;
}

/** What the draft answers. */
const AnswerBar = ({ quote, nameOf, stop }) => html`<div class="answer-bar" data-testid="answering"><${QuoteWords} quote=${quote} nameOf=${nameOf} before="Answer to " />
  <${Button} small kind="quiet" icon="close" label="Do not answer this message" testid="stop-answering" onClick=${stop} /></div>`;

function Bars({ drafting, nameOf }) {
  const { refusal, editing, answering } = drafting;
  return html`
    ${answering.value && !editing.value && html`<${AnswerBar} quote=${answering.value} nameOf=${nameOf} stop=${drafting.stopAnswering} />`}
    ${editing.value && html`<div class="edit-bar"><span>Editing your message</span><${Button} small kind="quiet" icon="close" label="Stop editing" onClick=${drafting.stopEditing} /></div>`}
    <div class="refusal" role="alert" data-testid="composer-refusal" hidden=${!refusal.value}><span>${refusal.value?.words}</span>
      <${Button} small testid="send-as-file" hidden=${!refusal.value?.mayBeFile} onClick=${drafting.sendAsFile}>Send it as a file</></div>`;
}

/** `people()` are those whom `@` offers, `outsiders(text)` the names of those whom it mentions and who are not in the room; `quoted(id)` is the quote of a message that is here; `handle` receives what others may ask of the composer. */
export function Composer({ roomId, roomName, kept, say, actions, people, outsiders, nameOf, quoted, handle }) {
  const box = useRef(null);
  const picker = useRef(null);
  const [offered, setOffered] = useState(null); // {asked, offers, chosen}
  const [unheard, setUnheard] = useState("");
  const drafting = useMemo(() => createDrafting({ kept, say, actions, box: () => box.current }), []);

  useLayoutEffect(() => {
    box.current.addEventListener("filled", () => {
      fit(box.current);
      setUnheard(outsiderWords(outsiders(box.current.value)));
    });
    handle.current = { ...drafting, focus: () => box.current?.focus() };
    return () => { handle.current = null; };
  }, []);
  useLayoutEffect(() => { drafting.setRoom(roomId); }, [roomId]);
  useEffect(() => () => drafting.save(), []);
  useEffect(() => drafting.refreshAnswer(quoted));

  function offer() {
    const { value, selectionStart } = box.current;
    const asked = askedAt(value, selectionStart);
    if (!asked) return offered && setOffered(null);
    if (asked.sign === ":" && !emoji.length) return void loadEmoji().then(offer);
    const offers = asked.sign === "@" ? peopleFor(asked.word, people()) : emojiFor(asked.word, emoji);
    return setOffered(offers.length ? { asked, offers, chosen: 0 } : null);
  }

  function put({ text, caret }) {
    box.current.value = text;
    box.current.setSelectionRange(caret, caret);
  }

  function take(one) {
    put(taken(box.current.value, box.current.selectionStart, offered.asked, one));
    setOffered(null);
    onInput();
  }

  function onInput(event) {
    const element = box.current;
    if (event?.data === ":" && emoji.length) {
      const changed = withEmoji(element.value, element.selectionStart, emoji);
      if (changed) put(changed);
    }
    fit(element);
    drafting.written();
    setUnheard(outsiderWords(outsiders(element.value)));
    if (event) offer();
    if (element.value.trim() && !drafting.editing.value) actions.typing();
    else actions.stopTyping();
  }

  function onOfferKey(event) {
    const { offers, chosen } = offered;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setOffered({ ...offered, chosen: (chosen + step + offers.length) % offers.length });
    else if (event.key === "Enter" || event.key === "Tab") take(offers[chosen]);
    else if (event.key === "Escape") setOffered(null);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  function onKeyDown(event) {
    if (event.isComposing || (offered && onOfferKey(event))) return;
    const asksToSend = event.ctrlKey || event.metaKey || (!event.shiftKey && !touch.matches);
    if (event.key === "Enter" && asksToSend) {
      event.preventDefault();
      drafting.submit();
    } else if (event.key === "Escape" && drafting.editing.value) {
      event.preventDefault();
      drafting.stopEditing();
    } else if (event.key === "Escape" && drafting.answering.value) {
      event.preventDefault();
      drafting.stopAnswering();
    } else if (event.key === "ArrowUp" && !box.current.value && !drafting.editing.value) {
      const message = actions.lastOwn();
      if (!message) return;
      event.preventDefault();
      drafting.edit(message);
    }
  }

  function onPaste(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    drafting.addFiles(event.clipboardData.files);
  }

  function submit(event) {
    event.preventDefault();
    drafting.submit();
  }

  function onPicked() {
    drafting.addFiles(picker.current.files);
    picker.current.value = "";
  }

  return html`<form class="composer" onSubmit=${submit}>
    <p class="hint unheard" role="status" data-testid="mention-hint" hidden=${!unheard}>${unheard}</p>
    <${Bars} drafting=${drafting} nameOf=${nameOf} /><${Files} drafting=${drafting} />
    ${offered && html`<${Offers} ...${offered} take=${take} />`}
    <div class="composer-row">
      <textarea ref=${box} class="composer-text" rows="1" dir="auto" data-testid="composer" placeholder=${`Write to ${roomName}`} aria-label="Message" enterkeyhint=${touch.matches ? "enter" : "send"}
        aria-controls=${offered ? "offers" : undefined} aria-activedescendant=${offered ? `offer-${offered.chosen}` : undefined}
        onInput=${onInput} onKeyDown=${onKeyDown} onPaste=${onPaste} onBlur=${() => { setOffered(null); actions.stopTyping(); }}></textarea>
      <label class="button quiet icon-only attach" title="Attach files"><input ref=${picker} type="file" multiple class="only-heard" data-testid="attach" aria-label="Attach files" onChange=${onPicked} /><${Icon} name="attach" /></label>
      <${Button} kind="primary" type="submit" icon="send" label="Send" testid="send" />
    </div>
  </form>`;
}
