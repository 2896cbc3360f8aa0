/* What is said about a task: comments, and where one writes them. */
import { Text } from "../chat/messagetext.js";
import { useScope } from "../app/scope.js";
import { exactTime, shortTimeOf } from "../format.js";
import { Button, PersonAvatar } from "../kit/controls.js";
import { classes, html, signal, useEffect, useRef, useState } from "../kit/html.js";
import { later } from "../kit/toast.js";
import { wordsOf } from "./engine.js";
import { MentionField } from "./mention.js";

const leaving = signal(new Set()); // comments that are gone unless somebody takes it back

const set = (id, isLeaving) => {
  const next = new Set(leaving.value);
  if (isLeaving) next.add(id);
  else next.delete(id);
  leaving.value = next;
};

export const When = ({ iso }) => html`<time class="hint" datetime=${iso} title=${exactTime(iso)}>${shortTimeOf(iso)}</time>`;

/** A button that reads on in a list, and says why where it cannot. */
export function Older({ testid, count, load }) {
  const [problem, setProblem] = useState("");
  const read = () => {
    setProblem("");
    return load().catch((error) => setProblem(wordsOf(error)));
  };
  return html`<div class="older" hidden=${!count}><${Button} small testid=${testid} hidden=${!count} onClick=${read}>${`Show older (${count})`}</><p class="problem" role="alert">${problem}</p></div>`;
}

/** Editing in place: Escape returns, and keeps the words. */
function EditComment({ comment, tasks, people, close }) {
  const slot = tasks.kept.slot(`comment-edit-${comment.id}`);
  const [text, setText] = useState(slot.get()?.text ?? comment.content);
  const [problem, setProblem] = useState("");

  function write(next) {
    setText(next);
    slot.set(next === comment.content ? null : { text: next });
  }

  async function save() {
    try {
      await tasks.editComment(comment, text);
      slot.set(null);
      close();
    } catch (error) {
      setProblem(wordsOf(error));
    }
  }

  return html`<div class="form">
    <${MentionField} id=${`comment-edit-${comment.id}`} label="Comment" testid="comment-edit" rows="3" value=${text} write=${write} send=${save} leave=${close} people=${people} />
    <p class="problem" role="alert">${problem}</p>
    <div class="buttons"><${Button} small kind="primary" testid="comment-edit-confirm" onClick=${save}>Save</><${Button} small onClick=${close}>Cancel</></div>
  </div>`;
}

function Comment({ comment, tasks, env, people, isWanted }) {
  const { directory, me, say } = useScope();
  const [isEditing, setEditing] = useState(false);
  const isMine = comment.author === me().id;
  const name = directory.name(comment.author);

  function remove() {
    set(comment.id, true);
    later("The comment has been deleted.", () => tasks.removeComment(comment).catch((error) => {
      set(comment.id, false);
      say(wordsOf(error));
    }), () => set(comment.id, false));
  }

  return html`<li class=${classes("comment", isWanted && "wanted")} tabindex="-1" data-testid="task-comment-item" data-comment-id=${comment.id}>
    <${PersonAvatar} person=${directory.person({ id: comment.author, username: name })} small />
    <div class="comment-body">
      <p class="comment-head"><strong>${name}</strong> <${When} iso=${comment.created_at} />
        ${isMine && !isEditing && html`<span class="comment-tools"><${Button} small kind="quiet" icon="edit" label="Edit comment" onClick=${() => setEditing(true)} /><${Button} small kind="quiet" icon="remove" label="Delete comment" onClick=${remove} /></span>`}</p>
      ${isEditing ? html`<${EditComment} comment=${comment} tasks=${tasks} people=${people} close=${() => setEditing(false)} />` : html`<${Text} text=${comment.content} env=${env} testid="task-comment-text" />`}
    </div></li>`;
}

function Write({ task, tasks, people, isGone, discuss }) {
  const slot = tasks.kept.slot(`comment-${task.id}`);
  const [text, setText] = useState(slot.get()?.words ?? "");
  const [problem, setProblem] = useState("");

  function write(next) {
    setText(next);
    slot.set(next ? { words: next } : null);
  }

  async function send() {
    if (isGone) return;
    setProblem("");
    const sent = text;
    try {
      await tasks.comment(sent);
      setText((now) => (now === sent ? "" : now));
      if (slot.get()?.words === sent) slot.set(null);
    } catch (error) {
      setProblem(wordsOf(error));
    }
  }

  return html`<form class="form" noValidate onSubmit=${(event) => event.preventDefault()}>
    <${MentionField} id="task-comment" label="Write a comment" testid="task-comment" rows="2" value=${text} write=${write} send=${send} people=${people} />
    <p class="problem" role="alert">${problem}</p>
    <div class="buttons"><${Button} small kind="primary" testid="task-comment-send" disabled=${isGone} onClick=${send}>Comment</>
      <${Button} small testid="task-discuss" disabled=${isGone} onClick=${() => discuss().catch((error) => setProblem(wordsOf(error)))}>Open its chat room</></div>
  </form>`;
}

/** Brings one comment before one's eyes, once; older ones are read until it is among them. */
function useWanted(tasks, target) {
  const { say } = useScope();
  const list = useRef(null);
  const shown = useRef(null);
  const { comments, moreComments } = tasks.state;

  useEffect(() => {
    if (!target || shown.current === target || !comments.length) return;
    const element = list.current.querySelector(`[data-comment-id="${target}"]`);
    if (!element && moreComments && comments[0].id > target) {
      tasks.olderComments().catch((error) => say(wordsOf(error)));
      return;
    }
    shown.current = target;
    if (!element) return say("The comment is no longer there.");
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
  }, [target, comments.length]);
  return list;
}

/**
 * `env` is what texts need, as in chat/messagetext.js; discuss() is a promise of being in the task's room;
 * `target` is the number of a comment to show.
 */
export function Comments({ tasks, task, target, env, discuss }) {
  const { directory } = useScope();
  const { state } = tasks;
  tasks.changes.value;
  const list = useWanted(tasks, target);
  const people = () => [...new Map([...task.assigned_to.map((one) => directory.person(one)), ...directory.all()].map((one) => [one.id, one])).values()];
  return html`<section class="task-section" aria-label="Comments"><h3 class="section-title">Comments</h3>
    <${Older} testid="comments-older" count=${state.moreComments} load=${tasks.olderComments} />
    <ul ref=${list} class="comments" data-testid="task-comments">${state.comments.filter(({ id }) => !leaving.value.has(id)).map((comment) => html`<${Comment} key=${comment.id} comment=${comment} tasks=${tasks} env=${env} people=${people} isWanted=${comment.id === target} />`)}</ul>
    <${Write} key=${task.id} task=${task} tasks=${tasks} people=${people} isGone=${Boolean(state.trouble)} discuss=${discuss} />
  </section>`;
}
