/*
 * Cards under a pointer. A mouse drags at once; a finger after a short press,
 * so that a swipe still scrolls. Near an edge the board scrolls by itself, and
 * Escape leaves the card where it was.
 */

const SLIP_PX = 6;
const PRESS_MS = 300;
const EDGE_PX = 48;
const STEP_PX = 12;

/** `point(status)` shows where the card would land (null: nowhere), `drop(id, status)` puts it there. */
export function dragCards(board, { point, drop }) {
  let held = null; // what a pointer is down on: {card, pointerId, x, y, pressing, ghost}

  const columnAt = (x, y) => document.elementFromPoint(x, y)?.closest(".column");

  function press(event) {
    const card = event.target.closest(".task-card");
    if (!card || event.button !== 0 || !event.isPrimary) return;
    if (held) end(); // its end has not been seen, outside of the board
    const { pointerId, clientX: x, clientY: y, pointerType } = event;
    const byMouse = pointerType === "mouse";
    held = { card, pointerId, x, y, byMouse, startX: x, startY: y, pressing: byMouse ? 0 : setTimeout(lift, PRESS_MS) };
    addEventListener("keydown", escape, true);
  }

  function lift() {
    const { card, pointerId } = held;
    if (!card.isConnected) return end();
    const { left, top, width } = card.getBoundingClientRect();
    const ghost = card.cloneNode(true);
    ghost.classList.add("ghost");
    ghost.setAttribute("aria-hidden", "true");
    delete ghost.dataset.testid;
    Object.assign(ghost.style, { left: `${left}px`, top: `${top}px`, width: `${width}px` });
    document.body.append(ghost);
    card.setPointerCapture(pointerId);
    card.dataset.dragged = "true";
    board.dataset.dragging = "true";
    held.ghost = ghost;
    follow();
    requestAnimationFrame(scroll);
  }

  function move(event) {
    if (event.pointerId !== held?.pointerId) return;
    Object.assign(held, { x: event.clientX, y: event.clientY });
    if (!event.buttons) return end();
    const hasSlipped = Math.hypot(held.x - held.startX, held.y - held.startY) > SLIP_PX;
    if (held.ghost) follow();
    else if (hasSlipped && held.byMouse) lift();
    else if (hasSlipped) end();
  }

  function follow() {
    held.ghost.style.transform = `translate(${held.x - held.startX}px, ${held.y - held.startY}px)`;
    point(columnAt(held.x, held.y)?.dataset.status ?? null);
  }

  /** How far to scroll in one frame: the nearer to the start or the end, the farther. */
  function pull(at, start, end) {
    const depth = Math.max(0, at - end + EDGE_PX) - Math.max(0, start + EDGE_PX - at);
    return Math.round(STEP_PX * Math.max(-1, Math.min(1, depth / EDGE_PX)));
  }

  function scroll() {
    if (!held?.ghost) return;
    if (!board.isConnected) return end();
    const { left, right } = board.getBoundingClientRect();
    board.scrollLeft += pull(held.x, left, right);
    const list = columnAt(held.x, held.y)?.querySelector(".cards");
    if (list) {
      const { top, bottom } = list.getBoundingClientRect();
      list.scrollTop += pull(held.y, top, bottom);
    }
    follow();
    requestAnimationFrame(scroll);
  }

  function release(event) {
    if (event.pointerId !== held?.pointerId) return;
    const { card, ghost, x, y } = held;
    end();
    if (!ghost) return;
    swallowClick();
    const status = columnAt(x, y)?.dataset.status;
    if (status) drop(Number(card.dataset.taskId), status);
  }

  /** What ends a drag is no click on the card. */
  function swallowClick() {
    const swallow = (event) => event.stopPropagation();
    board.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => board.removeEventListener("click", swallow, { capture: true }));
  }

  function end() {
    const { pressing, ghost, card } = held;
    clearTimeout(pressing);
    removeEventListener("keydown", escape, true);
    held = null;
    if (!ghost) return;
    ghost.remove();
    delete card.dataset.dragged;
    delete board.dataset.dragging;
    point(null);
  }

  function cancel(event) {
    if (event.pointerId === held?.pointerId) end();
  }

  function escape(event) {
    if (event.key !== "Escape" || !held.ghost) return;
    event.stopPropagation();
    addEventListener("pointerup", swallowClick, { capture: true, once: true });
    end();
  }

  const still = (event) => { if (held?.ghost) event.preventDefault(); };

  board.addEventListener("pointerdown", press);
  board.addEventListener("pointermove", move);
  board.addEventListener("pointerup", release);
  board.addEventListener("pointercancel", cancel);
  /* Once a card is lifted, the finger no longer scrolls; a long press is no context menu; a picture is no file. */
  board.addEventListener("touchmove", still, { passive: false });
  board.addEventListener("contextmenu", (event) => { if (held && !held.byMouse) event.preventDefault(); });
  board.addEventListener("dragstart", (event) => event.preventDefault());}
