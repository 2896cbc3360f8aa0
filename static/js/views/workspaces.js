/* One's workspaces: the list, a form for a new one, and who is in each of them. */
import { coalesce, h, reconcile, setAttribute, setText } from "../dom.js";
import { askForPerson, confirm } from "./dialogs.js";
import { keepFields } from "./keep.js";
import { busy, field, iconButton, personAvatar } from "./parts.js";

const PATH = "/api/v1/workspaces/";

/** What the page knows of workspaces, and keeps knowing through the notification socket. */
export function createWorkspaceList({ call, me, say }) {
  const items = new Map();
  const listeners = new Set();
  const state = { status: "loading" };

  const changed = () => { for (const listener of listeners) listener(); };

  function put(workspace) {
    const old = items.get(workspace.id);
    if (old && old.version > workspace.version) return;
    items.set(workspace.id, workspace);
    changed();
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
    else if (type === "workspace_left" && data.user_id === me().id && items.delete(data.workspace_id)) changed();
  }

  const again = async (id) => put(await call("GET", `${PATH}${id}/`));

  return {
    state, load, receive,
    sorted: () => [...items.values()].sort((a, b) => a.name.localeCompare(b.name)),
    roleOf: (workspace) => workspace.members.find(({ user_id: id }) => id === me().id)?.role ?? "member",
    watch: (listener) => listeners.add(listener),
    create: async (name) => put(await call("POST", PATH, { json: { name } })),
    async addMember(id, userId) {
      await call("POST", `${PATH}${id}/members/`, { json: { user_id: userId } });
      await again(id);
    },
    async removeMember(id, userId) {
      await call("DELETE", `${PATH}${id}/members/${userId}/`);
      if (userId !== me().id) return again(id);
      items.delete(id);
      changed();
    },
  };
}

export function createWorkspaces({ workspaces, api, kept, me, say, close }) {
  const list = h("ul", { class: "cards", testid: "workspaces", "aria-label": "Workspaces" });
  const empty = h("p", { class: "empty" });
  const name = field({ label: "New workspace", testid: "workspace-name", maxlength: "255", autocomplete: "off", placeholder: "Its name" });
  const submit = h("button", { type: "submit", class: "button primary", testid: "workspace-new" }, "Create");

  const keep = keepFields({ name }, kept.slot("new-workspace"));

  function send(event) {
    event.preventDefault();
    name.problem("");
    busy(submit, () => workspaces.create(name.input.value.trim()).then(
      keep.clear,
      (error) => name.problem(error.fields?.name?.join(" ") ?? error.message)));
  }

  const takeOut = (workspace, person) => workspaces.removeMember(workspace.id, person.user_id).catch((error) => say(error.message));

  function member(workspace, person, mayRemove) {
    const isMe = person.user_id === me().id;
    const remove = () => confirm(isMe
      ? { title: "Leave the workspace", text: `You will no longer see what happens in ${workspace.name}.`, action: "Leave", then: () => takeOut(workspace, person) }
      : { title: "Remove a member", text: `${person.user.username} will no longer see what happens in ${workspace.name}.`, action: "Remove", then: () => takeOut(workspace, person) });
    return h("li", { class: "member", testid: "member", data: { userId: person.user_id } },
      personAvatar(person.user),
      h("span", { class: "member-name" }, isMe ? `${person.user.username} (you)` : person.user.username),
      h("span", { class: "hint" }, person.role),
      (isMe || mayRemove) && iconButton(isMe ? "leave" : "close", isMe ? "Leave the workspace" : `Remove ${person.user.username}`, remove, { testid: "member-remove" }));
  }

  function create(workspace) {
    const role = workspaces.roleOf(workspace);
    const mayChange = role !== "member";
    return h("li", { class: "live-card", testid: "workspace-item", data: { workspaceId: workspace.id } },
      h("div", { class: "live-card-head" },
        h("h3", { class: "section-title" }, workspace.name),
        h("span", { class: "hint" }, `number ${workspace.id}`),
        mayChange && iconButton("addPerson", `Add somebody to ${workspace.name}`, () =>
          askForPerson({ api, me: me(), title: "Add a member", start: (id) => workspaces.addMember(workspace.id, id) }), { testid: "member-add" })),
      h("ul", { class: "members", "aria-label": `Members of ${workspace.name}` },
        workspace.members.map((person) => member(workspace, person, mayChange && (role === "owner" || person.role === "member")))));
  }

  function render() {
    const items = workspaces.sorted();
    reconcile(list, items, { key: ({ id }) => id, sign: (item) => JSON.stringify([item.name, item.members]), create });
    setAttribute(list, "hidden", !items.length);
    setText(empty, items.length ? "" : { loading: "Loading workspaces…", failed: "The workspaces could not be loaded." }[workspaces.state.status] ?? "You are in no workspace yet.");
  }

  workspaces.watch(coalesce(render));
  render();
  return h("section", { "aria-label": "Workspaces" },
    h("div", { class: "panel-head live-head" }, h("h2", { class: "panel-title" }, "Workspaces"), iconButton("close", "Close", close, { class: "icon-button live-close" })),
    h("div", { class: "scroll" }, h("div", { class: "live" },
      h("form", { class: "live-form", novalidate: true, on: { submit: send } }, name.element, submit),
      list, empty)));
}
