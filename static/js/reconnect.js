/*
 * What a close code asks of the client, as plain rules without timers, so that
 * the socket itself only carries them out.
 */

import { CloseCode } from "./close_codes.js";

/* What a browser says when no close frame came. */
const BROKEN = 1006;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

const MEANINGS = {
  [CloseCode.GOING_AWAY]: "The server is restarting.",
  [BROKEN]: "The connection broke.",
  [CloseCode.TOO_LARGE]: "A message was too large.",
  [CloseCode.SERVER_FAILED]: "The server had a problem.",
  [CloseCode.BAD_MESSAGES]: "Too many messages were malformed.",
  [CloseCode.NOT_SIGNED_IN]: "You are no longer signed in.",
  [CloseCode.NOT_ALLOWED]: "You may no longer use this.",
  [CloseCode.NOT_FOUND]: "There is no such room.",
  [CloseCode.SIGN_IN_TIMEOUT]: "No credentials came in time.",
  [CloseCode.TOO_MANY]: "Slow down: too many messages at once.",
  [CloseCode.TOO_SLOW]: "This page read too slowly.",
};

export const meaningOf = (code, reason) => MEANINGS[code] ?? (reason || `The socket closed with ${code}.`);

/** Half fixed, half random: a thousand clients must not come back together. */
export function backOff(attempt, random) {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(ceiling * (0.5 + random() / 2));
}

/**
 * `renew`: get a new token first. `retry`: come back after `delay` ms.
 * `stop`: 44xx means that the same connection would end the same way.
 */
export function afterClose({ code, attempt, hint, renewed }, random) {
  if (code === CloseCode.NOT_SIGNED_IN && !renewed) return { action: "renew" };
  if (code >= 4400 && code < 4500) return { action: "stop" };
  return { action: "retry", delay: hint ?? backOff(attempt, random) };
}
