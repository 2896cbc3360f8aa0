/* A form: what is written into it, kept until it has been sent, and what the server says of each field. */
import { html, useRef, useState } from "./html.js";

/**
 * What a refusal says: at the fields that are there, and above them what belongs to none.
 * @param {any} error as in http.js
 * @param {string[]} names of the fields that are there
 */
export function refusals(error, names) {
  const given = Object.entries(error.fields ?? {}).map(([name, texts]) => [name, texts.join(" ")]);
  const at = Object.fromEntries(given.filter(([name]) => names.includes(name)));
  const rest = given.filter(([name]) => !names.includes(name)).map(([, text]) => text);
  return { at, above: error.fields ? rest.join(" ") : error.message };
}

/**
 * `start` are the values as they are saved; what somebody has changed is kept in `slot`, but for the names in `secret`.
 * `send(values, changed)` is a promise; when it is kept, the form holds no unsent words any more.
 * @param {Record<string, any>} start
 * @param {{ send: (values: any, changed: any) => Promise<any>, slot?: any, secret?: string[] }} options
 */
export function useForm(start, { send, slot = null, secret = [] }) {
  const [edits, setEdits] = useState(() => slot?.get() ?? {});
  const [trouble, setTrouble] = useState({ at: {}, above: "" });
  const now = useRef(edits);
  const values = { ...start, ...edits };

  function put(next) {
    now.current = next;
    setEdits(next);
    const kept = Object.entries(next).filter(([name]) => !secret.includes(name));
    slot?.set(kept.length ? Object.fromEntries(kept) : null);
  }

  function set(name, value) {
    const next = { ...now.current, [name]: value };
    if (value === start[name]) delete next[name];
    put(next);
  }

  async function submit() {
    setTrouble({ at: {}, above: "" });
    try {
      await send({ ...start, ...now.current }, now.current);
      put({});
    } catch (error) {
      setTrouble(refusals(error, Object.keys(start)));
    }
  }

  return {
    values, set, submit,
    isChanged: Object.keys(edits).length > 0,
    above: trouble.above,
    reset: () => put({}),
    /** What a Field needs to hold one of the values. */
    bind: (name) => ({
      name, value: values[name], problem: trouble.at[name],
      "data-kept": slot && !secret.includes(name) ? "" : undefined,
      onInput: (event) => set(name, event.currentTarget.value),
    }),
  };
}

/** The form element: Enter sends it, and what is wrong with the whole of it stands first. */
export const Form = ({ form, testid, label, children }) => html`
  <form class="form" novalidate aria-label=${label} onSubmit=${(event) => { event.preventDefault(); form.submit(); }}>
    <p class="form-message" role="alert" data-testid=${testid && `${testid}-message`}>${form.above}</p>
    ${children}
    <input type="submit" hidden />
  </form>`;
