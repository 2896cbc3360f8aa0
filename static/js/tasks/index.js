import { Empty } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";

export const View = () => html`<${Parts} name="tasks"><${Content} label="Tasks"><${Empty} icon="task"><p>Tasks</p></></></>`;
