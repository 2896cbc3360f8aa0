/* The board without its markup: which columns are folded, where the arrows lead, which cards are near enough to be shown whole. */
export const CARD_PX = 66; // a card with the space below it
const SPARE = 8; // cards beyond what is seen
const STEP = 4; // cards that are scrolled by before others are shown whole
const ENDED = ["done", "cancelled"];

/**
 * Empty columns are folded, and those of what is finished, unless somebody has chosen otherwise: `chosen` is
 * {status: isFolded}. A phone shows a column at a time, and folds none.
 */
export function isFolded({ id, count, chosen, isPhone }) {
  if (isPhone) return false;
  return chosen[id] ?? (count === 0 || ENDED.includes(id));
}

/** The status `step` further on; the last one stays. */
export function besideOf(statuses, status, step) {
  return statuses[Math.min(statuses.length - 1, Math.max(0, statuses.indexOf(status) + step))];
}

/** `columns` are [{id, ids}] of what is shown. The card above or below; null at the end. */
export function cardUpright(columns, id, step) {
  const ids = columns.find((column) => column.ids.includes(id))?.ids ?? [];
  return ids[ids.indexOf(id) + step] ?? null;
}

/** The card at the same height in the next column that has any; null where there is none. */
export function cardSideways(columns, id, step) {
  const at = columns.findIndex((column) => column.ids.includes(id));
  if (at < 0) return null;
  const row = columns[at].ids.indexOf(id);
  for (let next = at + step; columns[next]; next += step) {
    const { ids } = columns[next];
    if (ids.length) return ids[Math.min(row, ids.length - 1)];
  }
  return null;
}

/** Which cards are shown whole: [first, last) of a column that is scrolled to `top`; the others are their titles only. */
export function windowOf(top, height) {
  const first = Math.floor(top / CARD_PX / STEP) * STEP;
  const last = Math.ceil((top + height) / CARD_PX / STEP) * STEP;
  return [Math.max(0, first - SPARE), last + SPARE];
}
