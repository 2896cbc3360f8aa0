/* Whether somebody wants to be left alone at a moment: in their quiet hours, or while they focus. Values in, values out. */

const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

function minuteIn(zone, at) {
  try {
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
    return minutes(parts);
  } catch {
    return null; // a zone that this browser does not know
  }
}

/** @param {{ start: string, end: string, time_zone: string } | null | undefined} quiet the person's quiet hours */
export function isQuietAt(quiet, at) {
  const now = quiet ? minuteIn(quiet.time_zone, at) : null;
  if (now === null) return false;
  const [start, end] = [minutes(quiet.start), minutes(quiet.end)];
  return start <= end ? start <= now && now < end : now >= start || now < end;
}

const isFocusing = (session) => session?.status === "running" && session.phase === "focus";

/** `me` as their profile has it; `session` is the focus session they are in, if any. */
export const isLeftAlone = (me, session, at) =>
  isQuietAt(me.quiet_hours, at) || (me.hold_while_focusing !== false && isFocusing(session));
