/* Workspaces: those one is in, and who else is in each of them. */
import { addressOf, go, place } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { Button, Empty, Field, PersonAvatar } from "../kit/controls.js";
import { ask, confirm } from "../kit/dialog.js";
import { Form, useForm } from "../kit/form.js";
import { html, useState } from "../kit/html.js";
import { Back, Content, isPhone, List, View as Parts } from "../kit/layout.js";
import { Roving } from "../kit/list.js";
import { PeoplePicker } from "../kit/people.js";
import { workspacesOf } from "./known.js";

const ROLES = [{ id: "member", label: "Member" }, { id: "admin", label: "Admin" }, { id: "owner", label: "Owner" }];
const roleName = (role) => ROLES.find(({ id }) => id === role)?.label ?? role;
const EMPTY = { loading: "Loading workspaces…", failed: "The workspaces could not be loaded.", ready: "You are in no workspace yet." };

export const addressOfWorkspace = (id) => `#workspace-${id}`;

export function View() {
  const workspaces = workspacesOf(useScope());
  workspaces.changes.value;
  const all = workspaces.sorted();
  const { id } = place.value;
  const open = id ? workspaces.get(id) : isPhone.value ? null : all[0];
  return html`<${Parts} name="workspaces" shown=${id ? "content" : "list"}>
    <${List} title="Workspaces" after=${html`<${NewWorkspace} workspaces=${workspaces} />`}>
      <${Roving} selector=".row" aria-label="Workspaces" data-testid="workspaces">
        ${all.map((workspace) => html`<li key=${workspace.id}><a class="row" data-testid="workspace-item" data-workspace-id=${workspace.id}
          aria-current=${open?.id === workspace.id ? "true" : undefined} href=${addressOfWorkspace(workspace.id)}>
          <span class="row-name">${workspace.name}</span><span class="hint count">${workspace.members.length}</span></a></li>`)}
      </>
      ${!all.length && html`<p class="empty">${EMPTY[workspaces.state.status]}</p>`}
    </>
    <${Content} label="Workspace">
      ${open ? html`<${Workspace} key=${open.id} workspace=${open} workspaces=${workspaces} />` : html`<${Nothing} id=${id} workspaces=${workspaces} />`}
    </>
  </>`;
}

const openHooks = (scope, where, name) => import("../hooks/index.js").then(({ askForHooks }) => { askForHooks(scope, where, name); }, () => scope.say("This could not be loaded. Is the server away?"));

function Nothing({ id, workspaces }) {
  const words = id && workspaces.state.status === "ready" ? `There is no workspace ${id}, or you are not in it.` : "A workspace shares its tasks with its members. Make one, and bring your colleagues in.";
  return html`<header class="part-head"><${Back} go=${() => go("#workspaces")} /></header><${Empty} icon="spaces"><p>${words}</p></>`;
}

function NewWorkspace({ workspaces }) {
  const scope = useScope();
  const form = useForm({ name: "" }, {
    slot: scope.kept.slot("new-workspace"),
    send: async ({ name }) => go(addressOfWorkspace((await workspaces.create(name.trim())).id)),
  });
  return html`<div class="list-foot"><${Form} form=${form} label="New workspace">
    <${Field} label="New workspace" testid="workspace-name" maxlength="255" autocomplete="off" placeholder="Its name" ...${form.bind("name")} />
    <div class="buttons"><${Button} kind="primary" testid="workspace-new" onClick=${form.submit}>Create</>
      ${scope.me().role === "ceo" && html`<${Button} testid="all-hooks" onClick=${() => openHooks(scope, {}, "")}>All webhooks</>`}</div>
  </></div>`;
}

