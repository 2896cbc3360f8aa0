/* How times, days, sizes and names read on the page. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const shortDate = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });
const shortTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const timeOfDay = (iso) => clock.format(new Date(iso));
export const shortDay = (iso) => shortDate.format(new Date(iso));
export const moment = (at) => shortTime.format(at);
export const exactTime = (iso) => fullTime.format(new Date(iso));

/** Hours to milliseconds, as an inspector needs them. */
export function preciseTime(ms) {
  const time = new Date(ms);
  const two = (n) => String(n).padStart(2, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

export const dayKey = (iso) => new Date(iso).toDateString();

function daysAgo(day, now) {
  const midnight = (time) => new Date(time.getFullYear(), time.getMonth(), time.getDate());
  return Math.round((midnight(now).getTime() - midnight(day).getTime()) / 86_400_000);
}

export function dayName(iso, now = new Date()) {
  const day = new Date(iso);
  const age = daysAgo(day, now);
  if (age === 0) return "Today";
  if (age === 1) return "Yesterday";
  return day.getFullYear() === now.getFullYear() ? weekday.format(day) : date.format(day);
}

/** For a list: the time of today's things, the date of older ones. */
export function listTime(iso, now = new Date()) {
  const time = new Date(iso);
  const age = daysAgo(time, now);
  if (age === 0) return clock.format(time);
  if (age === 1) return "Yesterday";
  return shortDate.format(time);
}

const weekdayTime = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric", minute: "2-digit" });

/** As short as can be: the time today, with the weekday this week, the date before. */
export function shortTimeOf(iso, now = new Date()) {
  const time = new Date(iso);
  const age = daysAgo(time, now);
  if (age === 0) return clock.format(time);
  return age > 0 && age < 7 ? weekdayTime.format(time) : shortDate.format(time);
}

const counted = (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`;

/** How long to wait, as one says it: "in 40 seconds", "in 59 minutes", "in 3 hours". */
export function soon(seconds) {
  if (seconds < 90) return `in ${counted(Math.ceil(seconds), "second")}`;
  if (seconds <= 5_400) return `in ${counted(Math.ceil(seconds / 60), "minute")}`;
  return `in ${counted(Math.ceil(seconds / 3_600), "hour")}`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function names(list) {
  if (list.length < 2) return list.join("");
  if (list.length <= 3) return `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
  return `${list.slice(0, 2).join(", ")} and ${list.length - 2} others`;
}
