import { Empty } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";

export const View = () => html`<${Parts} name="inbox"><${Content} label="Inbox"><${Empty} icon="bell"><p>Inbox</p></></></>`;
