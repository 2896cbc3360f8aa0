/* How this browser tells of what is new while one looks elsewhere. */
import { alerts, allowDesktop, desktopNow, ring, setAlerts } from "../app/alerts.js";
import { html } from "../kit/html.js";

function Choice({ label, checked, testid, onChange, disabled = false }) {
  return html`<label class="choice"><input type="checkbox" checked=${checked} disabled=${disabled} data-testid=${testid} onChange=${(event) => onChange(event.target.checked)} /><span>${label}</span></label>`;
}

export function Telling() {
  const { sound, desktop } = alerts.value;
  const trouble = desktopNow();

  function setSound(isOn) {
    setAlerts({ sound: isOn });
    if (isOn) ring();
  }

  const setDesktop = (isOn) => (isOn ? allowDesktop() : setAlerts({ desktop: false }));
  return html`<section class="telling" aria-label="How this browser tells you">
    <${Choice} label="A sound when something is new" checked=${sound} testid="alert-sound" onChange=${setSound} />
    <${Choice} label="A notification on the desktop" checked=${desktop && !trouble} disabled=${Boolean(trouble)} testid="alert-desktop" onChange=${setDesktop} />
    ${trouble && html`<p class="hint" data-testid="alert-trouble">${trouble}</p>`}
  </section>`;
}
