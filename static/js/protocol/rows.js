/*
 * Which rows of a long list need to be in the document. All are equally high,
 * but for the few that somebody has opened, whose heights are measured.
 */

const OVERSCAN_ROWS = 20;
const MIN_ROWS = 60; // a short log is there as a whole: for the browser's own search, and for tests

/**
 * @typedef {object} Layout
 * @property {number} count
 * @property {number} rowHeight
 * @property {Map<number, number>} taller how much higher than the others the opened ones are, by their index
 */

/**
 * How far below the top a row begins.
 * @param {Layout} layout
 * @param {number} index
 */
export function offsetOf({ rowHeight, taller }, index) {
  let offset = index * rowHeight;
  for (const [opened, extra] of taller) if (opened < index) offset += extra;
  return offset;
}

/** @param {Layout} layout */
export const heightOf = (layout) => offsetOf(layout, layout.count);

/**
 * The row at a place, counted from the top.
 * @param {Layout} layout
 * @param {number} top
 */
export function rowAt(layout, top) {
  let low = 0;
  let high = Math.max(0, layout.count - 1);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsetOf(layout, middle) <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The rows to render, `start` until before `end`, and the room that the others take.
 * @param {Layout} layout
 * @param {{top: number, height: number}} visible
 */
export function visibleRows(layout, { top, height }) {
  const first = rowAt(layout, top);
  const last = rowAt(layout, top + height);
  const end = Math.min(layout.count, Math.max(last + 1 + OVERSCAN_ROWS, Math.max(0, first - OVERSCAN_ROWS) + MIN_ROWS));
  const start = Math.max(0, Math.min(first - OVERSCAN_ROWS, end - MIN_ROWS));
  return { start, end, above: offsetOf(layout, start), below: heightOf(layout) - offsetOf(layout, end) };
}
