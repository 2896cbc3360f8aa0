import { Empty } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";

export const View = () => html`<${Parts} name="focus"><${Content} label="Focus"><${Empty} icon="timer"><p>Focus</p></></></>`;
