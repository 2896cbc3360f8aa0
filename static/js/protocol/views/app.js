/* The page around the log: who is signed in, the connection's state, and the tools beside it. */
import { Button, Icon } from "../../kit/controls.js";
import { html, useEffect, useState } from "../../kit/html.js";
import { Toasts } from "../../kit/toast.js";
import { meaningOf } from "../../reconnect.js";
import { Door } from "./door.js";
import { EventForm } from "./event.js";
import { Frames } from "./frames.js";
import { RestForm } from "./rest.js";
import { RoomPanel } from "./room.js";
import { SendForm } from "./send.js";
import { Service } from "./service.js";
import { Sockets, stateWords } from "./sockets.js";
import { Section } from "./parts.js";

const TABS = [["frames", "Frames", "frames"], ["tools", "Tools", "tools"]];

/** @param {{bench: any}} props */
export function App({ bench }) {
  return html`${bench.me.value ? html`<${Bench} bench=${bench} />` : html`<${Door} bench=${bench} />`}<${Toasts} />`;
}

/** @param {{bench: any}} props */
function Bench({ bench }) {
  const [tab, setTab] = useState("frames"); // on a small screen they take turns
  return html`
    <div class="bench" data-panel=${tab}>
      <${TopBar} bench=${bench} />
      <main class="bench-main">
        <div class="tools" data-testid="tools">
          <${Section} name="sockets" title="Sockets"><${Sockets} bench=${bench} /></>
          <${Section} name="send" title="Send a frame"><${SendForm} bench=${bench} /></>
          <${Section} name="room" title="Chat room"><${RoomPanel} bench=${bench} /></>
          <${Section} name="rest" title="REST request" isOpen=${false} testid="open-rest"><${RestForm} bench=${bench} /></>
          <${Section} name="event" title="Send an event" isOpen=${false} testid="open-sender"><${EventForm} bench=${bench} /></>
          <${Section} name="service" title="Service" isOpen=${false} testid="service"><${Service} bench=${bench} /></>
        </div>
        <${Frames} bench=${bench} />
      </main>
      <nav class="tabs" aria-label="Panels">
        ${TABS.map(([id, label, icon]) => html`
          <button type="button" class="tab" data-testid="tab-${id}" aria-current=${tab === id ? "page" : undefined}
            onClick=${() => setTab(id)}><${Icon} name=${icon} />${label}</button>`)}
      </nav>
    </div>`;
}

/** @param {{bench: any}} props */
function TopBar({ bench }) {
  const { server } = bench.settings;
  return html`
    <header class="topbar">
      <h1 class="brand">Taskroom protocol</h1>
      <code class="topbar-server" data-testid="server">${server}</code>
      <${Connection} bench=${bench} />
      <span class="topbar-end">
        <a class="button quiet small" href="${server}/">Client</a>
        <a class="button quiet small" href="${server}/api/docs/" target="_blank" rel="noopener">API docs</a>
        <span class="whoami" data-testid="whoami">${bench.me.value.username}</span>
        <${Button} small testid="sign-out" onClick=${bench.signOut}>Sign out</>
      </span>
    </header>`;
}

const TICK_MS = 500;

/** The chat's connection; while it is away, why, and a way to try at once. @param {{bench: any}} props */
function Connection({ bench }) {
  const state = bench.connection.value;
  const [, tick] = useState(0);
  const isWaiting = state.name === "waiting";
  useEffect(() => {
    if (!isWaiting) return undefined;
    const ticking = setInterval(() => tick((count) => count + 1), TICK_MS);
    return () => clearInterval(ticking);
  }, [isWaiting]);
  const isAway = isWaiting || state.name === "closed";
  return html`
    <span class="pill" data-testid="connection-state" data-state=${state.name} role="status">${stateWords(state)}</span>
    ${isAway && html`<span class="notice" data-testid="notice">${meaningOf(state.code, state.reason)}</span>
      <${Button} small testid="reconnect" onClick=${() => bench.open("chat")}>Reconnect now</>`}`;
}
