/* How a due date reads on a chip. Values in, values out. */

const weekday = new Intl.DateTimeFormat("en", { weekday: "short" });
const ENDED = ["done", "cancelled"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_MS = 86_400_000;

const midnight = (time) => new Date(time.getFullYear(), time.getMonth(), time.getDate());

/** "12 Dec", with the year where it is another one. */
export function dayWords(iso, now = new Date()) {
  const day = new Date(iso);
  const words = `${day.getDate()} ${MONTHS[day.getMonth()]}`;
  return day.getFullYear() === now.getFullYear() ? words : `${words} ${day.getFullYear()}`;
}

/** {words, kind}: Overdue, Today, Tomorrow, a weekday within the week, or the date; null without a due date. */
export function dueChip({ due_date: iso, status }, now = new Date()) {
  if (!iso) return null;
  const day = new Date(iso);
  if (ENDED.includes(status)) return { words: dayWords(iso, now), kind: "ended" };
  if (day < now) return { words: "Overdue", kind: "late" };
  const days = Math.round((midnight(day).getTime() - midnight(now).getTime()) / DAY_MS);
  if (days === 0) return { words: "Today", kind: "today" };
  if (days === 1) return { words: "Tomorrow", kind: "soon" };
  return { words: days < 7 ? weekday.format(day) : dayWords(iso, now), kind: days < 7 ? "soon" : "later" };
}

const two = (number) => String(number).padStart(2, "0");

/** A moment as the browser's own field for dates takes it: local, to the minute. */
export function toField(iso) {
  if (!iso) return "";
  const at = new Date(iso);
  const year = String(at.getFullYear()).padStart(4, "0");
  return `${year}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

export const fromField = (text) => (text ? new Date(text).toISOString() : null);
