/* A card of the board: the title, and below it who, until when, and what there is to read. */
import { Icon, PersonAvatar } from "../kit/controls.js";
import { html, memo } from "../kit/html.js";
import { exactTime } from "../format.js";
import { PRIORITIES, labelOf } from "../tasks.js";

const MAX_FACES = 3;

export const DueChip = ({ due, iso }) => (due
  ? html`<time class="due" data-kind=${due.kind} datetime=${iso} title=${`Due ${exactTime(iso)}`}><span class="only-heard">Due: </span>${due.words}</time>`
  : null);

/** Faces of people, and how many more there are. `people` are [person], with their full names. */
export function Faces({ people }) {
  if (!people.length) return null;
  const words = people.map((person) => person.full_name || person.username).join(", ");
  const rest = people.length - MAX_FACES;
  return html`<span class="faces" role="img" aria-label=${`Assigned to ${words}`} title=${words}>${people.slice(0, MAX_FACES).map((person) => html`<${PersonAvatar} key=${person.id} person=${person} small />`)}
    ${rest > 0 && html`<span class="hint">${`+${rest}`}</span>`}</span>`;
}

const Count = ({ icon, count, words }) => (count > 0 ? html`<span class="fact" title=${words}><${Icon} name=${icon} /><span class="only-heard">${`${words}: `}</span>${count}</span>` : null);

function Facts({ task, due, people, space }) {
  return html`<span class="card-facts"><span class="only-heard">${labelOf(PRIORITIES, task.priority)}</span>
    <${DueChip} due=${due} iso=${task.due_date} />
    ${space && html`<span class="fact card-space">${space}</span>`}
    <${Count} icon="chat" count=${task.comment_count} words="Comments" /><${Count} icon="attach" count=${task.attachments.length} words="Files" />
    <${Faces} people=${people} /></span>`;
}

function Content({ card, actions }) {
  const { task, isWhole, isHome, isOpen, isCarried, problem } = card;
  return html`<div class="task-card" data-testid="task-card" role="button" tabindex=${isHome ? 0 : -1} title=${task.title}
    data-task-id=${task.id} data-status=${task.status} data-priority=${task.priority} data-version=${task.version}
    data-carried=${isCarried ? "true" : undefined} aria-current=${isOpen ? "true" : undefined} aria-describedby="board-help"
    onClick=${() => actions.open(task.id)} onKeyDown=${(event) => actions.pressed(event, task)} onFocus=${() => actions.focused(task.id)} onBlur=${() => actions.blurred()}>
    <span class="card-title" dir="auto">${task.title}</span>${isWhole && html`<${Facts} ...${card} />`}
    ${problem && html`<span class="problem" role="alert" data-testid="card-problem">${problem}</span>`}
  </div>`;
}

const SHOWN = ["task", "isWhole", "isHome", "isOpen", "isCarried", "problem", "space"];
const isSame = (before, now) => SHOWN.every((name) => before.card[name] === now.card[name])
  && before.card.due?.words === now.card.due?.words
  && before.card.people.length === now.card.people.length && before.card.people.every((one, index) => one.full_name === now.card.people[index].full_name && one.avatar === now.card.people[index].avatar);

/** `card` -> {task, due, people, space, isWhole, isHome, isOpen, isCarried, problem}, `actions` what can be done with any card. */
export const Card = memo(Content, isSame);
