/* What somebody says of themselves, as far as its time is not over. Values in, values out. */

/** "🍜 At lunch", or "". `person` as the server names people, `at` in milliseconds. */
export function statusOf(person, at = Date.now()) {
  const { status_text: text = "", status_emoji: emoji = "", status_until: until = null } = person ?? {};
  if (until && Date.parse(until) <= at) return "";
  return [emoji, text].filter(Boolean).join(" ");
}

const MINUTE = 60_000;
const midnight = (at) => new Date(at).setHours(24, 0, 0, 0);

/** The ends that are offered: by id, a label and the instant, counted from `at` by this browser's clock. */
export const ENDS = [
  { id: "", label: "Do not clear it", from: () => null },
  { id: "30", label: "After 30 minutes", from: (at) => at + 30 * MINUTE },
  { id: "60", label: "After an hour", from: (at) => at + 60 * MINUTE },
  { id: "240", label: "After four hours", from: (at) => at + 240 * MINUTE },
  { id: "today", label: "Tonight", from: midnight },
  { id: "week", label: "After this week", from: (at) => midnight(at) + ((7 - new Date(at).getDay()) % 7) * 1440 * MINUTE },
];

/** Ready words, with the end that suits them. */
export const USUAL = [
  { emoji: "📅", text: "In a meeting", end: "60" },
  { emoji: "🍜", text: "At lunch", end: "60" },
  { emoji: "🏠", text: "Working from home", end: "today" },
  { emoji: "🤒", text: "Out sick", end: "today" },
  { emoji: "🌴", text: "On holiday", end: "" },
];
