/*
 * Trouble on purpose: what a network or a bad client does to a server, at the
 * press of a button. What might cost the connection happens on a second
 * socket, so that the first goes on beside it.
 */
import { opening, socketUrl } from "../credentials.js";
import { meaningOf } from "../reconnect.js";

const FLOOD = 200;
const FLOOD_VERDICT_MS = 10_000;
/* The server waits 10 s for credentials. */
const SILENCE_VERDICT_MS = 20_000;
export const SILENCE_MS = 60_000;

/**
 * Cookies belong to a host name, so the same machine by its other name gets none.
 * @param {URL} url
 */
function withoutCookies(url) {
  /** @type {Record<string, string>} */
  const aliases = { localhost: "127.0.0.1", "127.0.0.1": "localhost" };
  url.hostname = aliases[url.hostname] ?? url.hostname;
  return url;
}

/**
 * @param {object} options
 * @param {() => any} options.session as in session.js
 * @param {() => any} options.socket the one that is chosen, as in socket.js
 * @param {() => string} options.path its address
 * @param {() => string} options.way how sockets sign in
 * @param {ReturnType<typeof import("./log.js").createLog>} options.log
 * @param {(text: string) => void} options.say
 */
export function createFaults({ session, socket, path, way, log, say }) {
  /**
   * A socket beside the others: logged under its own name, and gone when its verdict is in.
   * @param {string} name
   * @param {{url: string, protocols: string[], first: object | null}} how
   * @param {{onOpen?: (transmit: (text: string) => void) => void, verdictMs: number, survived: string}} what
   */
  function second(name, { url, protocols, first }, { onOpen, verdictMs, survived }) {
    const extra = new WebSocket(url, protocols);
    log.event("connect", { url }, name);
    const transmit = (text) => {
      log.frame("out", text, name);
      extra.send(text);
    };
    const timer = setTimeout(() => {
      say(survived);
      extra.close(1000);
    }, verdictMs);
    extra.onopen = () => {
      log.event("open", { protocol: extra.protocol }, name);
      if (first) transmit(JSON.stringify(first));
      onOpen?.(transmit);
    };
    extra.onmessage = ({ data }) => log.frame("in", data, name);
    extra.onclose = ({ code, reason }) => {
      clearTimeout(timer);
      log.event("close", { code, reason }, name);
      if (code !== 1000) say(`The ${name} socket was closed with ${code}. ${meaningOf(code, reason)}`);
    };
  }

  const missing = () => say("This socket is not connected.");

  return {
    /** Drops the connection as a broken cable would. */
    cut() {
      if (socket()) socket().cut();
      else missing();
    },

    nonsense() {
      if (!socket()?.send("this is { not JSON")) missing();
    },

    async flood() {
      const { server } = session();
      const token = await session().freshToken();
      second("flood", opening({ server, path: path(), way: way(), token }), {
        onOpen(transmit) {
          for (let sent = 0; sent < FLOOD; sent += 1) transmit('{"type":"ping"}');
        },
        verdictMs: FLOOD_VERDICT_MS,
        survived: `The server took all ${FLOOD} messages.`,
      });
    },

    /**
     * Says nothing on the socket for a while, and nothing at all on a second one. The result ends it early.
     * @param {() => void} over
     */
    silence(over) {
      const muted = socket();
      const url = withoutCookies(socketUrl(session().server, path())).href;
      second("silent", { url, protocols: [], first: null }, {
        verdictMs: SILENCE_VERDICT_MS,
        survived: "The silent socket stayed open: this browser's cookie signed it in.",
      });
      muted?.mute(true);
      const timer = setTimeout(end, SILENCE_MS);
      function end() {
        clearTimeout(timer);
        muted?.mute(false);
        over();
      }
      return end;
    },
  };
}
