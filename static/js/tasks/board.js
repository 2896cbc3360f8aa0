/*
 * The board: a column a status, a card a task. Cards move by drag (drag.js), and
 * with the keyboard: the arrows go from card to card, Space picks one up, the
 * arrows choose a column, Space puts it down; Shift and an arrow move it at once.
 */
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../kit/html.js";
import { isPhone } from "../kit/layout.js";
import { STATUSES, labelOf } from "../tasks.js";
import { Column } from "./column.js";
import { besideOf, cardSideways, cardUpright, isFolded } from "./columns.js";
import { dragCards } from "./drag.js";
import { dueChip } from "./due.js";
import { wordsOf } from "./engine.js";
import { isColumnWanted } from "./filters.js";
import { moveTask, offerUndo } from "./move.js";

const SIDEWAYS = { ArrowLeft: -1, ArrowRight: 1 };
const UPRIGHT = { ArrowUp: -1, ArrowDown: 1, k: -1, j: 1 };
const ALL = STATUSES.map(({ id }) => id);
const nameOf = (status) => labelOf(STATUSES, status);

/** What the board remembers between two renderings: `wanted` shall have the focus once it is there. */
function useBoardState() {
  const [held, setHeld] = useState(null); // {id, status}: picked up with the keyboard
  const [over, setOver] = useState(null); // the column that a dragged card would land in
  const [home, setHome] = useState(null); // the one card that Tab stops at
  const [refusals, setRefusals] = useState(new Map()); // task id -> why it did not move
  const [heard, setHeard] = useState("");
  const memory = useRef({ wanted: null, held: null });
  memory.current.held = held;
  const refuse = (id, words) => setRefusals((now) => {
    const next = new Map(now);
    if (words) next.set(id, words);
    else next.delete(id);
    return next;
  });
  return { held, setHeld, over, setOver, home, setHome, refusals, refuse, heard, setHeard, memory: memory.current };
}

/** What can be done with a card, and where the keys lead. */
function cardActions({ tasks, board, columns, open, say, focus }) {
  const { memory, setHeld, setHeard, setOver } = board;

  function letGo(words) {
    if (!memory.held) return;
    setHeld(null);
    setOver(null);
    if (words) setHeard(words);
  }

  async function move(task, status) {
    if (task.status === status) return;
    memory.wanted = task.id;
    board.refuse(task.id, "");
    try {
      const hasMoved = await moveTask({ tasks, task, status });
      const now = tasks.state.known.get(task.id);
      if (now) setHeard(`${task.title} is in ${nameOf(now.status)}.`);
      if (hasMoved) offerUndo({ tasks, task, say });
    } catch (error) {
      board.refuse(task.id, `Not moved. ${wordsOf(error)}`);
    }
    memory.wanted = task.id;
    setTimeout(() => {
      focus(task.id);
      memory.wanted = null;
    }, 60); // after the change has been shown
  }

  function carry(status) {
    setHeld({ id: memory.held.id, status });
    setOver(status);
    setHeard(`Over ${nameOf(status)}.`);
  }

  function pickUp(task) {
    setHeld({ id: task.id, status: task.status });
    setOver(task.status);
    setHeard(`${task.title} picked up. It is in ${nameOf(task.status)}.`);
  }

  function putDown(task) {
    const { status } = memory.held;
    letGo();
    move(task, status);
  }

  function pressed(event, task) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = SIDEWAYS[event.key];
    const { held } = memory;
    if (event.key === "Enter" && !held) open(task.id);
    else if (event.key === " " || (event.key === "Enter" && held)) (held ? putDown : pickUp)(task);
    else if (event.key === "Escape" && held) letGo(`${task.title} stays in ${nameOf(task.status)}.`);
    else if (step && held) carry(besideOf(ALL, held.status, step));
    else if (step && event.shiftKey) move(task, besideOf(ALL, task.status, step));
    else if (step) focus(cardSideways(columns, task.id, step));
    else if (UPRIGHT[event.key] && !held) focus(cardUpright(columns, task.id, UPRIGHT[event.key]));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return {
    open, pressed, move,
    focused(id) {
      if (id !== memory.wanted) memory.wanted = null; // whoever goes elsewhere meanwhile stays there
      board.setHome(id);
    },
    blurred() { if (memory.wanted === null) letGo(); },
  };
}

