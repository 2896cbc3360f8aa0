/* What stands beside the list of people while nobody is chosen: figures, for those who may read them. */
import { useScope } from "../app/scope.js";
import { Empty } from "../kit/controls.js";
import { html, useEffect, useState } from "../kit/html.js";
import { readsFigures, roleName } from "./rights.js";

export function Overview() {
  const { call, me } = useScope();
  const [figures, setFigures] = useState(null);
  const mayRead = readsFigures(me());
  useEffect(() => {
    if (mayRead) call("GET", "/api/users/stats/").then(setFigures, () => null);
  }, [mayRead]);
  return html`<header class="part-head"><h2 class="part-title">Everybody</h2></header>
    <div class="scroll">${figures
      ? html`<div class="page"><${Figures} figures=${figures} /></div>`
      : html`<${Empty} icon="people"><p>Choose somebody to see who they are, or to write to them.</p></>`}</div>`;
}

function Figures({ figures }) {
  const { total, active, online, by_role: byRole } = figures;
  const counts = [["people", total], ["active", active], ["online", online]].filter(([, count]) => count !== undefined);
  return html`<div data-testid="people-figures">
    <dl class="facts-line">${counts.map(([words, count]) => html`<div key=${words}><dt class="hint">${words}</dt><dd class="count">${count}</dd></div>`)}</dl>
    ${byRole && html`<table class="figures"><caption class="section-title">By role</caption><tbody>
      ${Object.entries(byRole).filter(([, count]) => count > 0).map(([role, count]) => html`<tr key=${role}><th scope="row">${roleName(role)}</th><td class="count">${count}</td></tr>`)}
    </tbody></table>`}
  </div>`;
}
