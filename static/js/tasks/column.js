/* A column of the board: its head with a count and a quick way to add, its cards, and what is left to read. */
import { Button } from "../kit/controls.js";
import { html, memo, useEffect, useRef, useState } from "../kit/html.js";
import { Card } from "./card.js";
import { windowOf } from "./columns.js";
import { wordsOf } from "./engine.js";
import { givenBy } from "./filters.js";

/** Title and Enter: what is written stays until it is made. */
function QuickAdd({ status, label, tasks, close }) {
  const slot = tasks.kept.slot(`quick-add-${status}`);
  const [title, setTitle] = useState(slot.get()?.title ?? "");
  const [problem, setProblem] = useState("");
  const input = useRef(null);
  useEffect(() => input.current.focus(), []);

  function write(event) {
    setTitle(event.target.value);
    slot.set(event.target.value ? { title: event.target.value } : null);
  }

  async function make(event) {
    event.preventDefault();
    const sent = title.trim();
    if (!sent) return;
    setProblem("");
    try {
      await tasks.create({ title: sent, status, ...givenBy(tasks.state.filters, tasks.may.manage()) });
      slot.set(null);
      setTitle("");
    } catch (error) {
      setProblem(wordsOf(error));
    }
  }

  function onKeyDown(event) {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  }

  return html`<form class="quick-add" onSubmit=${make}>
    <input class="input" data-testid="quick-add" aria-label=${`New task in ${label}`} placeholder="Title, then Enter" maxlength="255" dir="auto" autocomplete="off" data-kept
      ref=${input} value=${title} onInput=${write} onKeyDown=${onKeyDown} />
    <p class="problem" role="alert">${problem}</p>
  </form>`;
}

function More({ id, left, tasks }) {
  const [problem, setProblem] = useState("");
  const read = () => {
    setProblem("");
    return tasks.more(id).catch((error) => setProblem(wordsOf(error)));
  };
  return html`<div class="column-foot"><p class="problem" role="alert">${problem}</p><${Button} small testid="column-more" onClick=${read}>${`Show more (${left})`}</></div>`;
}

function Content({ column, tasks, actions }) {
  const { id, label, cards, count, hasMore, isFolded, isOver, isBlank } = column;
  const list = useRef(null);
  const [seen, setSeen] = useState([0, 20]);
  const [isAdding, setAdding] = useState(false);

  function onScroll() {
    const [first, last] = windowOf(list.current.scrollTop, list.current.clientHeight);
    if (first !== seen[0] || last !== seen[1]) setSeen([first, last]);
  }

  return html`<section class="column" data-testid="task-column" data-status=${id} data-folded=${isFolded ? "true" : undefined} data-over=${isOver ? "true" : undefined} aria-label=${label}>
    <header class="column-head">
      <h3 class="column-title"><button type="button" class="column-fold" data-testid="column-fold" aria-expanded=${String(!isFolded)} title=${isFolded ? "Unfold" : "Fold"} onClick=${() => actions.fold(id, !isFolded)}><span class="column-dot" aria-hidden="true"></span><span>${label}</span></button></h3>
      <span class="hint count" data-testid="column-count">${String(count)}</span>
      ${!isFolded && html`<${Button} small kind="quiet" icon="add" label=${`New task in ${label}`} testid="column-add" aria-expanded=${String(isAdding)} onClick=${() => setAdding(!isAdding)} />`}
    </header>
    ${isAdding && !isFolded && html`<${QuickAdd} status=${id} label=${label} tasks=${tasks} close=${() => setAdding(false)} />`}
    <ul ref=${list} class="cards scroll" aria-label=${label} onScroll=${onScroll}>
      ${cards.map((card, index) => html`<li key=${card.task.id}><${Card} card=${index >= seen[0] && index < seen[1] ? { ...card, isWhole: true } : card} actions=${actions} /></li>`)}
    </ul>
    ${!isBlank && !cards.length && !isFolded && html`<p class="hint column-empty">Nothing here.</p>`}
    ${hasMore && !isFolded && html`<${More} id=${id} left=${count - cards.length} tasks=${tasks} />`}
  </section>`;
}

const SHOWN = ["cards", "count", "hasMore", "isFolded", "isOver", "isBlank"];
const isSame = (before, now) => SHOWN.every((name) => before.column[name] === now.column[name]);

/**
 * `column` -> {id, label, cards, count, hasMore, isFolded, isOver, isBlank}; `actions` are those of the cards, and
 * fold(id, isFolded): they are the same in every rendering.
 */
export const Column = memo((props) => html`<${Content} ...${props} />`, isSame);
