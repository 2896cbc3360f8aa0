/*
 * The address is the state: `#room-7`, `#room-7/812` (a message), `#task-12`, `#tasks?mine=1`, `#focus`. A
 * reload, a link and the back button find what they name.
 */
import { computed, signal } from "../kit/html.js";

const ADDRESS = /^#(?:([a-z]+)-([1-9]\d{0,14})(?:\/([1-9]\d{0,14}))?|([a-z]+))(?:\?(.*))?$/;

/* Which view shows what an address names; a view's own name needs no entry. */
const VIEW_OF = { room: "chat", rooms: "chat", task: "tasks", person: "people", profile: "people", departments: "people", workspace: "workspaces", bell: "inbox" };

/** {view, kind, id, part, query} of an address; `kind` and `id` name one thing in the view, if it names one. */
export function placeOf(hash) {
  const [, kind = "", id, part, name = "", query = ""] = hash.match(ADDRESS) ?? [];
  const word = kind || name || "rooms";
  return {
    view: VIEW_OF[word] ?? word, kind, name,
    id: id ? Number(id) : null, part: part ? Number(part) : null,
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** An address from a place's word and its query, without what is empty. */
export function addressOf(word, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false);
  const words = new URLSearchParams(given.map(([name, value]) => [name, value === true ? "1" : String(value)])).toString();
  return `#${word}${words ? `?${words}` : ""}`;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => { hash.value = location.hash; });

/** Where one is. */
export const place = computed(() => placeOf(hash.value));

const lastOf = new Map(); // view -> its last address
const note = (now) => { if (now.kind || Object.keys(now.query).length) lastOf.set(now.view, hash.value); };
place.subscribe(note);

/** To an address; the back button comes back from there. */
export function go(address) {
  if (location.hash !== address) location.hash = address;
}

/** To an address in the place of the present one. */
export function replace(address) {
  history.replaceState(null, "", address);
  hash.value = location.hash;
}

/** Where the page itself leads on from the present address: it does not where a link has just led elsewhere, of which the browser tells later. */
export const leadOn = (address) => location.hash === hash.value && replace(address);

/** To a view, with what was open in it. */
export const goToView = (view, address) => go(lastOf.get(view) ?? address);

/** What was open in a view is gone. */
export const forgetPlace = (view) => lastOf.delete(view);

/** For the next person: nothing of the last one is remembered but what the address still names. */
export function forgetPlaces() {
  lastOf.clear();
  note(place.value);
}
