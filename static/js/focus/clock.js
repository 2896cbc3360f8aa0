/* What a focus session's clock shows, as pure functions. */

const PHASES = { focus: "Focus", break: "Break" };
const STATUSES = { waiting: "Waiting to start", finished: "Finished" };
const two = (number) => String(number).padStart(2, "0");

/** Milliseconds as "24:59", or "1:02:03" from an hour on. */
export function clockText(ms) {
  const seconds = Math.ceil(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const rest = `${two(minutes % 60)}:${two(seconds % 60)}`;
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${rest}` : rest;
}

export function phaseText({ status, phase }) {
  if (STATUSES[status]) return STATUSES[status];
  return status === "paused" ? `${PHASES[phase]}, paused` : PHASES[phase];
}

/** How much of the running phase is over, from 0 to 1. */
export function progressOf(session, leftMs) {
  const whole = (session.phase === "break" ? session.break_minutes : session.focus_minutes) * 60_000;
  if (session.phase && whole) return 1 - Math.min(1, leftMs / whole);
  return session.status === "finished" ? 1 : 0;
}

export const isTicking = (session) => Boolean(session) && (session.status === "running" || session.status === "paused");

/**
 * What is to be heard when one state of a session follows another: the words for it, or "". Pausing, starting and
 * what is told of another session are silent.
 */
export function endHeard(before, now) {
  if (!before || before.id !== now?.id || before.status !== "running") return "";
  if (now.status === "finished") return `${now.title} is over.`;
  if (now.status === "running" && now.phase !== before.phase) return now.phase === "break" ? "Time for a break." : "The break is over.";
  return "";
}

/** How many minutes, as one reads them: "45 min", "2 h 5 min". */
export function minutesText(minutes) {
  const whole = Math.round(minutes);
  if (whole < 60) return `${whole} min`;
  const rest = whole % 60;
  return `${Math.floor(whole / 60)} h${rest ? ` ${rest} min` : ""}`;
}
