/*
 * Whether there may be a session to go on with. The tokens are in cookies that
 * no script may read; beside them the server sets one that says only this. A
 * page that asked without any sign would begin with a refusal for every
 * newcomer, and use up what the server lets strangers ask.
 */

const COOKIE = "signed_in";
const HINT = "taskroom.signed_in"; // for a server elsewhere, whose cookies this page does not see

const isOwn = (server) => new URL(server).origin === location.origin;
const hasCookie = () => document.cookie.split("; ").includes(`${COOKIE}=1`);

function hint(action, ...values) {
  try {
    return localStorage[`${action}Item`](HINT, ...values);
  } catch {
    return null; // a browser that stores nothing asks for the password instead
  }
}

export const mayHaveSession = (server) => (isOwn(server) ? hasCookie() : hint("get") === server);

export function noteSession(server) {
  if (!isOwn(server)) hint("set", server);
}

/** The server no longer knows of one: whoever comes next need not ask. */
export function noteNoSession(server) {
  if (isOwn(server)) document.cookie = `${COOKIE}=; Max-Age=0; Path=/; SameSite=Lax`;
  else hint("remove");
}
