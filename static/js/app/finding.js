/* What one box finds: rooms, people, places and commands by their names. Values in, values out. */

const MAX_OF_KIND = 6;

/** How well a name fits: 0 begins with it, 1 a word of it does, 2 it is in it, 3 not at all. */
export function fit(name, wanted) {
  const text = name.toLowerCase();
  if (!wanted || text.startsWith(wanted)) return 0;
  if (text.split(/[\s@._-]+/).some((word) => word.startsWith(wanted))) return 1;
  return text.includes(wanted) ? 2 : 3;
}

/** The entries that fit, the best first and of each kind not too many; an entry is {kind, label, detail, …}. */
export function found(entries, query) {
  const wanted = query.trim().toLowerCase().replace(/^@/, "");
  const taken = new Map();
  return entries
    .map((entry, index) => ({ entry, index, fit: Math.min(fit(entry.label, wanted), entry.detail ? fit(entry.detail.replace(/^@/, ""), wanted) : 3) }))
    .filter((one) => one.fit < 3)
    .sort((a, b) => a.fit - b.fit || a.index - b.index)
    .filter(({ entry }) => {
      taken.set(entry.kind, (taken.get(entry.kind) ?? 0) + 1);
      return taken.get(entry.kind) <= MAX_OF_KIND;
    })
    .map(({ entry }) => entry);
}

/** The number of a task that somebody has written, with or without its sign; null where it is none. */
export function taskNumber(query) {
  const [, id] = query.trim().match(/^#?([1-9]\d{0,11})$/) ?? [];
  return id ? Number(id) : null;
}
