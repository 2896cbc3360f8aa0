/*
 * What a close code asks of the client, as plain rules without timers, so that
 * the socket itself only carries them out.
 */

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

const MEANINGS = {
  1001: "The server is restarting.",
  1006: "The connection broke.",
  1009: "A message was too large.",
  1011: "The server had a problem.",
  4400: "Too many messages were malformed.",
  4401: "You are no longer signed in.",
  4403: "You may no longer use this.",
  4404: "There is no such room.",
  4408: "No credentials came in time.",
  4429: "Slow down: too many messages at once.",
  4503: "This page read too slowly.",
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
  if (code === 4401 && !renewed) return { action: "renew" };
  if (code >= 4400 && code < 4500) return { action: "stop" };
  return { action: "retry", delay: hint ?? backOff(attempt, random) };
}
