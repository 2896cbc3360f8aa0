/* A secret, or an address that is one, at the only moment when it is shown. */
import { useScope } from "../app/scope.js";
import { Button } from "../kit/controls.js";
import { html } from "../kit/html.js";

/** What is shown once: a secret, or an address that is one. */
export function Once({ label, text, words, done }) {
  const { say } = useScope();
  const copy = () => navigator.clipboard.writeText(text).then(() => say("Copied."), () => say("Copy it by hand, please."));
  return html`<div class="surface" role="status" data-testid="hook-once"><p>${words}</p>
    <p class="hint">${label} <code data-testid="hook-secret" style=${{ overflowWrap: "anywhere" }}>${text}</code></p>
    <div class="buttons">${navigator.clipboard && html`<${Button} testid="hook-copy" onClick=${copy}>Copy</>`}
      <${Button} kind="primary" testid="hook-kept" onClick=${done}>I have kept it</></div></div>`;
}
