/*
 * What the API docs' page needs from the document. Elements are built from
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
