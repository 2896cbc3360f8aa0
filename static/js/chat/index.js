import { Empty } from "../kit/controls.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";

export const ChatView = () => html`<${Parts} name="chat"><${Content} label="Chat"><${Empty} icon="chat"><p>Choose a room, or start a new one.</p></></></>`;
