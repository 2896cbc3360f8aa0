/*
 * Which of many messages are on the page: a window that moves with the reader,
 * so that a room of any length costs the same. Values in, values out.
 */

/** Rows on the page at most, rows to add at an edge, and how near an edge may come to the view. */
export const MAX_ROWS = 120;
export const STEP = 30;
export const NEAR_PX = 500;
const AT_END_ROWS = 60;

/** The place of a message among all, by its number; where it would stand if it is gone. */
export function placeOfId(messages, id) {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle].id ?? Infinity) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The window for whoever is at the end: it grows with what arrives, and is cut when it has become large. */
export function windowAtEnd({ start, end }, length) {
  const isFar = end < length - MAX_ROWS || length - start > MAX_ROWS || start >= length;
  return { start: isFar ? Math.max(0, length - AT_END_ROWS) : start, end: length };
}

/** The same messages as before, after others were put in front of them or taken away. */
export function windowKept({ start, end }, firstId, messages) {
  const now = firstId ? placeOfId(messages, firstId) : start;
  return { start: Math.min(now, messages.length), end: Math.min(messages.length, now + (end - start)) };
}

/** The window after a scroll; `above` and `below` are the pixels of rows beyond the view's edges. */
export function windowMoved({ start, end }, length, { above, below }) {
  if (above < NEAR_PX && above <= below && start > 0) {
    const from = Math.max(0, start - STEP);
    return { start: from, end: Math.min(end, from + MAX_ROWS) };
  }
  if (below < NEAR_PX && below < above && end < length) {
    const to = Math.min(length, end + STEP);
    return { start: Math.max(start, to - MAX_ROWS), end: to };
  }
  return { start, end };
}

/** The window around one message. */
export function windowAround(index, length) {
  const start = Math.max(0, Math.min(index - STEP, length - MAX_ROWS));
  return { start, end: Math.min(length, start + MAX_ROWS) };
}
