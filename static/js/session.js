/*
 * Who is signed in, and the tokens that prove it. They live in this closure
 * only: a reload asks the server again with its HttpOnly cookie, and nothing
 * that can be stolen is ever stored by the page.
 */
import { ApiError, request } from "./http.js";
import { mayHaveSession, noteNoSession, noteSession } from "./marker.js";

const EXPIRY_MARGIN_S = 30;

export function claimsOf(token) {
  try {
    const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(atob(part));
  } catch {
    return {};
  }
}

/** `ended(reason)` is called when the server no longer accepts this person. */
export function createSession({ server, ended }) {
  let access = null;
  let refresh = null;
  let user = null;
  let renewal = null;

  function keep(answer) {
    access = answer.access ?? access;
    refresh = answer.refresh ?? refresh;
    user = answer.user ?? user;
  }

  function forget() {
    access = refresh = user = null;
  }

  const isOurs = (token) => !user || String(claimsOf(token).user_id) === String(user.id);

  /** Calls at the same time share one exchange. False: the server said no. */
  function renew() {
    renewal ??= exchange().finally(() => { renewal = null; });
    return renewal;
  }

  /*
   * The cookie goes first, because another tab may have rotated it. If it is
   * somebody else's (two people in two tabs of one browser), our own refresh
   * token is the second try.
   */
  async function exchange() {
    for (const json of refresh ? [{}, { refresh }] : [{}]) {
      try {
        const answer = await request(server, "POST", "/api/auth/token/refresh/", { json });
        if (isOurs(answer.access)) {
          keep(answer);
          return true;
        }
      } catch (error) {
        if (error.isTemporary) throw error;
      }
    }
    return false;
  }

  async function call(method, path, options = {}) {
    try {
      return await request(server, method, path, { ...options, token: access });
    } catch (error) {
      if (error.status !== 401) throw error;
    }
    if (!(await renew())) {
      ended("Please sign in again.");
      throw new ApiError({ status: 401, detail: "Please sign in again." });
    }
    return request(server, method, path, { ...options, token: access });
  }

  async function enter(path, json) {
    forget();
    keep(await request(server, "POST", path, { json }));
    user ??= await call("GET", "/api/users/profile/");
    noteSession(server);
    return user;
  }

  return {
    server,
    call,
    renew,
    get user() { return user; },
    get access() { return access; },

    signIn: (form) => enter("/api/auth/token/", form),
    register: (form) => enter("/api/register/", form),

    /** After a reload. Null when the cookie signs nobody in, or there is none. */
    async restore() {
      forget();
      if (!mayHaveSession(server)) return null;
      if (!(await renew())) {
        noteNoSession(server);
        return null;
      }
      user = await call("GET", "/api/users/profile/");
      return user;
    },

    /** Goes on as somebody while the server cannot be asked; it decides with the first answer. */
    goOn(person) {
      user = person;
      return user;
    },

    /**
     * A token from elsewhere. Where the page may not use REST (opened from
     * disk), the token itself says whose it is: `restRefused` is then true.
     */
    async useToken(token) {
      forget();
      access = token;
      try {
        user = await request(server, "GET", "/api/users/profile/", { token });
        return { user, restRefused: false };
      } catch (error) {
        const id = Number(claimsOf(token).user_id);
        if (error.code !== "unreachable" || !id) {
          forget();
          throw error;
        }
        user = { id, username: `person ${id}`, avatar: null };
        return { user, restRefused: true };
      }
    },

    /** An access token with some life left, or the best there is. */
    async freshToken() {
      const { exp } = claimsOf(access ?? "");
      if (!access && user) await renew().catch(() => false); // began while the server was away
      else if (exp && exp - Date.now() / 1000 < EXPIRY_MARGIN_S) await renew().catch(() => false);
      return access;
    },

    async signOut() {
      const token = access;
      forget();
      noteNoSession(server);
      await request(server, "POST", "/api/auth/logout/", { token, json: {} }).catch(() => null);
    },
  };
}