/** The columns' cards, made anew only when something about them has changed. */
function useCards({ tasks, board: { home: wanted, held, refusals }, directory }) {
  const { state } = tasks;
  return useMemo(() => {
    const statuses = STATUSES.filter(({ id }) => isColumnWanted(state.filters, id));
    const lists = statuses.map(({ id }) => tasks.inColumn(id));
    const isThere = lists.some((list) => list.some(({ id }) => id === wanted));
    const home = isThere ? wanted : lists.find((list) => list.length)?.[0].id;
    const spaces = new Map(state.workspaces.map(({ id, name }) => [id, name]));
    const cardOf = (task) => ({
      task, due: dueChip(task), people: task.assigned_to.map((one) => directory.person(one)), space: spaces.get(task.workspace) ?? "",
      isHome: task.id === home, isOpen: task.id === state.openId, isCarried: held?.id === task.id, problem: refusals.get(task.id) ?? "",
    });
    return statuses.map((status, index) => ({ ...status, ids: lists[index].map(({ id }) => id), cards: lists[index].map(cardOf) }));
  }, [tasks.changes.value, directory.changes.value, wanted, held, refusals, state.openId]);
}

/** The columns as they are shown. */
function columnsOf(lists, { tasks, over, chosen, isNarrow }) {
  const { state } = tasks;
  const isBlank = state.status !== "ready" || STATUSES.every(({ id }) => !tasks.countOf(id));
  return lists.map((list) => {
    const count = tasks.countOf(list.id);
    const folds = state.filters.status ? { [list.id]: false } : chosen;
    return {
      ...list, count, isBlank,
      hasMore: Boolean(state.columns.get(list.id)?.hasMore),
      isFolded: isFolded({ id: list.id, count, chosen: folds, isPhone: isNarrow }),
      isOver: over === list.id,
    };
  });
}

function useDrag(element, { tasks, setOver, actions }) {
  useEffect(() => {
    dragCards(element.current, {
      point: setOver,
      drop(id, status) {
        const task = tasks.state.known.get(id);
        if (task) actions.move(task, status);
      },
    });
  }, []);
}

/** The same functions in every rendering, which do what the latest would: cards are not rendered again for them. */
function useStable(latest) {
  const current = useRef(latest);
  current.current = latest;
  return useMemo(() => Object.fromEntries(Object.keys(latest).map((name) => [name, (...given) => current.current[name](...given)])), []);
}

/** `open(id)` shows a task, `handle` receives focus(id). */
export function Board({ tasks, scope, open, handle }) {
  const element = useRef(null);
  const board = useBoardState();
  const slot = tasks.kept.slot("folded-columns");
  const [chosen, setChosen] = useState(slot.get() ?? {});
  const lists = useCards({ tasks, board, directory: scope.directory });
  const columns = columnsOf(lists, { tasks, over: board.over, chosen, isNarrow: isPhone.value });

  const cardOf = (id) => element.current?.querySelector(`.task-card[data-task-id="${id}"]`);
  const focus = (id) => (cardOf(id) ?? element.current?.querySelector(".task-card[tabindex='0']"))?.focus();
  const actions = useStable({ ...cardActions({ tasks, board, columns, open, say: scope.say, focus: (id) => id && cardOf(id)?.focus() }), fold });

  function fold(id, isNow) {
    const next = { ...chosen, [id]: isNow };
    setChosen(next);
    slot.set(next);
  }

  handle.current = { focus };
  useDrag(element, { tasks, setOver: board.setOver, actions });

  /* A card that moves to another column is made anew there: it keeps the focus. */
  const at = /** @type {HTMLElement | null} */ (document.activeElement);
  const held = board.memory.wanted ?? (element.current?.contains(at) ? Number(at.dataset.taskId) || null : null);
  useLayoutEffect(() => {
    const card = held && cardOf(held);
    if (card && document.activeElement !== card && !document.querySelector("dialog[open]") && (board.memory.wanted || document.activeElement === document.body)) card.focus();
  });

  useLayoutEffect(() => {
    if (board.held) element.current.querySelector(".column[data-over]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [board.over]);

  return html`<div ref=${element} class="board" data-testid="board" role="group" aria-label="Board">
    <p class="only-heard" id="board-help">The arrows go from card to card, Enter opens a task. Space picks it up, the left and right arrows choose a column, Space puts it down, Escape leaves it where it was. Shift and an arrow move it at once.</p>
    <p class="only-heard" role="status" data-testid="board-heard">${board.heard}</p>
    ${columns.map((column) => html`<${Column} key=${column.id} column=${column} tasks=${tasks} actions=${actions} />`)}
  </div>`;
}
