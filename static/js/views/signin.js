/* The door: an account, a new account, or a token from elsewhere; and how the socket will show it. */
import { h, setAttribute, setText } from "../dom.js";
import { WAYS } from "../credentials.js";
import { icon } from "../icons.js";
import { busy, doorHead, field } from "./parts.js";

const MODES = {
  signIn: {
    title: "Sign in",
    hint: "Signs you in as well as the email does.",
    password: "current-password",
  },
  register: {
    title: "Create an account",
    hint: "May stay empty: then it is made from the email.",
    password: "new-password",
  },
};

/**
 * What Enter does. Whoever has filled in both names wants an account, unless
 * they have chosen otherwise: one of them signs in.
 */
export const modeFor = ({ chosen, registration, email, username }) => {
  if (!registration) return "signIn";
  return chosen ?? (email && username ? "register" : "signIn");
};

/**
 * actions -> {signIn(form), register(form), useToken(token)}, each a promise
 * that rejects with an ApiError; `settings` holds server and way. `reason` says
 * why somebody has to sign in, `news` what has gone well; `registration` whether
 * the server takes new people.
 */
export function createSignIn({ settings, actions, registration, reason = "", news = "" }) {
  const email = field({ label: "Email", name: "email", testid: "email", type: "email", autocomplete: "email", inputmode: "email" });
  const username = field({
    label: "Username", name: "username", testid: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
    hint: MODES.signIn.hint,
  });
  const password = field({ label: "Password", name: "password", testid: "password", type: "password", autocomplete: "current-password" });
  const server = field({
    label: "Server address", testid: "server", type: "url", value: settings.server, inputmode: "url", spellcheck: "false",
  });
  const way = field({
    label: "How the socket signs in", testid: "credentials", control: "select", options: WAYS,
  });
  const token = field({
    label: "Access token", testid: "token", autocomplete: "off", spellcheck: "false", type: "password",
    hint: "Instead of an account. It is kept in memory only.",
  });
  way.input.value = settings.way;
  way.input.addEventListener("change", () => { settings.way = way.input.value; });

  const message = h("p", { class: "form-message", role: "alert", testid: "sign-in-message", data: { kind: news ? "news" : null } }, news || reason);
  const fields = { email, username, password, token };

  function show(error) {
    for (const [name, messages] of Object.entries(error.fields ?? {})) fields[name]?.problem(messages.join(" "));
    const elsewhere = Object.entries(error.fields ?? {}).filter(([name]) => !fields[name]);
    const rest = elsewhere.map(([name, messages]) => `${name}: ${messages.join(" ")}`);
    speak(error.fields ? rest.join(" ") : error.message);
    Object.values(fields).find(({ input }) => input.getAttribute("aria-invalid"))?.input.focus();
  }

  function speak(text) {
    delete message.dataset.kind;
    setText(message, text);
  }

  function takeServer() {
    try {
      settings.server = new URL(server.input.value.trim()).origin;
      return true;
    } catch {
      server.problem("Write it like http://192.168.1.10:8000");
      server.input.focus();
      return false;
    }
  }

  function attempt(button, action) {
    for (const one of [...Object.values(fields), server]) one.problem("");
    speak("");
    if (takeServer()) busy(button, () => action().catch(show));
  }

  const filled = () => {
    const form = { email: email.input.value.trim(), username: username.input.value.trim(), password: password.input.value };
    return Object.fromEntries(Object.entries(form).filter(([name, value]) => value || name === "password"));
  };

  let chosen = null;
  const signIn = h("button", { type: "button", class: "button", testid: "sign-in" }, "Sign in");
  const register = h("button", { type: "button", class: "button", testid: "register" }, "Create account");
  const title = h("h2", { id: "door-account", class: "section-title" });
  const closed = h("p", { class: "hint", testid: "registration-closed" }, "New here? Ask whoever runs this server for an account.");
  const useToken = h("button", { type: "submit", class: "button", testid: "use-token" }, "Use this token");

  const acts = {
    signIn: () => attempt(signIn, () => actions.signIn(filled())),
    register: () => attempt(register, () => actions.register({ email: "", ...filled() })),
  };
  const buttons = { signIn, register };
  const mode = () => modeFor({ chosen, registration, email: email.input.value.trim(), username: username.input.value.trim() });

  /** The first button is what Enter presses. */
  function renderMode() {
    const now = mode();
    const { title: words, hint, password: completion } = MODES[now];
    setText(title, words);
    setText(username.element.querySelector(".hint"), hint);
    setAttribute(password.input, "autocomplete", completion);
    for (const [name, button] of Object.entries(buttons)) {
      button.type = name === now ? "submit" : "button";
      button.classList.toggle("primary", name === now);
    }
  }

  /** The other button does its work if there is anything to do it with; else it changes what is asked. */
  function press(name) {
    const isEmpty = !email.input.value && !username.input.value && !password.input.value;
    chosen = name;
    renderMode();
    if (!isEmpty) return acts[name]();
    return (name === "register" ? email : username).input.focus();
  }

  for (const [name, button] of Object.entries(buttons)) {
    button.addEventListener("click", (event) => {
      if (name === mode()) return; // the form's own submit
      event.preventDefault();
      press(name);
    });
  }

  const account = h(
    "form",
    {
      class: "door-form", novalidate: true, "aria-labelledby": "door-account",
      on: {
        submit(event) {
          event.preventDefault();
          acts[mode()]();
        },
        input: renderMode,
      },
    },
    title, message, email.element, username.element, password.element,
    h("div", { class: "buttons" }, signIn, registration && register), !registration && closed,
  );
  renderMode();

  const connection = h(
    "form",
    {
      class: "door-form", novalidate: true, "aria-labelledby": "door-connection",
      on: {
        submit(event) {
          event.preventDefault();
          if (!token.input.value.trim()) return token.problem("Paste a token first.");
          attempt(useToken, () => actions.useToken(token.input.value.trim()));
        },
      },
    },
    h("h2", { id: "door-connection", class: "section-title" }, "Connection"),
    server.element, way.element, token.element,
    h("div", { class: "buttons" }, useToken),
  );

  return h(
    "main",
    { class: "door" },
    doorHead("Talk with your team, and watch the protocol while you do.",
      h("a", { class: "button quiet door-docs", href: `${settings.server}/api/docs/` }, icon("book"), "API docs")),
    h("div", { class: "card door-card" }, account, connection),
  );
}
