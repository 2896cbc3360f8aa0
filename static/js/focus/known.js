/* The focus session of the person who is signed in: followed from the moment they come in, wherever they look. */
import { alerts, ring } from "../app/alerts.js";
import { watched } from "../app/changes.js";
import { go } from "../app/place.js";
import { createFocus } from "../focus.js";
import { html, signal } from "../kit/html.js";
import { clockText, endHeard, isTicking, phaseText } from "./clock.js";
import { isSilent } from "./sound.js";

const TICK_MS = 250;
const LOOK_AGAIN_MS = 10_000;
const LATE_MS = 1_500; // news of an end that came by itself may be this early, by this machine's clock

/** The engine of focus.js, with `clock`, a signal of what is left. @param {any} scope as in app/scope.js */
export const focusOf = (scope) => scope.engine("focus", () => {
  const focus = createFocus({ call: scope.call, me: scope.me, say: scope.say, connect: (path, on) => connected(scope, path, on) });
  const clock = signal("");
  let before = null;
  let ticking = 0;

  function tick() {
    const { session } = focus.state;
    clock.value = isTicking(session) ? clockText(focus.remaining()) : "";
    scope.clock.value = clock.value && `${clock.value} ${phaseText(session)}`;
    scope.pill.value = clock.value ? html`<${Pill} clock=${clock} session=${session} />` : null;
    if (!clock.value) {
      clearInterval(ticking);
      ticking = 0;
    }
  }

  focus.watch(() => {
    const { session } = focus.state;
    const words = endHeard(before, session);
    /* Whoever holds the clock knows what they have pressed. */
    const isPressed = words && focus.isHost() && focus.remaining(before) > LATE_MS;
    before = session;
    if (words && !isPressed) tell(words, scope.say);
    if (isTicking(session)) ticking ||= setInterval(tick, TICK_MS);
    tick();
  });

  /* No socket tells of sessions that one is not in. */
  const looking = setInterval(() => {
    if (document.visibilityState === "visible" && focus.isLookedAt) focus.load({ isQuiet: true });
  }, LOOK_AGAIN_MS);

  focus.load({ isQuiet: true });
  return Object.assign(focus, {
    clock, isLookedAt: false, changes: watched(focus),
    end: ended(focus.end, () => {
      clearInterval(ticking);
      clearInterval(looking);
    }),
  });
});

const ended = (first, then) => () => {
  first();
  then();
};

function connected(scope, path, on) {
  const socket = scope.openSocket(path, on);
  socket.connect();
  return socket;
}

/** Heard, shown, and where the browser allows it, also beside the page. */
function tell(words, say) {
  if (!isSilent()) ring();
  say(words);
  if (document.visibilityState === "visible" || !alerts.value.desktop || globalThis.Notification?.permission !== "granted") return;
  new Notification(words, { tag: "taskroom-focus", icon: "/favicon.ico" });
}

/** The running session, at the foot of the rail. */
function Pill({ clock, session }) {
  const label = `${phaseText(session)}: ${session.title}`;
  return html`<button type="button" class="focus-pill count" data-testid="focus-pill" data-phase=${session.phase} title=${label} aria-label=${`${label}, ${clock.value} left`}
    onClick=${() => go("#focus")}>${clock.value}</button>`;
}
