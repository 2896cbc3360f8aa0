/* The workspaces that one is in, as this page knows them, kept fresh by the notifications' socket. */

const PATH = "/api/v1/workspaces/";

/** `call` as in session.js, `me()` the person, `say(text)` shows a short message. */
export function createWorkspaceList({ call, me, say }) {
  const items = new Map();
  const listeners = new Set();
  const state = { status: "loading" };

  const changed = () => { for (const listener of listeners) listener(); };

  /** What is told to everybody does not say one's own role. */
  function put(workspace) {
    const old = items.get(workspace.id);
    if (old && old.version > workspace.version) return;
    items.set(workspace.id, workspace);
    changed();
  }

  function drop(id) {
    if (items.delete(id)) changed();
  }

  async function load() {
    try {
      const { results } = await call("GET", PATH, { query: { page_size: 100 } });
      const ids = new Set(results.map(({ id }) => id));
      for (const id of items.keys()) if (!ids.has(id)) items.delete(id);
      results.forEach(put);
      state.status = "ready";
    } catch (error) {
      state.status = "failed";
      say(error.message);
    }
    changed();
  }

  function receive({ type, data }) {
    if (type === "workspace_changed") put(data);
    else if (type === "workspace_left" && data.user_id === me().id) drop(data.workspace_id);
    else if (type === "resync") load();
  }

  async function again(id) {
    put(await call("GET", `${PATH}${id}/`));
  }

  return {
    state, load, receive,
    sorted: () => [...items.values()].sort((a, b) => a.name.localeCompare(b.name)),
    get: (id) => items.get(id) ?? null,
    roleOf: (workspace) => workspace.members.find(({ user_id: id }) => id === me().id)?.role ?? "member",
    watch: (listener) => listeners.add(listener),
    async create(name) {
      const made = await call("POST", PATH, { json: { name } });
      put(made);
      return made;
    },
    rename: async (id, name) => put(await call("PATCH", `${PATH}${id}/`, { json: { name } })),
    async remove(id) {
      await call("DELETE", `${PATH}${id}/`);
      drop(id);
    },
    /** Brings somebody in, or gives them another role there. */
    async setMember(id, userId, role = "member") {
      await call("POST", `${PATH}${id}/members/`, { json: { user_id: userId, role } });
      await again(id);
    },
    async removeMember(id, userId) {
      await call("DELETE", `${PATH}${id}/members/${userId}/`);
      if (userId === me().id) drop(id);
      else await again(id);
    },
  };
}
