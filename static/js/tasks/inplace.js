/* A part of a task that reads as text: a click, or the focus, turns it into a field; Escape returns and keeps the words as a draft. */
import { exactTime } from "../format.js";
import { Button } from "../kit/controls.js";
import { html, useRef } from "../kit/html.js";
import { fromField } from "./due.js";

/** How a value of a field reads. */
function worded(name, value, options) {
  if (!value) return "nothing";
  if (name === "due_date") return exactTime(fromField(value));
  return options?.find((option) => String(option.id) === value)?.label ?? `“${value}”`;
}

function Theirs({ form, name, options }) {
  if (!form.isContested(name)) return null;
  const theirs = form.draft.value.filled[name];
  return html`<div class="theirs" role="status" data-testid="task-theirs">
    <p><span class="label">Changed meanwhile to </span><bdi class="theirs-text">${worded(name, theirs, options)}</bdi></p>
    <${Button} small testid="task-take-theirs" onClick=${() => form.takeTheirs(name)}>Take this</></div>`;
}

/** What belongs to a field whatever it looks like: what others wrote, what the server says, a draft that waits. */
function Below({ form, name, options, resume }) {
  const problem = form.problems.value[name];
  return html`<${Theirs} form=${form} name=${name} options=${options} />
    ${form.isParked(name) && html`<p class="hint">Your draft is kept. <button type="button" class="link" data-testid="task-draft" onClick=${resume}>Go on with it</button></p>`}
    ${problem && html`<p class="problem" id=${`task-${name}-problem`} role="alert">${problem}</p>`}`;
}

const testidOf = (name) => `task-${name.replace("_", "-")}`;

function leave(element) {
  element.blur();
  element.closest("[data-testid=task-detail]")?.querySelector("h2")?.focus();
}

/** `reading` is what stands there while nobody writes; `control` is input or textarea. */
export function InPlace({ form, name, label, reading, control: Control = "input", isOverlay = Control === "input", disabled = false, ...others }) {
  const field = useRef(null);
  const resume = () => field.current.focus();

  function onKeyDown(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && (Control === "input" || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.save();
    } else if (event.key === "Escape") {
      event.preventDefault();
      form.park(name);
      leave(event.target);
    }
  }

  /** A link that is read is followed; a text that is marked is not left. */
  function onClick(event) {
    if (disabled || event.target.closest("a, button") || !getSelection().isCollapsed) return;
    resume();
  }

  return html`<div class="in-place" data-field=${name} data-open=${form.isOpen(name) ? "true" : undefined} data-overlay=${isOverlay ? "true" : undefined}>
    <div class="reading" onClick=${onClick}>${reading}</div>
    <div class="writing"><${Control} ref=${field} class="input" data-testid=${testidOf(name)} aria-label=${label} data-kept dir=${others.type ? undefined : "auto"} autocomplete="off" disabled=${disabled}
      aria-invalid=${form.problems.value[name] ? "true" : undefined} aria-describedby=${form.problems.value[name] ? `task-${name}-problem` : undefined}
      value=${form.value(name)} onInput=${(event) => form.write(name, event.target.value)} onFocus=${() => form.resume(name)} onKeyDown=${onKeyDown} ...${others} /></div>
    <${Below} form=${form} name=${name} resume=${resume} />
  </div>`;
}

/** A choice that looks like text until it is pointed at. `options` are [{id, label}]. */
export function ChoiceInPlace({ form, name, label, options, disabled }) {
  const value = form.value(name);
  const shown = options.some(({ id }) => String(id) === value) ? options : [...options, { id: value, label: value ? `Number ${value}` : "None" }];
  return html`<div class="in-place" data-field=${name}>
    <select class="input quiet-select" data-testid=${testidOf(name)} aria-label=${label} disabled=${disabled} value=${value} onChange=${(event) => form.write(name, event.target.value)}>
      ${shown.map((option) => html`<option key=${option.id} value=${option.id} selected=${String(option.id) === value}>${option.label}</option>`)}</select>
    <${Below} form=${form} name=${name} options=${shown} />
  </div>`;
}
