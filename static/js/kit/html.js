/*
 * What components are written with. Markup stands in html`...`, which makes
 * elements and never parses strings as HTML: what a person wrote stays text.
 */
import htm from "../../vendor/htm.js";
import { Component, h } from "../../vendor/preact.js";

export const html = htm.bind(h);
export { Component, createContext, render } from "../../vendor/preact.js";
export { useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/hooks.js";
export { batch, computed, effect, signal, useComputed, useSignal } from "../../vendor/signals.js";

/** A component that is rendered again only when `same(before, now)` says that its properties differ. */
export function memo(component, same) {
  return class extends Component {
    shouldComponentUpdate(next) {
      return !same(this.props, next);
    }

    render(props) {
      return component(props);
    }
  };
}

/** Classes by condition: classes("button", isSmall && "small"). */
export const classes = (...names) => names.filter(Boolean).join(" ");
