/* Emoji on a message: under it, and the box from which they are chosen. */
import { Icon } from "../kit/controls.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../kit/html.js";
import { emojiFor } from "./complete.js";

const COLUMNS = 8;
const MAX_SHOWN = 48;
const MAX_NAMED = 20;
const MARGIN = 8;

/** Who put an emoji there, oneself first: "You, Ann Schmidt and 3 more". */
export function peopleOf(ids, nameOfId, me) {
  const shown = [...ids.filter((id) => id === me), ...ids.filter((id) => id !== me)].slice(0, MAX_NAMED).map(nameOfId);
  const more = ids.length - shown.length;
  const last = more > 0 ? `${more} more` : shown.pop();
  return shown.length ? `${shown.join(", ")} and ${last}` : last;
}

/** The emoji on a message; each is a switch for one's own. */
export function Reactions({ message, env }) {
  function press(event, emoji, isLast) {
    if (isLast) event.currentTarget.closest("[data-testid=message]")?.focus(); // the switch is about to go
    env.actions.react(message, emoji);
  }

  return html`<div class="reactions" data-testid="reactions">${message.reactions.map(({ emoji, count, user_ids: ids }) => {
    const isMine = ids.includes(env.me.id);
    const words = `${emoji} ${count}: ${peopleOf(ids, env.nameOfId, env.me.id)}`;
    return html`<button key=${emoji} type="button" class="reaction" tabindex="-1" data-testid="reaction" data-emoji=${emoji} data-count=${count} aria-pressed=${String(isMine)} aria-label=${words} title=${words}
      onClick=${(event) => press(event, emoji, isMine && count === 1)}><span class="emoji">${emoji}</span><span>${count}</span></button>`;
  })}<button type="button" class="reaction add" tabindex="-1" data-testid="add-reaction" aria-label="Add an emoji" title="Add an emoji" onClick=${(event) => env.pick(message, event.currentTarget)}><${Icon} name="smile" /></button></div>`;
}

/** Beside its button, and inside the window. */
function place(box, anchor) {
  const [about, own] = [anchor.getBoundingClientRect(), box.getBoundingClientRect()];
  const above = about.top - own.height - 4;
  const top = above > MARGIN ? above : Math.min(about.bottom + 4, innerHeight - own.height - MARGIN);
  const left = Math.min(about.right - own.width, innerWidth - own.width - MARGIN);
  Object.assign(box.style, { top: `${Math.max(MARGIN, top)}px`, left: `${Math.max(MARGIN, left)}px` });
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };

/** A small box of emoji beside `anchor`: found by name, walked with the arrows; `choose(emoji)`, or `close()`. */
export function EmojiBox({ anchor, choose, close }) {
  const box = useRef(null);
  const [all, setAll] = useState([]);
  const [query, setQuery] = useState("");

  useEffect(() => { import("./emoji.js").then(({ EMOJI }) => setAll(EMOJI)); }, []);
  useLayoutEffect(() => {
    box.current.showPopover();
    box.current.querySelector("input").focus();
    const beside = (event) => { if (!box.current?.contains(event.target)) close(); };
    addEventListener("pointerdown", beside);
    return () => removeEventListener("pointerdown", beside);
  }, []);
  useLayoutEffect(() => place(box.current, anchor), [all]);

  const shown = query.trim() ? emojiFor(query.trim(), all, MAX_SHOWN).map(({ key }) => key) : all.slice(0, MAX_SHOWN).map(([emoji]) => emoji);
  const nameOf = (emoji) => all.find(([one]) => one === emoji)?.[1].split(" ")[0].replaceAll("_", " ");

  function onKey(event) {
    event.stopPropagation();
    const options = [...box.current.querySelectorAll(".emoji-option")];
    const here = options.indexOf(document.activeElement);
    const isInField = here < 0;
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && isInField && shown.length) choose(shown[0]);
    else if (STEPS[event.key] && !(isInField && event.key !== "ArrowDown")) {
      const next = isInField ? 0 : here + STEPS[event.key];
      (options[next] ?? box.current.querySelector("input")).focus();
    } else return;
    event.preventDefault();
  }

  return html`<div ref=${box} class="emoji-box" popover="manual" role="dialog" aria-label="Choose an emoji" data-testid="emoji-box" onKeyDown=${onKey}>
    <input class="input" type="search" placeholder="Find an emoji" aria-label="Find an emoji" data-testid="emoji-search" onInput=${(event) => setQuery(event.target.value)} />
    <div class="emoji-options">${shown.map((emoji, index) => html`<button key=${emoji} type="button" class="emoji-option" data-testid="emoji-option" data-emoji=${emoji} tabindex=${index ? -1 : 0} title=${nameOf(emoji)} aria-label=${nameOf(emoji)} onClick=${() => choose(emoji)}>${emoji}</button>`)}</div>
    ${all.length > 0 && !shown.length && html`<p class="hint">No emoji has that name.</p>`}
  </div>`;
}
