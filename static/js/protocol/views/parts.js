/* The small pieces that the bench is made of, beside those of the kit. */
import { html, useState } from "../../kit/html.js";

/**
 * A part of the bench that folds away, and stays so until it is opened.
 * @param {any} props
 */
export function Section({ name, title, testid, isOpen = true, children }) {
  const [open, setOpen] = useState(() => remembered(name) ?? isOpen);
  function toggled({ currentTarget }) {
    setOpen(currentTarget.open);
    remember(name, currentTarget.open);
  }
  return html`
    <details class="section" open=${open} onToggle=${toggled}>
      <summary class="section-head" data-testid=${testid}><h2 class="section-title">${title}</h2></summary>
      ${open && html`<div class="section-body">${children}</div>`}
    </details>`;
}

const keyOf = (name) => `taskroom.bench.${name}`;

/** @param {string} name */
function remembered(name) {
  try {
    const kept = sessionStorage.getItem(keyOf(name));
    return kept === null ? null : kept === "open";
  } catch {
    return null; // a browser that stores nothing shows what is shown to everybody
  }
}

/**
 * @param {string} name
 * @param {boolean} open
 */
function remember(name, open) {
  try {
    sessionStorage.setItem(keyOf(name), open ? "open" : "closed");
  } catch {
    // As above.
  }
}

/**
 * What an error of http.js says of each field, and what is left to say.
 * @param {any} error
 * @param {string[]} names of the fields that are there
 */
export function problemsOf(error, names) {
  const all = Object.entries(error.fields ?? {}).map(([name, texts]) => [name, texts.join(" ")]);
  const known = all.filter(([name]) => names.includes(name));
  const rest = all.filter(([name]) => !names.includes(name)).map(([name, text]) => `${name}: ${text}`);
  return { ...Object.fromEntries(known), form: error.fields ? rest.join(" ") : error.message };
}
