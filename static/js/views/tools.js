/* The test bench: how the socket signs in, trouble at the press of a button, and any frame by hand. */
import { h, setText } from "../dom.js";
import { WAYS } from "../credentials.js";
import { SILENCE_MS } from "../faults.js";
import { field } from "./parts.js";

/** actions -> {reconnect()}; `faults` as in faults.js. */
export function createTools({ settings, faults, actions }) {
  const way = field({ label: "How the socket signs in", testid: "credentials", control: "select", options: WAYS });
  way.input.value = settings.way;
  way.input.addEventListener("change", () => {
    settings.way = way.input.value;
    actions.reconnect();
  });

  const fault = (testid, label, title, click) =>
    h("button", { type: "button", class: "button small", testid, title, on: { click } }, label);

  let speakAgain = null;
  const silent = fault("go-silent", "Go silent", "Say nothing for a minute, and open a second socket that never signs in", () => {
    if (speakAgain) return speakAgain();
    speakAgain = faults.silence(() => {
      speakAgain = null;
      setText(silent, "Go silent");
      actions.spoken();
    });
    setText(silent, `Speak again (silent for ${SILENCE_MS / 1000} s)`);
  });

  const raw = field({
    label: "Raw frame, sent as it stands", testid: "raw-input", control: "textarea", rows: "2", spellcheck: "false",
  });
  raw.input.value = '{"type":"ping"}';
  raw.input.classList.add("code");
  const form = h("form",
    {
      class: "raw",
      on: {
        submit(event) {
          event.preventDefault();
          faults.raw(raw.input.value);
        },
      },
    },
    raw.element, h("button", { type: "submit", class: "button small", testid: "raw-send" }, "Send frame"));
  raw.input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });

  return {
    element: h("section", { "aria-label": "Tools" },
      h("div", { class: "panel-head" },
        h("h2", { class: "panel-title" }, "Tools"),
        h("code", { class: "hint tools-server", testid: "server" }, settings.server)),
      h("div", { class: "scroll tools" },
        way.element,
        h("div", { class: "faults", role: "group", "aria-label": "Faults" },
          fault("cut-socket", "Cut the socket", "Drop the connection as a broken cable would", () => faults.cut()),
          fault("send-nonsense", "Send nonsense", "A frame that is no JSON; the third one closes the socket with 4400", () => faults.nonsense()),
          fault("flood", "Flood", "200 messages at once on a second socket", () => faults.flood()),
          silent),
        form)),
  };
}
