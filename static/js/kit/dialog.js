/* Questions that stand above the page. A dialog that holds words which are kept nowhere asks before it closes. */
import { Button } from "./controls.js";
import { html, signal, useLayoutEffect, useRef } from "./html.js";

const open = signal([]);
let lastId = 0;

/**
 * Shows a dialog: `content(close)` makes what stands in it. The promise is kept with what `close` is given, null when it is
 * given up.
 * @param {{ title: string, content: (close: (answer?: any) => void) => any, wide?: boolean, testid?: string }} about
 */
export function ask({ title, content, wide = false, testid }) {
  lastId += 1;
  const id = lastId;
  return new Promise((answered) => {
    const close = (answer = null) => {
      open.value = open.value.filter((dialog) => dialog.id !== id);
      answered(answer);
    };
    open.value = [...open.value, { id, title, content, wide, testid, close }];
  });
}

/** Yes or no; the safe answer has the focus. */
export const confirm = ({ title, text, action, stay = "Cancel" }) => ask({
  title,
  content: (close) => html`<p>${text}</p>
    <div class="buttons">
      <${Button} testid="stay" autofocus onClick=${() => close(false)}>${stay}</>
      <${Button} kind="danger" testid="confirm" onClick=${() => close(true)}>${action}</>
    </div>`,
});

/** When somebody else takes over the page. */
export function closeDialogs() {
  for (const dialog of open.value) dialog.close();
}

export const isDialogOpen = () => open.value.length > 0;

/** @type {WeakMap<Element, string>} what stood in a field when its dialog came */
const starts = new WeakMap();
const noteStarts = (element) => { for (const input of element.querySelectorAll("input, textarea")) starts.set(input, input.value); };
const isChanged = (input) => input.value !== (starts.get(input) ?? input.defaultValue);

/* What is searched for, and what is ticked, is no word that one would miss. */
const fieldsIn = (element) => [...element.querySelectorAll("input:not([type=search], [type=checkbox], [type=radio]), textarea")];
const isWritten = (input) => !("kept" in input.dataset) && isChanged(input);
/* A press beside it may be a slip, which must not cost the sight of words that are kept either. */
const holdsWords = (element) => fieldsIn(element).some((input) => ("kept" in input.dataset ? input.value !== input.defaultValue : isChanged(input)));
const losesWords = (element) => fieldsIn(element).some(isWritten);

/** Whether a dialog holds words that are kept nowhere. */
export const dialogsHoldWords = () => [...document.querySelectorAll("dialog[open]")].some(losesWords);

function Dialog({ title, content, wide, testid, close }) {
  const element = useRef(null);
  const pressedBeside = useRef(false); // a drag out of a field ends beside the dialog as well

  useLayoutEffect(() => { // before the next key: the paint that an effect waits for comes late in a hidden tab
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const dialog = element.current;
    dialog.showModal();
    noteStarts(dialog);
    dialog.querySelector("[autofocus]")?.focus();
    return () => {
      dialog.close(); // what is behind it takes no focus before
      if (before?.isConnected) before.focus();
    };
  }, []);

  async function leave() {
    const question = { title: "Discard what you wrote?", text: "It has not been saved.", action: "Discard", stay: "Keep writing" };
    if (!losesWords(element.current) || await confirm(question)) close();
  }

  function onKey(event) {
    event.stopPropagation(); // the page's shortcuts are for the page
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented) return;
    event.preventDefault();
    leave();
  }

  function onClick(event) {
    if (event.target === element.current && pressedBeside.current && !holdsWords(element.current)) close();
  }

  return html`<dialog ref=${element} class=${`dialog ${wide ? "wide" : ""}`} aria-label=${title} data-testid=${testid} onKeyDown=${onKey} onClick=${onClick}
    onCancel=${(event) => { event.preventDefault(); leave(); }} onPointerDown=${(event) => { pressedBeside.current = event.target === element.current; }}>
    <div class="dialog-head"><h2 class="dialog-title">${title}</h2><${Button} kind="quiet" icon="close" label="Close" testid="dialog-close" onClick=${leave} /></div>
    <div class="dialog-body">${content(close)}</div>
  </dialog>`;
}

/** Stands once at the end of the page. */
export const Dialogs = () => open.value.map((dialog) => html`<${Dialog} key=${dialog.id} ...${dialog} />`);
