/*
 * The part of the log that is shown: what the filter lets through, as far as
 * the moment of a pause. It is brought up to date by what is new and what has
 * gone, so that a flood costs no look at what was there before.
 */
import { wants } from "./filter.js";

/**
 * @typedef {import("./entries.js").Entry} Entry
 * @typedef {import("./filter.js").Filter} Filter
 *
 * @typedef {object} View
 * @property {Filter} filter
 * @property {Entry[]} shown
 * @property {number} seenId the newest entry that has been looked at
 * @property {number | null} pausedAt the newest entry at the moment of a pause
 *
 * @typedef {object} Log what view.js needs of log.js
 * @property {number} oldestId
 * @property {number} newestId
 * @property {(id: number) => Entry[]} after
 */

/**
 * @param {Filter} filter
 * @returns {View}
 */
export const emptyView = (filter) => ({ filter, shown: [], seenId: 0, pausedAt: null });

/**
 * Drops what the log has dropped, and takes in what is new. While paused, what is shown stays.
 * @param {View} view
 * @param {Log} log
 * @returns {View}
 */
export function brought(view, log) {
  if (view.pausedAt !== null) return view;
  const oldest = log.oldestId;
  let gone = 0;
  while (gone < view.shown.length && view.shown[gone].id < oldest) gone += 1;
  const fresh = log.after(view.seenId).filter(wants(view.filter));
  if (!gone && !fresh.length) return { ...view, seenId: log.newestId };
  const kept = gone ? view.shown.slice(gone) : view.shown;
  return { ...view, shown: kept.concat(fresh), seenId: log.newestId };
}

/**
 * Looks at everything anew, through another filter. A pause stays where it was.
 * @param {View} view
 * @param {Log} log
 * @param {Filter} filter
 * @returns {View}
 */
export function refiltered(view, log, filter) {
  const { pausedAt } = view;
  const isIn = wants(filter);
  const shown = log.after(0).filter((entry) => (pausedAt === null || entry.id <= pausedAt) && isIn(entry));
  return { filter, shown, seenId: pausedAt ?? log.newestId, pausedAt };
}

/**
 * @param {View} view
 * @param {Log} log
 * @returns {View}
 */
export const paused = (view, log) => ({ ...brought(view, log), pausedAt: log.newestId });

/**
 * @param {View} view
 * @param {Log} log
 * @returns {View}
 */
export const resumed = (view, log) => brought({ ...view, pausedAt: null }, log);

/**
 * How many entries have come since a pause.
 * @param {View} view
 * @param {Log} log
 */
export const waiting = ({ pausedAt }, log) => (pausedAt === null ? 0 : log.newestId - pausedAt);
