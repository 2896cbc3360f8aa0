/*
 * The few things every view needs from the document. Elements are built from
 * values, never from markup, so nothing a person writes can become HTML.
 */

/**
 * h("button", { class: "x", on: { click } }, "Label", child): `on` holds
 * listeners, `data` the data-* attributes, `testid` the hook of browser tests.
 * An attribute that is null, undefined or false is left out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, data = {}, testid, ...attributes } = props;
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
  for (const [name, value] of Object.entries(data)) {
    if (value !== null && value !== undefined) element.dataset[name] = value;
  }
  if (testid) element.dataset.testid = testid;
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** Writes only what differs: an unchanged live region must not speak again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const known = new WeakMap();

/**
 * Makes the children of `parent` match `items`, in order, reusing the element
 * of every item whose `sign` (a string of all that shows) stayed the same.
 */
export function reconcile(parent, items, { key, sign, create }) {
  const before = known.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) {
    const id = key(item);
    const signature = sign(item);
    const old = before.get(id);
    after.set(id, old?.signature === signature ? old : { signature, element: create(item) });
  }
  for (const [id, entry] of before) if (after.get(id) !== entry) entry.element.remove();
  let place = parent.firstChild;
  for (const { element } of after.values()) {
    if (element === place) place = place.nextSibling;
    else parent.insertBefore(element, place);
  }
  known.set(parent, after);
}

/**
 * Runs `render` once for any number of calls made in one turn. A timer and not
 * an animation frame: a hidden tab must still update its title and its rooms.
 */
export function coalesce(render) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      render();
    });
  };
}
