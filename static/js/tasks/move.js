/* Moving a task to another status, with the reason that some moves need, and the way back. */
import { Button, Field } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useRef, useState } from "../kit/html.js";
import { sayUndo } from "../kit/toast.js";
import { STATUSES, labelOf, needsReason } from "../tasks.js";
import { wordsOf } from "./engine.js";

const nameOf = (status) => labelOf(STATUSES, status);

/** Asks for a text; `send(text)` is a promise, and the dialog closes when it is kept. Until then `slot` keeps the text. */
function TextQuestion({ label, action, testid, isRequired, slot, send, close }) {
  const [text, setText] = useState(slot.get()?.text ?? "");
  const [problem, setProblem] = useState("");
  const [trouble, setTrouble] = useState("");
  const field = useRef(null);

  function write(event) {
    setText(event.target.value);
    slot.set(event.target.value ? { text: event.target.value } : null);
  }

  async function submit() {
    setProblem("");
    setTrouble("");
    if (isRequired && !text.trim()) {
      setProblem("Please write something.");
      setTimeout(() => field.current?.focus()); // after the button has given the focus back
      return null;
    }
    try {
      await send(text.trim());
      slot.set(null);
      return close(true);
    } catch (error) {
      const ofText = error.fields?.reason ?? error.fields?.content;
      return ofText ? setProblem(ofText.join(" ")) : setTrouble(wordsOf(error));
    }
  }

  function onKeyDown(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  }

  return html`<form class="form" noValidate onSubmit=${(event) => { event.preventDefault(); submit(); }}>
    <p class="form-message" role="alert">${trouble}</p>
    <${Field} label=${label} control="textarea" rows="3" maxlength="2000" testid=${testid} inputRef=${field} data-kept autofocus value=${text} problem=${problem} onInput=${write} onKeyDown=${onKeyDown} />
    <div class="buttons"><${Button} onClick=${() => close(null)}>Cancel</><${Button} kind="primary" testid=${`${testid}-confirm`} onClick=${submit}>${action}</></div>
  </form>`;
}

/** A promise of true, or null where it is given up. */
export const askText = ({ title, isRequired = true, ...question }) =>
  ask({ title, content: (close) => html`<${TextQuestion} isRequired=${isRequired} close=${close} ...${question} />` });

/** A promise of whether it moved; it is refused with the server's error. */
export async function moveTask({ tasks, task, status }) {
  if (task.status === status) return false;
  if (!needsReason(task.status, status)) {
    await tasks.move(task, status);
    return true;
  }
  const to = nameOf(status);
  const answer = await askText({
    title: `Move to ${to}`, label: `Why does “${task.title}” go from ${nameOf(task.status)} to ${to}?`,
    action: "Move", testid: "task-reason", slot: tasks.kept.slot(`reason-${task.id}-${status}`), send: (reason) => tasks.move(task, status, reason),
  });
  return Boolean(answer);
}

/** Offers the way back after a move. */
export function offerUndo({ tasks, task, say }) {
  const now = tasks.state.known.get(task.id);
  if (!now) return;
  sayUndo(`“${task.title}” is in ${nameOf(now.status)}.`, () => {
    const latest = tasks.state.known.get(task.id) ?? now;
    tasks.move(latest, task.status, "Taken back.").catch((error) => say(wordsOf(error)));
  });
}