function Workspace({ workspace, workspaces }) {
  const scope = useScope();
  const { say } = scope;
  const role = workspaces.roleOf(workspace);
  const mayChange = role !== "member";
  async function remove() {
    const question = { title: "Delete the workspace", text: `${workspace.name} goes for everybody in it. Its tasks stay, without a workspace.`, action: "Delete" };
    if (!await confirm(question)) return;
    await workspaces.remove(workspace.id).then(() => place.value.id === workspace.id && go("#workspaces"), (error) => say(error.message));
  }
  return html`
    <header class="part-head"><${Back} go=${() => go("#workspaces")} /><${Name} workspace=${workspace} workspaces=${workspaces} mayChange=${mayChange} /></header>
    <div class="scroll"><div class="page">
      <div class="section-head" style=${{ flexWrap: "wrap" }}><p class="hint grow" style=${{ minWidth: "max-content" }}>${`You are ${{ owner: "its owner", admin: "an admin", member: "a member" }[role]}.`}</p>
        <div class="buttons"><${Button} kind="quiet" testid="workspace-tasks" onClick=${() => go(addressOf("tasks", { workspace: workspace.id }))}>Its tasks</>
        ${mayChange && html`<${Button} kind="quiet" testid="workspace-hooks" onClick=${() => openHooks(scope, { workspace: workspace.id }, workspace.name)}>Webhooks</>`}
        ${role === "owner" && html`<${Button} kind="quiet" testid="workspace-delete" onClick=${remove}>Delete</>`}</div></div>
      <section aria-label="Members">
        <header class="section-head"><h3 class="section-title">Members</h3>
          ${mayChange && html`<${Button} icon="addPerson" testid="member-add" onClick=${() => { askForMember({ workspace, workspaces, scope }); }}>Add somebody</>`}</header>
        <ul class="people-list" aria-label=${`Members of ${workspace.name}`}>
          ${workspace.members.map((member) => html`<${Member} key=${member.user_id} member=${member} workspace=${workspace} workspaces=${workspaces} role=${role} />`)}
        </ul>
      </section>
    </div></div>`;
}

/** Reads as a heading; a press turns it into a field. */
function Name({ workspace, workspaces, mayChange }) {
  const [isOpen, setOpen] = useState(false);
  const form = useForm({ name: workspace.name }, {
    async send({ name }) {
      await workspaces.rename(workspace.id, name.trim());
      setOpen(false);
    },
  });
  const giveUp = (event) => {
    if (event.key !== "Escape") return;
    form.reset();
    setOpen(false);
  };
  if (isOpen) {
    return html`<div class="part-title" onKeyDown=${giveUp}><${Form} form=${form} label="Name"><div class="abreast">
      <input class="input" aria-label="Name of the workspace" maxlength="255" autofocus data-testid="workspace-rename" value=${form.values.name} onInput=${form.bind("name").onInput} />
      <${Button} kind="primary" testid="workspace-rename-save" onClick=${form.submit}>Save</></div></></div>`;
  }
  return html`<h2 class="part-title" data-testid="workspace-title">${workspace.name}</h2>
    ${mayChange && html`<${Button} kind="quiet" testid="workspace-edit" onClick=${() => setOpen(true)}>Rename</>`}`;
}

function Member({ member, workspace, workspaces, role }) {
  const { me, directory, say } = useScope();
  const isMe = member.user_id === me().id;
  const mayRemove = isMe || role === "owner" || (role === "admin" && member.role === "member");
  const name = directory.name(member.user);
  const told = (work) => work.catch((error) => say(error.message));

  async function remove() {
    const question = isMe
      ? { title: "Leave the workspace", text: `You will no longer see what happens in ${workspace.name}.`, action: "Leave" }
      : { title: "Remove a member", text: `${name} will no longer see what happens in ${workspace.name}.`, action: "Remove" };
    if (await confirm(question)) await told(workspaces.removeMember(workspace.id, member.user_id));
  }

  return html`<li class="people-row" data-testid="member" data-user-id=${member.user_id}>
    <${PersonAvatar} person=${directory.person(member.user)} />
    <a class="people-name" href=${isMe ? "#profile" : `#person-${member.user_id}`}>${isMe ? `${name} (you)` : name}</a>
    ${role === "owner" && !isMe
      ? html`<select class="input short" aria-label=${`Role of ${name}`} data-testid="member-role" value=${member.role}
          onChange=${(event) => told(workspaces.setMember(workspace.id, member.user_id, event.currentTarget.value))}>
          ${ROLES.map(({ id, label }) => html`<option value=${id}>${label}</option>`)}</select>`
      : html`<span class="hint">${roleName(member.role)}</span>`}
    ${mayRemove && html`<${Button} kind="quiet" testid="member-remove" aria-label=${isMe ? "Leave the workspace" : `Remove ${name}`} onClick=${remove}>${isMe ? "Leave" : "Remove"}</>`}
  </li>`;
}

function askForMember({ workspace, workspaces, scope: { Provide } }) {
  return ask({ title: "Add a member", content: (close) => html`<${Provide}><${Chooser} workspace=${workspace} workspaces=${workspaces} close=${close} /></>` });
}

function Chooser({ workspace, workspaces, close }) {
  const [problem, setProblem] = useState("");
  const choose = (person) => workspaces.setMember(workspace.id, person.id).then(close, (error) => setProblem(error.message));
  return html`<p class="form-message" role="alert">${problem}</p>
    <${PeoplePicker} hide=${workspace.members.map(({ user_id: id }) => id)} choose=${choose} problem=${setProblem} />`;
}
