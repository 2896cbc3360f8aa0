/* Who does the task: assigning, proposing, and what became of proposals. */
import { useScope } from "../app/scope.js";
import { Button, PersonAvatar } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useState } from "../kit/html.js";
import { PeoplePicker } from "../kit/people.js";
import { wordsOf } from "./engine.js";
import { askText } from "./move.js";

export const toggled = (chosen, person) => {
  const next = new Map(chosen);
  if (!next.delete(person.id)) next.set(person.id, person);
  return next;
};

function PeopleQuestion({ action, chosen: before = [], hide = [], send, close }) {
  const [chosen, setChosen] = useState(new Map(before.map((person) => [person.id, person])));
  const [problem, setProblem] = useState("");
  const submit = () => {
    setProblem("");
    return send([...chosen.keys()]).then(() => close(true), (error) => setProblem(wordsOf(error)));
  };
  return html`<p class="form-message" role="alert">${problem}</p>
    <${PeoplePicker} many withMe hide=${hide} chosen=${chosen} choose=${(person) => setChosen((now) => toggled(now, person))} problem=${setProblem} />
    <div class="buttons"><${Button} kind="primary" testid="task-people-confirm" onClick=${submit}>${action}</></div>`;
}

/* A dialog stands outside the views, so the question is given the scope that asks. */
const askForPeople = (scope, title, question) =>
  ask({ title, content: (close) => html`<${scope.Provide}><${PeopleQuestion} close=${close} ...${question} /></>` });

export function Assignees({ tasks, task, may }) {
  const scope = useScope();
  const { directory } = scope;
  const assign = () => askForPeople(scope, "Assigned people", { action: "Save", chosen: task.assigned_to, send: (ids) => tasks.assign(task, ids) });
  const propose = () => askForPeople(scope, "Propose this task", { action: "Propose", hide: task.assignees, send: (ids) => tasks.propose(task, ids) });
  return html`<section class="task-section" aria-label="Assigned to">
    <div class="task-section-head"><h3 class="section-title">Assigned to</h3>
      ${may.assign && html`<${Button} small kind="quiet" testid="task-assign" onClick=${() => { assign(); }}>Assign</><${Button} small kind="quiet" testid="task-propose" onClick=${() => { propose(); }}>Propose</>`}</div>
    <ul class="assignees" data-testid="task-assignees">${task.assigned_to.map((person) => html`<li key=${person.id} class="assignee" data-user-id=${person.id}><${PersonAvatar} person=${directory.person(person)} small />${directory.name(person)}</li>`)}
      ${!task.assigned_to.length && html`<li class="hint">Nobody yet.</li>`}</ul>
  </section>`;
}

/** Accept and Reject, for whom a proposal is meant. */
export function Answers({ tasks, proposal, say }) {
  if (!tasks.may.answer(proposal)) return null;
  const told = (promise) => promise.catch((error) => say(wordsOf(error)));
  const reject = () => askText({
    title: "Reject the proposal", label: "Why? (may stay empty)", action: "Reject", testid: "proposal-reason", isRequired: false,
    slot: tasks.kept.slot(`reject-${proposal.id}`), send: (reason) => tasks.respond(proposal, "reject", reason),
  });
  return html`<${Button} small kind="primary" testid="proposal-accept" onClick=${() => told(tasks.respond(proposal, "accept"))}>Accept</>
    <${Button} small testid="proposal-reject" onClick=${() => { reject(); }}>Reject</>`;
}

export function Proposals({ tasks, task }) {
  const { directory, say } = useScope();
  const { proposals = [] } = task;
  if (!proposals.length) return null;
  const withdraw = (proposal) => tasks.withdraw(proposal).catch((error) => say(wordsOf(error)));
  return html`<section class="task-section" aria-label="Proposals"><h3 class="section-title">Proposals</h3>
    <ul>${proposals.map((proposal) => html`<li key=${proposal.id} class="proposal" data-testid="task-proposal" data-proposal-id=${proposal.id} data-status=${proposal.status}>
      <span class="grow"><strong>${directory.name(proposal.user)}</strong>${` asked by ${directory.name(proposal.proposed_by)}: ${proposal.status}${proposal.reason ? `: ${proposal.reason}` : ""}`}</span>
      <${Answers} tasks=${tasks} proposal=${proposal} say=${say} />
      ${tasks.may.withdraw(proposal) && html`<${Button} small testid="proposal-withdraw" onClick=${() => withdraw(proposal)}>Withdraw</>`}</li>`)}</ul>
  </section>`;
}

/** What is proposed to oneself, above the board. */
export function MyProposals({ tasks, scope }) {
  tasks.changes.value;
  const { proposals } = tasks.state;
  if (!proposals.length) return null;
  return html`<ul class="asked" data-testid="my-proposals" aria-label="Proposed to you">${proposals.map((proposal) => html`<li key=${proposal.id} class="proposal" data-testid="my-proposal" data-proposal-id=${proposal.id}>
    <span class="grow"><strong>${scope.directory.name(proposal.proposed_by)}</strong>${` asks you to take “${proposal.task_title}”.`}</span>
    <${Answers} tasks=${tasks} proposal=${proposal} say=${scope.say} /></li>`)}</ul>`;
}
