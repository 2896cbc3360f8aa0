import { Empty } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";

export const View = () => html`<${Parts} name="workspaces"><${Content} label="Workspaces"><${Empty} icon="spaces"><p>Workspaces</p></></></>`;
