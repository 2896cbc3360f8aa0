/* The sockets that are open, by name: each comes back by itself, and all that crosses them is logged. */
import { opening } from "../credentials.js";
import { createSocket } from "../socket.js";
import { placeOf } from "./kinds.js";

/**
 * @typedef {{name: string, code?: number, reason?: string, retryAt?: number, attempt?: number}} State
 *
 * @param {object} options
 * @param {any} options.session as in session.js
 * @param {() => string} options.way how sockets sign in
 * @param {() => boolean} options.restRefused whether the page may use nothing but sockets
 * @param {ReturnType<typeof import("./log.js").createLog>} options.log
 * @param {(name: string, state: State) => void} options.changed
 * @param {(name: string, frame: any) => void} options.received
 */
export function createSockets({ session, way, restRefused, log, changed, received }) {
  /** @type {Map<string, any>} */
  const sockets = new Map();

  /**
   * Opens the socket of that name, again if it is there.
   * @param {string} name
   */
  function open(name) {
    const place = placeOf(name);
    if (!place) return;
    if (!sockets.has(name)) sockets.set(name, make(name, place.path));
    sockets.get(name).connect();
  }

  /**
   * @param {string} name
   * @param {string} path
   */
  function make(name, path) {
    return createSocket({
      async describe({ since }) {
        const token = await session.freshToken();
        const plan = opening({ server: session.server, path, way: way(), token, since });
        /* Without REST, only the answer to `auth` tells the person's name. */
        return restRefused() ? { ...plan, first: plan.first ?? { type: "auth", token } } : plan;
      },
      renew: () => session.renew(),
      on: {
        frame: (frame) => received(name, frame),
        raw: (/** @type {"in" | "out"} */ direction, text) => log.frame(direction, text, name),
        event: (type, details) => log.event(type, details, name),
        state: (/** @type {State} */ state) => changed(name, state),
      },
    });
  }

  /** @param {string} name */
  function close(name) {
    const socket = sockets.get(name);
    if (!socket) return;
    sockets.delete(name);
    socket.end();
    log.event("close", { code: 1000, reason: "Closed from this page." }, name);
  }

  return {
    open,
    close,

    /** @param {string} name */
    get: (name) => sockets.get(name),

    /**
     * Sends a frame as it stands. False: there is no such connection.
     * @param {string} name
     * @param {string | object} frame
     */
    send: (name, frame) => Boolean(sockets.get(name)?.send(frame)),

    /** Opens all anew, as when the way of signing in has changed. */
    reopen() {
      for (const socket of sockets.values()) socket.connect();
    },

    wake() {
      for (const socket of sockets.values()) socket.wake();
    },

    end() {
      for (const socket of sockets.values()) socket.end();
      sockets.clear();
    },
  };
}
