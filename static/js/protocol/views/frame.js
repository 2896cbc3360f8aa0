/* One line of the log, which opens to its JSON. */
import { Component, html } from "../../kit/html.js";
import { say } from "../../kit/toast.js";
import { preciseTime, size } from "../../format.js";
import { meaningOf } from "../../reconnect.js";
import { pretty, summary } from "../entries.js";

const ARROWS = { in: "↓", out: "↑", event: "•" };
const HEARD = { in: "received", out: "sent", event: "event" };

/** An entry never changes, so a row is rendered again only when it is opened, closed or focused. */
export class Frame extends Component {
  element = /** @type {any} */ (null);
  height = 0;
  keep = (element) => { this.element = element; };

  /** @param {any} next */
  shouldComponentUpdate(next) {
    const { entry, isOpen, isFocused } = this.props;
    return next.entry !== entry || next.isOpen !== isOpen || next.isFocused !== isFocused;
  }

  componentDidMount() {
    this.tellHeight();
  }

  componentDidUpdate() {
    this.tellHeight();
  }

  /** Only now is it known how high an opened row is. */
  tellHeight() {
    const { entry, isOpen, toggled } = this.props;
    const height = isOpen ? this.element.offsetHeight : 0;
    if (isOpen && this.height !== height) toggled(entry.id, true, height);
    this.height = height;
  }

  /** @param {any} props */
  render({ entry, isOpen, isFocused, toggled, bench }) {
    const { id, direction, socket, type, code } = entry;
    const onToggle = ({ currentTarget }) => {
      if (currentTarget.open !== isOpen) toggled(id, currentTarget.open, currentTarget.offsetHeight);
    };
    return html`
      <details class="frame" ref=${this.keep} data-testid="frame" data-direction=${direction} data-type=${type} data-socket=${socket.split(" ")[0]}
        data-code=${code} data-id=${id} open=${isOpen} onToggle=${onToggle}>
        <summary tabindex=${isFocused ? 0 : -1}>
          <span class="frame-arrow" aria-hidden="true">${ARROWS[direction]}</span><span class="only-heard">${HEARD[direction]}</span>
          <span class="frame-time">${preciseTime(entry.at)}</span>
          <span class="frame-socket">${socket}</span>
          <span class="frame-type">${type}</span>
          <span class="frame-size">${entry.size === null ? "" : size(entry.size)}</span>
          <span class="frame-short">${summary(entry, meaningOf)}</span>
        </summary>
        ${isOpen && html`<${Opened} entry=${entry} bench=${bench} />`}
      </details>`;
  }
}

/** @param {any} props */
function Opened({ entry, bench }) {
  const copy = () => navigator.clipboard?.writeText(entry.text).then(() => say("Copied."), () => say("The browser did not allow copying."));
  return html`
    <div class="frame-opened">
      <pre class="frame-json" tabindex="0">${pretty(entry.text)}</pre>
      <div class="frame-actions">
        ${navigator.clipboard && html`<button type="button" class="button small" data-testid="frame-copy" onClick=${copy}>Copy</button>`}
        ${entry.direction === "out" && entry.socket !== "rest" && html`
          <button type="button" class="button small" data-testid="frame-again" onClick=${() => { bench.draft.value = pretty(entry.text); }}>Send again…</button>`}
      </div>
    </div>`;
}
