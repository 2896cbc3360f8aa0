/* People as the view of them lists them: a page at a time, by search, role and department; and the departments. */
import { signal } from "../kit/html.js";

const PAGE = 100;

/** @param {any} scope as in app/scope.js */
export const peopleOf = (scope) => scope.engine("people", () => createPeople(scope));

export function createPeople({ call, directory }) {
  const found = signal({ items: [], count: 0, status: "loading", problem: "" });
  const departments = signal([]);
  let asked = 0;
  let query = {};

  async function fetchPage(page) {
    asked += 1;
    const mine = asked;
    try {
      const answer = await call("GET", "/api/users/", { query: { ...query, page, page_size: PAGE } });
      if (mine !== asked) return;
      directory.learn(answer.results);
      const before = page === 1 ? [] : found.value.items;
      found.value = { items: [...before, ...answer.results], count: answer.count, status: "ready", problem: "" };
    } catch (error) {
      if (mine === asked) found.value = { ...found.value, status: "failed", problem: error.message };
    }
  }

  /** Reads those that fit from the first page on. */
  function find(wanted = query) {
    query = wanted;
    return fetchPage(1);
  }

  async function loadDepartments() {
    departments.value = (await call("GET", "/api/departments/", { query: { page_size: PAGE } })).results;
  }

  function put(person) {
    directory.learn([person]);
    found.value = { ...found.value, items: found.value.items.map((one) => (one.id === person.id ? person : one)) };
    return person;
  }

  const act = (id, action, json = {}) => call("POST", `/api/users/${id}/${action}/`, { json });

  async function change(work) {
    await work;
    await loadDepartments();
  }

  return {
    found, departments, find,
    more: () => fetchPage(Math.floor(found.value.items.length / PAGE) + 1),
    loadDepartments: () => loadDepartments().catch(() => null),
    read: async (id) => put(await call("GET", `/api/users/${id}/`)),
    update: async (id, json) => put(await call("PATCH", `/api/users/${id}/`, { json })),
    async giveRole(id, role) {
      await act(id, "change_role", { role });
      return put(await call("GET", `/api/users/${id}/`));
    },
    async setActive(id, isActive) {
      await act(id, isActive ? "activate" : "deactivate");
      return put(await call("GET", `/api/users/${id}/`));
    },
    async vouch(id) {
      await act(id, "verify_email");
      return put(await call("GET", `/api/users/${id}/`));
    },
    resetSecondFactor: (id) => act(id, "reset_second_factor"),
    resetLink: async (id) => (await act(id, "reset_link")).link,
    addDepartment: (json) => change(call("POST", "/api/departments/", { json })),
    changeDepartment: (id, json) => change(call("PATCH", `/api/departments/${id}/`, { json })),
    removeDepartment: (id) => change(call("DELETE", `/api/departments/${id}/`)),
  };
}
