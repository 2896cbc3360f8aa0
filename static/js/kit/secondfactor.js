/* What setting up a second factor shows: the app's secret, and codes for whoever has lost the app. */
import { html } from "./html.js";
import { Button } from "./controls.js";

/** @param {{ setup: { qr_code: string, secret: string } }} given */
export function AppSecret({ setup }) {
  return html`<p>Let an authenticator app read this picture, or type the key into it. Then write the code that it shows.</p>
    <p><img data-testid="second-factor-qr" src=${setup.qr_code} alt="The key as a QR code" width="180" height="180" /></p>
    <p class="hint">Key: <code data-testid="second-factor-secret">${setup.secret}</code></p>`;
}

/** @param {{ codes: string[], done: () => any }} given */
export function RecoveryCodes({ codes, done }) {
  return html`<p role="status">Keep these recovery codes where you find them without your app. Each signs you in once. They are shown only now.</p>
    <ul class="people-list" data-testid="recovery-codes" aria-label="Recovery codes">${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ul>
    <div class="buttons"><${Button} kind="primary" testid="recovery-codes-kept" onClick=${done}>I have kept them</></div>`;
}
