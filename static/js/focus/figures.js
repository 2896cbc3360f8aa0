/* How long one has focused, and those whose figures one may see; and the sessions that are over. */
import { useScope } from "../app/scope.js";
import { shortDay } from "../format.js";
import { html, useEffect, useState } from "../kit/html.js";
import { minutesText } from "./clock.js";

const STATS = "/api/v1/focus-sessions/stats/";
const SPANS = [[7, "7 days"], [30, "30 days"], [90, "90 days"]];
const MAX_SHOWN = 10;

/** `version` is anything that differs when the figures do. */
export function Figures({ version }) {
  const { call, directory } = useScope();
  const [days, setDays] = useState(7);
  const [figures, setFigures] = useState(null);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    call("GET", STATS, { query: { days } }).then((answer) => {
      setFigures(answer);
      setProblem("");
    }, (error) => setProblem(error.message));
  }, [days, version]);

  return html`<section aria-label="Figures" data-testid="focus-figures">
    <header class="section-head"><h3 class="section-title">Figures</h3>
      <select class="input short" aria-label="Of how many days" data-testid="focus-days" value=${days} onChange=${(event) => setDays(Number(event.currentTarget.value))}>
        ${SPANS.map(([value, label]) => html`<option value=${value}>${label}</option>`)}</select></header>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    ${figures && html`<p class="focus-figure" data-testid="focus-mine"><strong class="count">${minutesText(figures.me.focus_minutes)}</strong>
      <span class="hint">${`in ${figures.me.sessions === 1 ? "1 session" : `${figures.me.sessions} sessions`}`}</span></p>`}
    ${figures?.team.length > 0 && html`<table class="figures"><caption class="only-heard">The team</caption><tbody>
      ${figures.team.slice(0, MAX_SHOWN).map(({ user, focus_minutes: minutes }) => html`<tr key=${user.id}><th scope="row">${directory.name(user)}</th><td class="count">${minutesText(minutes)}</td></tr>`)}
    </tbody></table>`}
  </section>`;
}

export function History({ focus }) {
  const over = focus.state.sessions.filter(({ id, status }) => status === "finished" && id !== focus.state.session?.id).slice(0, MAX_SHOWN);
  if (!over.length) return null;
  return html`<section aria-label="Finished sessions"><h3 class="section-title">Finished</h3>
    <ul class="focus-over" data-testid="focus-history">
      ${over.map((session) => html`<li key=${session.id} class="focus-row"><span class="people-name">${session.title}</span>
        <time class="hint" datetime=${session.finished_at}>${shortDay(session.finished_at)}</time></li>`)}
    </ul></section>`;
}
