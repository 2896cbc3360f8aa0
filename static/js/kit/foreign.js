/* A place for an element that is built without components. */
import { html, useLayoutEffect, useRef } from "./html.js";

/** Shows `element` as long as it is rendered; its own listeners and state go on meanwhile. */
export function Foreign({ element, class: name = "" }) {
  const place = useRef(null);
  useLayoutEffect(() => {
    place.current.replaceChildren(element);
  }, [element]);
  return html`<div ref=${place} class=${name}></div>`;
}
