/* Machine words as people say them: instants, statuses and devices that come to the page as they are stored. */
import { moment } from "./format.js";

export const STATUS_NAMES = {
  todo: "To do", in_progress: "In progress", review: "Review", blocked: "Blocked", done: "Done", cancelled: "Cancelled",
};

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/g;
const UTC_MOMENT = /\b\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC\b/g;
const MOVE = new RegExp(`\\bfrom (${Object.keys(STATUS_NAMES).join("|")}) to (${Object.keys(STATUS_NAMES).join("|")})\\b`, "g");

const local = (text) => {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : moment(at);
};

/** A text of the server's with its times by the reader's clock, and statuses by the names of the board's columns. */
export const plainWords = (text) => text
  .replace(INSTANT, local)
  .replace(UTC_MOMENT, local)
  .replace(MOVE, (_, from, to) => `from ${STATUS_NAMES[from]} to ${STATUS_NAMES[to]}`);

/** What a notification says, with the time that it only carries as data. */
export function notificationWords({ title, content, message, data }) {
  const words = plainWords(content ?? message ?? "");
  const due = typeof data?.due_date === "string" ? local(data.due_date) : "";
  return [words === title ? "" : words, due && `Due ${due}.`].filter(Boolean).join(" ");
}

/* The first that fits: many browsers also claim to be those below them. */
const BROWSERS = [
  [/\bEdgA?\//, "Edge"], [/\b(?:OPR|Opera)\//, "Opera"], [/\bSamsungBrowser\//, "Samsung Internet"], [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Headless)?(?:Chrome|CriOS|Chromium)\//, "Chrome"], [/\bSafari\//, "Safari"],
];
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"], [/\biPad\b/, "iPad"], [/\bAndroid\b/, "Android"], [/\bWindows\b/, "Windows"],
  [/\bCrOS\b/, "ChromeOS"], [/\bMac OS X\b|\bMacintosh\b/, "Mac"], [/\bLinux\b|\bX11\b/, "Linux"],
];
const firstOf = (list, text) => list.find(([pattern]) => pattern.test(text))?.[1];

/** "Chrome on Linux" for what a browser says of itself, and the program's own name for what is none. */
export function deviceName(userAgent) {
  if (!userAgent) return "Unknown device";
  const [browser, system] = [firstOf(BROWSERS, userAgent), firstOf(SYSTEMS, userAgent)];
  if (browser) return system ? `${browser} on ${system}` : browser;
  return system ?? userAgent.split(/[\s/(]/)[0] ?? "Unknown device";
}
