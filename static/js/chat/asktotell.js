/* Asks once how one wants to be told, after the first thing that was worth telling. */
import { alerts, allowDesktop, desktopNow, isAsking, ring, setAlerts } from "../app/alerts.js";
import { Button } from "../kit/controls.js";
import { html } from "../kit/html.js";

function answered(change) {
  setAlerts({ asked: true, ...change });
  isAsking.value = false;
}

function sound() {
  ring();
  answered({ sound: true });
}

async function desktop() {
  await allowDesktop();
  answered({});
}

export function AskToTell() {
  if (!isAsking.value || alerts.value.asked) return null;
  const trouble = desktopNow();
  return html`<section class="ask-alerts" aria-label="Being told" data-testid="ask-alerts">
    <p>Something came while you looked elsewhere. How shall this browser tell you?</p>
    <div class="buttons"><${Button} small kind="primary" testid="ask-sound" onClick=${sound}>A sound</>
      ${!trouble && html`<${Button} small testid="ask-desktop" onClick=${desktop}>On the desktop</>`}
      <${Button} small kind="quiet" testid="ask-no" onClick=${() => answered({})}>Not at all</></div>
    ${trouble && html`<p class="hint">${trouble}</p>`}
  </section>`;
}
