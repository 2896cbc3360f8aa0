/* Forms that remember: what is written into their fields is there again after a reload or another sign-in. */

const valuesOf = (fields) => Object.fromEntries(Object.entries(fields).map(([name, { input }]) => [name, input.value]));

const keeping = new WeakSet();
/** Whether what is written into a control is kept, so that its form may be closed without a question. */
export const isKept = (input) => keeping.has(input);

/** What differs between two sets of values. */
export const changed = (now, start) => Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== start[name]));

/** Fills the fields from `slot` and keeps in it what is written; `clear()` when it has been sent, or is given up. */
export function keepFields(fields, slot) {
  let start = valuesOf(fields);
  const kept = slot.get() ?? {};
  for (const [name, value] of Object.entries(kept)) if (fields[name]) fields[name].input.value = value;

  function save() {
    const now = changed(valuesOf(fields), start);
    slot.set(Object.keys(now).length ? now : null);
  }

  for (const { input } of Object.values(fields)) {
    keeping.add(input);
    input.addEventListener("input", save);
  }
  return {
    save,
    hasKept: Object.keys(kept).length > 0,
    /** What stands in the fields has been saved, and is what later changes are measured by. */
    saved() {
      start = valuesOf(fields);
      slot.set(null);
    },
    clear() {
      for (const [name, value] of Object.entries(start)) fields[name].input.value = value;
      slot.set(null);
    },
  };
}
