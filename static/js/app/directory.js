/* Everybody's full names: the server's references carry usernames only. Who is not known yet is asked for once. */
import { signal } from "../kit/html.js";

const MAX_PAGES = 20;
const PAGE = 100;

export const displayName = (person) => person?.full_name || [person?.first_name, person?.last_name].filter(Boolean).join(" ") || person?.username || "Somebody";

/** `me()` is the person, whose name is always the newest. */
export function createDirectory({ call, me }) {
  const people = new Map(); // id -> person
  const asked = new Set();
  const changes = signal(0);

  function learn(list) {
    for (const person of list) people.set(person.id, person);
    changes.value += 1;
  }

  async function load() {
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const answer = await call("GET", "/api/users/", { query: { page, page_size: PAGE } });
      learn(answer.results);
      if (!answer.next) return;
    }
  }

  function ask(id) {
    if (asked.has(id)) return;
    asked.add(id);
    call("GET", `/api/users/${id}/`).then((person) => learn([person]), () => null);
  }

  return {
    changes, learn,
    load: () => load().catch(() => null),
    all: () => [...people.values()],

    /** Something else is true of somebody who is known. */
    amend(id, facts) {
      if (people.has(id)) learn([{ ...people.get(id), ...facts }]);
    },

    /** Somebody has come whom nobody may have heard of. */
    meet(id) {
      if (people.size && !people.has(id)) ask(id);
    },

    /** Somebody by number: what is known of them. */
    get(id) {
      if (id === me().id) return me();
      return people.get(id) ?? null;
    },

    /** The person whom a reference of the server names, with their full name where it is known. */
    person(reference) {
      return { ...reference, ...(reference?.id === me().id ? me() : people.get(reference?.id)) };
    },

    /** How somebody is called, from a reference or a number. */
    name(reference) {
      changes.value; // whoever shows a name follows
      const id = typeof reference === "object" ? reference?.id : reference;
      const known = this.get(id);
      if (known) return displayName(known);
      if (typeof reference !== "object" && id) ask(id);
      return typeof reference === "object" ? displayName(reference) : `Person ${id}`;
    },
  };
}
