/* A console for one kind of socket: connects with one's own session, sends examples, shows every frame as text. */
import { opening } from "../credentials.js";
import { h, setText } from "../dom.js";
import { missing, readable, target } from "./calls.js";
import { button, field, input } from "./parts.js";

const MAX_FRAMES = 200;

export function socketConsole(socket, person) {
  const examples = new Map(socket.client.map((one) => [one.type, one.example]));
  const places = new Map();
  const rows = [...socket.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    const { element, control } = field(name, input({ name, required: true, inputmode: "numeric", testid: `socket-${name}` }));
    places.set(name, control);
    return element;
  });
  const since = field("since", input({ name: "since", inputmode: "numeric", placeholder: "a seq, to hear what came after it", testid: "socket-since" }));

  const state = h("span", { class: "hint", role: "status", testid: "socket-state" }, "not connected");
  const connectButton = h("button", { class: "button primary small", testid: "socket-connect" }, "Connect");
  const frames = h("div", { class: "frames", tabindex: "0", role: "log", "aria-label": "Frames", testid: "socket-frames" });
  const chosen = field("Example", h("select", { class: "input", testid: "socket-example", on: { change: choose } },
    [...examples.keys()].map((type) => h("option", { value: type }, type))));
  const message = field("Message", h("textarea", { class: "input code", rows: "6", spellcheck: "false", testid: "socket-message", on: { keydown: sendWithKeys } }), "JSON; Ctrl and Enter sends it.");
  const sendButton = h("button", { class: "button small", disabled: true, testid: "socket-send" }, "Send");
  let open = null;

  function choose() {
    message.control.value = JSON.stringify(examples.get(chosen.control.value), null, 2);
  }

  function sendWithKeys(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!sendButton.disabled) send();
    }
  }

  function note(direction, text) {
    frames.append(h("div", { data: { direction } },
      h("span", { class: "frame-head" }, { in: "received", out: "sent", info: "" }[direction], " ", h("time", {}, new Date().toLocaleTimeString())),
      h("pre", {}, readable(text))));
    while (frames.children.length > MAX_FRAMES) frames.firstChild.remove();
    frames.scrollTop = frames.scrollHeight;
  }

  function stateIs(words, isOpen) {
    setText(state, words);
    setText(connectButton, open ? "Disconnect" : "Connect");
    sendButton.disabled = !isOpen;
  }

  async function connect() {
    const values = Object.fromEntries([...places].map(([name, control]) => [name, control.value]));
    const lacking = missing({ path: socket.path, places: values });
    if (lacking.length) {
      setText(state, `Please fill in ${lacking.join(", ")}.`);
      places.get(lacking[0]).focus();
      return;
    }
    const token = await person.freshToken();
    const { url, protocols } = opening({
      server: location.origin, path: target({ path: socket.path, places: values, query: {} }),
      way: token ? "bearer" : "cookie", token, since: since.control.value.trim() || null,
    });
    const mine = new WebSocket(url, protocols);
    open = mine;
    stateIs("connecting…", false);
    mine.onopen = () => stateIs("connected", true);
    mine.onmessage = ({ data }) => note("in", String(data));
    mine.onclose = ({ code, reason }) => {
      note("info", `closed: ${code}${reason ? ` ${reason}` : ""}`);
      if (open !== mine) return;
      open = null;
      stateIs("not connected", false);
    };
  }

  function disconnect() {
    open.close(1000);
    setText(state, "closing…");
  }

  function send() {
    open.send(message.control.value);
    note("out", message.control.value);
  }

  const onSubmit = (work) => (event) => { event.preventDefault(); work(); };
  chosen.control.value = examples.has("hello") ? "hello" : [...examples.keys()][0];
  choose();
  return [
    h("h3", { class: "part" }, "Console"),
    h("form", { class: "try", novalidate: true, on: { submit: onSubmit(() => (open ? disconnect() : connect())) } },
      h("div", { class: "try-fields" }, rows, since.element),
      h("div", { class: "buttons" }, connectButton, state)),
    h("form", { class: "try", on: { submit: onSubmit(send) } },
      chosen.element, message.element,
      h("div", { class: "buttons" }, sendButton, button("Clear", () => frames.replaceChildren()))),
    frames,
  ];
}
