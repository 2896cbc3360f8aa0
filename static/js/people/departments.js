/* The departments: their managers, and for hr and the ceo the ways to change them. */
import { useScope } from "../app/scope.js";
import { addressOf } from "../app/place.js";
import { Button, Empty, Field } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { Form, useForm } from "../kit/form.js";
import { html, useState } from "../kit/html.js";
import { Head } from "./head.js";
import { managesDepartments } from "./rights.js";

export function Departments({ people }) {
  const { me, follow } = useScope();
  follow("me");
  const mayChange = managesDepartments(me());
  const all = people.departments.value;
  return html`<${Head} title="Departments" />
    <div class="scroll"><div class="page">
      ${mayChange && html`<${NewDepartment} people=${people} />`}
      <ul class="people-list" data-testid="departments" aria-label="Departments">
        ${all.map((department) => html`<${Department} key=${department.id} department=${department} people=${people} mayChange=${mayChange} />`)}
      </ul>
      ${!all.length && html`<${Empty} icon="people"><p>${mayChange ? "No departments yet. A department's manager hears of its tasks." : "There are no departments yet."}</p></>`}
    </div></div>`;
}

function NewDepartment({ people }) {
  const { kept } = useScope();
  const form = useForm({ name: "" }, { slot: kept.slot("new-department"), send: ({ name }) => people.addDepartment({ name: name.trim() }) });
  return html`<${Form} form=${form} label="New department"><div class="abreast end">
    <${Field} label="New department" testid="department-name" maxlength="255" autocomplete="off" ...${form.bind("name")} />
    <${Button} kind="primary" testid="department-new" onClick=${form.submit}>Create</></div></>`;
}

function Department({ department, people, mayChange }) {
  const { directory } = useScope();
  const [isOpen, setOpen] = useState(false);
  return html`<li class="people-row" data-testid="department" data-department-id=${department.id}>
    ${isOpen
      ? html`<${Change} department=${department} people=${people} close=${() => setOpen(false)} />`
      : html`<a class="people-name" href=${addressOf("people", { department: department.id })}>${department.name}</a>
        <span class="hint">${department.manager ? directory.name(department.manager) : "No manager"}</span>
        ${mayChange && html`<${Button} kind="quiet" testid="department-edit" aria-label=${`Change ${department.name}`} onClick=${() => setOpen(true)}>Change</>`}`}
  </li>`;
}

function Change({ department, people, close }) {
  const { directory, say } = useScope();
  directory.changes.value;
  const form = useForm({ name: department.name, manager: String(department.manager ?? "") }, {
    async send({ name, manager }) {
      await people.changeDepartment(department.id, { name: name.trim(), manager: manager ? Number(manager) : null });
      close();
    },
  });
  const everybody = directory.all().map((person) => ({ id: String(person.id), label: directory.name(person) })).sort((a, b) => a.label.localeCompare(b.label));
  async function remove() {
    const question = { title: "Delete the department", text: `${department.name} goes. Its people stay, without a department.`, action: "Delete" };
    if (await confirm(question)) await people.removeDepartment(department.id).catch((error) => say(error.message));
  }
  return html`<div class="grow" onKeyDown=${(event) => { if (event.key === "Escape") close(); }}><${Form} form=${form} label=${`Change ${department.name}`}>
    <div class="abreast end">
      <${Field} label="Name" testid="department-rename" maxlength="255" autofocus ...${form.bind("name")} />
      <${Field} label="Manager" testid="department-manager" control="select" options=${[{ id: "", label: "Nobody" }, ...everybody]} ...${form.bind("manager")} />
    </div>
    <div class="buttons"><${Button} kind="primary" testid="department-save" onClick=${form.submit}>Save</><${Button} onClick=${close}>Cancel</>
      <${Button} kind="danger" testid="department-delete" onClick=${remove}>Delete</></div>
  </></div>`;
}
