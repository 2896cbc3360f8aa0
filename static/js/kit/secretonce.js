/* A secret that is shown once: it can be copied, and leaves the page when it has been kept. */
import { Button } from "./controls.js";
import { html, useState } from "./html.js";

/** @param {{ words: string, label: string, secret: string, testid: string, done: () => any, children?: any }} given */
export function SecretOnce({ words, label, secret, testid, done, children }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(secret).then(() => setCopied(true));
  return html`<div class="form" data-testid=${`${testid}-shown`}>
    <p role="status">${words}</p>
    <input class="input" readonly data-testid=${testid} data-kept="" aria-label=${label} value=${secret} onFocus=${(event) => event.currentTarget.select()} />
    ${children}
    <div class="buttons">${navigator.clipboard && html`<${Button} kind="primary" testid=${`${testid}-copy`} onClick=${copy}>${isCopied ? "Copied" : "Copy"}</>`}
      <${Button} testid=${`${testid}-kept`} onClick=${done}>I have kept it</></div>
  </div>`;
}
