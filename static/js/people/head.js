/* The head of a page in this view. */
import { go } from "../app/place.js";
import { html } from "../kit/html.js";
import { Back } from "../kit/layout.js";

export const Head = ({ title, children }) => html`<header class="part-head"><${Back} go=${() => go("#people")} /><h2 class="part-title">${title}</h2>${children}</header>`;
