import { Empty } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";

export const View = () => html`<${Parts} name="people"><${Content} label="People"><${Empty} icon="people"><p>People</p></></></>`;
