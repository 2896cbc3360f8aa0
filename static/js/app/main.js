/*
 * The client's start: somebody is signed in, or stands at the door, or has
 * followed a link that was mailed to them.
 */
import { createConfig } from "../config.js";
import { Door } from "../door/index.js";
import { forgetEarly, request } from "../http.js";
import { openKept } from "../kept.js";
import { closeDialogs, Dialogs, dialogsHoldWords, isDialogOpen } from "../kit/dialog.js";
import { html, render, signal } from "../kit/html.js";
import { say, Toasts } from "../kit/toast.js";
import { noteSession } from "../marker.js";
import { forgetSeen, lastPerson, openSeen } from "../seen.js";
import { createSession } from "../session.js";
import { catchDrops } from "../kit/drop.js";
import { keepPage } from "./pagecache.js";
import { forgetPlaces, replace } from "./place.js";
import { remember } from "./remember.js";
import { createScope, ScopeProvider } from "./scope.js";
import { Shell } from "./shell.js";
import { showInTitle } from "./told.js";
import "./theme.js";

const server = location.origin;
const config = createConfig();
/** What stands before one's eyes: {name: "opening" | "door" | "link" | "inside", …}. */
const stage = signal(/** @type {any} */ ({ name: "opening" }));
/** @type {any} */
let scope = null;

const MOMENT_MS = 50;
const MAILED = /^#(reset|link|verify|second-factor)\?(.+)$/;
const FIRST = /^#first-([a-z0-9-]+)$/i;

/** What a mailed link carries: {kind, given}, or null. */
export function mailedLink(hash) {
  const [, kind, text] = hash.match(MAILED) ?? [];
  const given = Object.fromEntries(new URLSearchParams(text ?? ""));
  return given.token && (kind !== "reset" || given.uid) ? { kind, given } : null;
}

const newSession = () => createSession({ server, ended: (reason) => showDoor({ reason }) });

/** Nothing of the last person stays, neither on the page nor on the wire; what they have written waits for them. */
function leave() {
  closeDialogs();
  scope?.end();
  scope = null;
  forgetPlaces();
  document.title = "Taskroom";
}

function showDoor(words = {}) {
  leave();
  forgetSeen(server);
  const { registration, firstPerson, providers, mail } = config.of(server);
  const [, code = ""] = location.hash.match(FIRST) ?? [];
  stage.value = { name: "door", ...words, registration, first: { needs: firstPerson, code }, providers, mail };
}

async function signOut() {
  const { session } = scope;
  scope.end();
  await session.signOut();
  replace(location.pathname);
  showDoor();
}

const aMoment = () => new Promise((done) => { setTimeout(done, MOMENT_MS); });

async function goIn(session, user) {
  const seen = openSeen(server, user);
  const [kept, found] = await Promise.all([openKept(`${session.server} ${user.id}`), seen.read()]);
  leave();
  scope = createScope({ session, user, kept, frameKib: () => config.of(server).frameKib, ended: (reason) => showDoor({ reason }) });
  Object.assign(scope, { signOut, clock: signal(""), actions: signal([]) });
  scope.onEnd(showInTitle(scope));
  scope.onEnd(remember(scope, seen, found));
  const mine = scope;
  const listed = mine.start();
  if (!found.size) await Promise.race([listed, aMoment()]); // the first picture has the rooms in it
  if (scope !== mine) return; // not accepted any more
  stage.value = { name: "inside", scope };
  keepPage().catch(() => null); // a browser that stores nothing asks the server each time
  import("../people/own.js").then(({ ownActions }) => { if (scope) scope.actions.value = ownActions(scope); }, () => null);
}

/** Whoever was here last, while the server does not answer. */
async function lastOne(session) {
  const user = await lastPerson(server);
  return user && session.goOn(user);
}

async function enterByCookie() {
  const session = newSession();
  const configured = config.load(server);
  const user = await session.restore().catch(() => lastOne(session));
  if (user) await goIn(session, user);
  else {
    await configured;
    showDoor();
  }
  forgetEarly();
}

