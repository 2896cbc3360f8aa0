/*
 * One socket that comes back. It knows connecting, resuming and giving up, and
 * nothing of chat or of the page; `describe` says how to open the next one.
 *
 * States: idle, connecting, connected, waiting (for the next attempt), closed
 * (for good, until somebody asks). Connected means that the server has spoken:
 * a handshake proves nothing, since refused tokens are refused after it.
 */
import { afterClose } from "./reconnect.js";

const HANDSHAKE_MS = 12_000;
const QUIET_MS = 30_000; // longer than the server's own ping, which pages cannot see
const ANSWER_MS = 10_000;
const STABLE_MS = 10_000; // a connection that lived this long starts the back-off afresh

/**
 * describe({since}) -> promise of {url, protocols, first}
 * renew()           -> promise of true when there is a new token
 * on                -> {frame(object), raw(direction, text), state(state), event(type, details)}
 */
export function createSocket({ describe, renew, on, Socket = WebSocket, random = Math.random }) {
  let state = { name: "idle" };
  let live = null;
  let seq = null;
  let attempt = 0;
  let hint = null;
  let renewed = false;
  let connectedAt = 0;
  let muted = false;
  let round = 0;
  const timers = { retry: 0, handshake: 0, quiet: 0, answer: 0 };

  function become(next) {
    state = next;
    on.state(state);
  }

  function clearTimers() {
    for (const name of Object.keys(timers)) clearTimeout(timers[name]);
  }

  /** Forgets the present socket, so that its late events change nothing. */
  function detach() {
    const old = live;
    live = null;
    round += 1;
    clearTimers();
    if (old) old.onopen = old.onmessage = old.onclose = null;
    return old;
  }

  async function open() {
    detach()?.close();
    const mine = round;
    const { code, reason } = state;
    become({ name: "connecting", attempt, code, reason });
    const { url, protocols, first } = await describe({ since: seq });
    if (mine !== round) return;
    live = new Socket(url, protocols);
    on.event("connect", { url });
    timers.handshake = setTimeout(() => lose("No answer to the handshake."), HANDSHAKE_MS);
    live.onopen = () => {
      on.event("open", { protocol: live.protocol });
      if (first) transmit(first);
      transmit({ type: "hello" });
    };
    live.onmessage = ({ data }) => receive(data);
    live.onclose = ({ code, reason }) => closed(code, reason);
  }

  function receive(text) {
    on.raw("in", text);
    watch();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (frame.type === "closing") hint = frame.reconnect_in_ms;
    else if (frame.type !== "error" && state.name !== "connected") arrived();
    follow(frame);
    on.frame(frame);
  }

  /** Keeps `seq`, the newest event this page has seen: where a later connection goes on. */
  function follow(frame) {
    if (!Number.isFinite(frame.seq)) return;
    if (frame.type === "resync") seq = frame.seq;
    else if (frame.type !== "hello") seq = Math.max(seq ?? 0, frame.seq);
    /* During a replay hello names events that are still on their way, so it counts only at first. */
    else if (seq === null) {
      seq = frame.seq;
      transmit({ type: "resume", since: seq }); // from here on nothing is missed, in any room
    }
  }

  function arrived() {
    clearTimeout(timers.handshake);
    connectedAt = Date.now();
    renewed = false;
    become({ name: "connected" });
  }

  /** A wire can die without a word: after a long silence ask, and do not wait for ever. */
  function watch() {
    clearTimeout(timers.quiet);
    clearTimeout(timers.answer);
    timers.quiet = setTimeout(probe, QUIET_MS);
  }

  function probe() {
    if (!send({ type: "ping" })) return;
    clearTimeout(timers.answer);
    timers.answer = setTimeout(() => lose("The server fell silent."), ANSWER_MS);
  }

  function lose(reason) {
    detach()?.close();
    closed(1006, reason);
  }

  async function closed(code, reason) {
    on.event("close", { code, reason });
    detach();
    if (connectedAt && Date.now() - connectedAt > STABLE_MS) attempt = 0;
    connectedAt = 0;
    const next = afterClose({ code, attempt, hint, renewed }, random);
    hint = null;
    if (next.action === "renew") {
      renewed = true;
      return comeBackRenewed(code, reason);
    }
    if (next.action === "stop") return become({ name: "closed", code, reason });
    attempt += 1;
    timers.retry = setTimeout(open, next.delay);
    become({ name: "waiting", code, reason, retryAt: Date.now() + next.delay });
  }

  async function comeBackRenewed(code, reason) {
    const mine = round;
    become({ name: "connecting", attempt });
    const ready = await renew().catch(() => null);
    if (mine !== round) return;
    if (ready) open();
    else if (ready === null) closed(1006, "The sign-in could not be renewed.");
    else become({ name: "closed", code, reason });
  }

  function transmit(frame) {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    on.raw("out", text);
    live.send(text);
  }

  /** False when nothing was sent: not connected, or told to be silent. */
  function send(frame) {
    if (state.name !== "connected" || muted || live?.readyState !== Socket.OPEN) return false;
    transmit(frame);
    return true;
  }

  /** Opens now, whatever it was doing. */
  function connect() {
    attempt = 0;
    renewed = false;
    hint = null;
    return open();
  }

  return {
    send,
    connect,
    get state() { return state; },

    /** The network or the person came back: do not sit out the rest of a wait. */
    wake() {
      if (state.name === "waiting") connect();
      else if (state.name === "connected") probe();
    },

    /** Ends the connection as a broken wire would: no goodbye that the rules would see. */
    cut() {
      if (live) lose("Cut from this page.");
    },

    /** Stays connected and says nothing more until it is undone. */
    mute(value) {
      muted = value;
    },

    end() {
      detach()?.close(1000);
      seq = null;
      muted = false;
      become({ name: "idle" });
    },
  };
}
