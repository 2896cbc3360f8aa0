/* How the server is: the health of each part, what it tells frontends, and whether this page may call it. */
import { h, setText } from "../dom.js";
import { request } from "../http.js";
import { openDialog } from "./dialogs.js";
import { busy, field, iconButton } from "./parts.js";

const CLIENT_VERSION = "taskroom-page@1.0.0";

/** Puts the service's button into the top bar. */
export function mountService(shell, { server }) {
  shell.querySelector(".topbar-end").prepend(
    iconButton("pulse", "Service", () => openDialog("Service",
      h("div", { class: "dialog-scroll" }, health(server), config(server), probe(server))), { testid: "service" }));
}

const section = (title, ...content) => h("section", {}, h("h3", { class: "section-title" }, title), content);

const row = (name, text, state) => h("li", { class: "buttons", testid: `part-${name}`, data: { state } },
  h("span", {}, name.replace("_", " ")), h("span", { class: "hint" }, text));

function health(server) {
  const list = h("ul", { class: "people", testid: "health" });
  const words = ({ status, latency_ms: latency, waiting }) =>
    [status, latency === null ? null : `${latency} ms`, waiting ? `${waiting} waiting` : null].filter(Boolean).join(", ");

  async function load() {
    /* A 503 says as much as a 200: which part is away. */
    const answer = await fetch(new URL("/api/v2/core/health/", server)).then((it) => it.json()).catch(() => null);
    if (!answer) return list.replaceChildren(row("server", "does not answer", "unavailable"));
    const parts = Object.entries(answer.parts).map(([name, part]) => row(name, words(part), part.status));
    list.replaceChildren(row("server", `${answer.status}, version ${answer.version}, up ${Math.round(answer.uptime)} s`, answer.status), ...parts);
  }

  const again = h("button", { type: "button", class: "button small", testid: "health-again" }, "Look again");
  again.addEventListener("click", () => busy(again, load));
  load();
  return section("Health", list, h("div", { class: "buttons" }, again));
}

function config(server) {
  const text = h("pre", { class: "hint", testid: "config" });
  request(server, "GET", "/api/v2/core/config/").then(
    (answer) => setText(text, JSON.stringify(answer, null, 2)),
    (error) => setText(text, error.message));
  return section("Configuration", text);
}

/** What promptcraft's client does first: a request with a header that needs a preflight, with cookies. */
function probe(server) {
  const address = field({ label: "Server address", type: "url", value: server, testid: "probe-server" });
  const said = h("p", { role: "status", testid: "probe-said" });
  const ask = h("button", { type: "submit", class: "button", testid: "probe" }, "Probe");

  async function look(event) {
    event.preventDefault();
    address.problem("");
    let url;
    try {
      url = new URL("/api/v2/core/config/", address.input.value.trim());
    } catch {
      return address.problem("Write it like http://192.168.1.10:8000");
    }
    const headers = { "X-Client-Version": CLIENT_VERSION };
    const answer = await fetch(url, { headers, credentials: "include" }).catch(() => null);
    const own = url.origin === location.origin ? "It is this page's own server, which needs no CORS." : `It lets pages of ${location.origin} call.`;
    setText(said, answer
      ? `${url.origin} answers ${answer.status}. ${own}`
      : `${url.origin} does not answer, or does not know this page: add ${location.origin} to its cors_origins.`);
  }

  return section("CORS", h("form", { class: "dialog-form", novalidate: true, on: { submit: (event) => busy(ask, () => look(event)) } },
    address.element, said, h("div", { class: "buttons" }, ask)));
}
