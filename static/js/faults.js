/*
 * Trouble on purpose: what a network or a bad client does to a server, at the
 * press of a button. What might cost the connection happens on a second
 * socket, so that the chat goes on beside it.
 */
import { opening, socketUrl } from "./credentials.js";
import { meaningOf } from "./reconnect.js";

const FLOOD = 200;
const FLOOD_VERDICT_MS = 10_000;
/* The server waits 10 s for credentials. */
const SILENCE_VERDICT_MS = 20_000;
export const SILENCE_MS = 60_000;

/** Cookies belong to a host name, so the same machine by its other name gets none. */
function withoutCookies(url) {
  const alias = { localhost: "127.0.0.1", "127.0.0.1": "localhost" }[url.hostname];
  if (alias) url.hostname = alias;
  return url;
}

export function createFaults({ socket, session, way, log, say, Socket = WebSocket }) {
  /** A socket beside the chat's: logged under its own name, and gone when its verdict is in. */
  function second(name, { url, protocols, first }, { onOpen, verdictMs, survived }) {
    const extra = new Socket(url, protocols);
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

  return {
    cut: () => socket.cut(),

    nonsense() {
      if (!socket.send("this is { not JSON")) say("There is no connection to send nonsense over.");
    },

    async flood() {
      const token = await session().freshToken();
      second("flood", opening({ server: session().server, path: "/ws/chat/", way: way(), token }), {
        onOpen(transmit) {
          for (let sent = 0; sent < FLOOD; sent += 1) transmit('{"type":"ping"}');
        },
        verdictMs: FLOOD_VERDICT_MS,
        survived: `The server took all ${FLOOD} messages.`,
      });
    },

    /** Says nothing on the chat's socket for a while, and nothing at all on a second one. */
    silence(over) {
      const url = withoutCookies(socketUrl(session().server, "/ws/chat/")).href;
      second("silent", { url, protocols: [], first: null }, {
        verdictMs: SILENCE_VERDICT_MS,
        survived: "The silent socket stayed open: this browser's cookie signed it in.",
      });
      socket.mute(true);
      const timer = setTimeout(end, SILENCE_MS);
      function end() {
        clearTimeout(timer);
        socket.mute(false);
        over();
      }
      return end;
    },

    raw(text) {
      const sent = socket.send(text);
      if (!sent) say("There is no connection to send over.");
      return sent;
    },
  };
}