/** Does a first step; where a second one is needed, the door asks for it. @param {() => Promise<any>} work */
async function firstStep(work) {
  try {
    await work();
  } catch (error) {
    if (!error.secondStep) throw error;
    const isSetup = error.code === "second_factor_setup_required";
    stage.value = { name: "link", kind: "second-factor", given: { token: error.secondStep, setup: isSetup ? "1" : "0" } };
  }
}

/* What the door can do; each is a promise that is refused with an ApiError. */
const doorActions = {
  async signIn(form) {
    const session = newSession();
    await firstStep(async () => goIn(session, await session.signIn(form)));
  },
  async register(form) {
    const session = newSession();
    const user = await session.register(form);
    config.noteSomebody(server);
    if (FIRST.test(location.hash)) replace(location.pathname);
    await goIn(session, user);
  },
  askForReset: (email) => request(server, "POST", "/api/password-reset/", { json: { email } }),
  async reset(given, password) {
    await request(server, "POST", "/api/password-reset/confirm/", { json: { ...given, new_password: password } });
    replace(location.pathname);
    showDoor({ news: "Your password has been changed. Sign in with the new one." });
  },
  async link(token, password) {
    await firstStep(async () => {
      const { next } = await request(server, "POST", "/api/v2/auth/social/link/", { json: { token, password } });
      location.replace(next);
    });
  },
  beginSecondFactor: (token) => request(server, "POST", "/api/v2/auth/second-factor/begin/", { json: { token } }),
  async takeSecondStep(token, otp) {
    const answer = await request(server, "POST", "/api/v2/auth/second-factor/", { json: { token, otp } });
    noteSession(server);
    return answer;
  },
  /** After a second step: the cookies are there. */
  goOn(next) {
    if (next) return location.replace(next);
    replace(location.pathname);
    return enterByCookie();
  },
  giveUp() {
    replace(location.pathname);
    return enterByCookie();
  },
};

/** An address is somebody's own if they can read what is sent there. */
async function verify({ token = "" }) {
  const asked = request(server, "POST", "/api/users/profile/email/confirm/", { json: { token } });
  say(await asked.then(() => "Your address has been verified.", (error) => error.message));
  replace(location.pathname);
  if (!scope) await enterByCookie();
}

async function followLink() {
  const link = mailedLink(location.hash);
  if (!link && stage.value.name === "door" && FIRST.test(location.hash)) showDoor();
  if (!link) return false;
  if (link.kind === "verify") await verify(link.given);
  else {
    leave();
    stage.value = { name: "link", ...link };
  }
  return true;
}

function Page() {
  const now = stage.value;
  const shown = {
    opening: () => html`<main class="splash"><h1 class="only-heard">Taskroom</h1><p role="status">Opening Taskroom…</p></main>`,
    door: () => html`<${Door} actions=${doorActions} ...${now} />`,
    link: () => html`<${Door} actions=${doorActions} link=${now} />`,
    inside: () => html`<${ScopeProvider} value=${now.scope} key=${now.scope.me()?.id}><${Shell} /></>`,
  }[now.name]();
  return html`${shown}<${Toasts} /><${Dialogs} />`;
}

function takeFiles(files, target) {
  return Boolean(scope) && !isDialogOpen() && [...scope.fileTakers].some((take) => take(files, target));
}

addEventListener("hashchange", followLink);
addEventListener("pagehide", () => { for (const save of scope?.savers ?? []) save(); });
addEventListener("beforeunload", (event) => {
  if ((scope && !scope.isSafe()) || dialogsHoldWords()) event.preventDefault(); // the browser asks
});
addEventListener("focus", () => scope?.chat.markRead());
addEventListener("online", () => scope?.wake());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  scope?.wake();
  scope?.chat.markRead();
});
catchDrops([takeFiles], () =>
  say(scope ? "Nothing here takes files. Drop them on a conversation, or on a task that is open." : "Sign in before you send files."));

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${Page} />`, root);
followLink().then((isLink) => { if (!isLink) enterByCookie(); });
