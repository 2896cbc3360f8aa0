/* The door: an account, a new account, or a token from elsewhere; and how the socket will show it. */
import { h, setText } from "../dom.js";
import { WAYS } from "../credentials.js";
import { icon } from "../icons.js";
import { busy, doorHead, field } from "./parts.js";

/**
 * actions -> {signIn(form), register(form), useToken(token)}, each a promise
 * that rejects with an ApiError; `settings` holds server and way. `reason` says
 * why somebody has to sign in, `news` what has gone well.
 */
export function createSignIn({ settings, actions, reason = "", news = "" }) {
  const email = field({ label: "Email", name: "email", testid: "email", type: "email", autocomplete: "email", inputmode: "email" });
  const username = field({
    label: "Username", name: "username", testid: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false",
    hint: "Signs you in as well as the email does. A new account may leave it empty.",
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

  const signIn = h("button", { type: "submit", class: "button primary", testid: "sign-in" }, "Sign in");
  const register = h("button", { type: "button", class: "button", testid: "register" }, "Create account");
  const useToken = h("button", { type: "submit", class: "button", testid: "use-token" }, "Use this token");

  register.addEventListener("click", () => attempt(register, () => actions.register({ email: "", ...filled() })));

  const account = h(
    "form",
    {
      class: "door-form", novalidate: true, "aria-labelledby": "door-account",
      on: {
        submit(event) {
          event.preventDefault();
          attempt(signIn, () => actions.signIn(filled()));
        },
      },
    },
    h("h2", { id: "door-account", class: "section-title" }, "Your account"),
    message, email.element, username.element, password.element,
    h("div", { class: "buttons" }, signIn, register),
  );

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
