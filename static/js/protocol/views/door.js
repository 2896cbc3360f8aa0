/* The way in: a server and a token, or an account; and how the sockets will show it. */
import { WAYS } from "../../credentials.js";
import { Button, Field } from "../../kit/controls.js";
import { html, useEffect, useRef, useState } from "../../kit/html.js";
import { problemsOf } from "./parts.js";

const NAMES = ["email", "username", "password", "token", "server"];
const NO_ADDRESS = "Write it like http://192.168.1.10:8000";

/** @param {{bench: any}} props */
export function Door({ bench }) {
  const { settings } = bench;
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [values, setValues] = useState({ server: settings.server, token: "", email: "", username: "", password: "" });
  const [problems, setProblems] = useState(/** @type {Record<string, string>} */ ({}));
  const bind = (name) => ({
    value: values[name], problem: problems[name], testid: name, name,
    onInput: ({ currentTarget }) => setValues((now) => ({ ...now, [name]: currentTarget.value })),
  });
  useEffect(() => {
    /** @type {HTMLElement | null | undefined} */ (place.current?.querySelector("[aria-invalid]"))?.focus();
  }, [problems]);

  async function attempt(work) {
    setProblems({});
    try {
      settings.server = new URL(values.server.trim()).origin;
    } catch {
      return setProblems({ server: NO_ADDRESS });
    }
    return work().catch((error) => setProblems(problemsOf(error, NAMES)));
  }

  async function useToken() {
    const token = values.token.trim();
    return token ? attempt(() => bench.useToken(token)) : setProblems({ token: "Paste a token first." });
  }

  const account = (name) => attempt(() => bench[name](formOf(name, values)));
  const message = problems.form ?? bench.reason.value;
  return html`
    <main class="door" ref=${place}>
      <h1 class="door-title">Taskroom protocol</h1>
      <p class="hint">Watch what a server says, and say anything to it. <a href="${settings.server}/">The team's client</a> · <a href="${settings.server}/api/docs/">API docs</a></p>
      <${Form} label="With a token" send=${useToken}>
        <${Field} label="Server address" type="url" inputmode="url" spellcheck="false" ...${bind("server")} />
        <${Field} label="Access token" type="password" autocomplete="off" spellcheck="false" hint="Kept in memory only." ...${bind("token")} />
        <${Field} label="How sockets sign in" testid="credentials" control="select" options=${WAYS} value=${settings.way}
          onChange=${({ currentTarget }) => { settings.way = currentTarget.value; }} />
        <div class="buttons"><${Button} kind="primary" testid="use-token" onClick=${useToken}>Use this token</></div>
      </>
      <${Form} label="With an account" send=${() => account("signIn")}>
        <h2 class="section-title">Or with an account</h2>
        <p class="form-message" role="alert" data-testid="sign-in-message">${message}</p>
        <${Field} label="Email" type="email" autocomplete="email" ...${bind("email")} />
        <${Field} label="Username" autocomplete="username" autocapitalize="none" spellcheck="false" ...${bind("username")} />
        <${Field} label="Password" type="password" autocomplete="current-password" ...${bind("password")} />
        <div class="buttons">
          <${Button} testid="sign-in" onClick=${() => account("signIn")}>Sign in</>
          <${Button} testid="register" onClick=${() => account("register")}>Create account</>
        </div>
      </>
    </main>`;
}

/** @param {any} props */
function Form({ label, send, children }) {
  const submitted = (event) => {
    event.preventDefault();
    send();
  };
  return html`<form class="card door-form" novalidate aria-label=${label} onSubmit=${submitted}>${children}<input type="submit" hidden /></form>`;
}

/**
 * What is empty is left out; a new account needs to say that it has no address.
 * @param {string} name
 * @param {{email: string, username: string, password: string}} values
 */
function formOf(name, { email, username, password }) {
  const filled = Object.entries({ email: email.trim(), username: username.trim() }).filter(([, value]) => value);
  return { ...(name === "register" ? { email: "" } : {}), ...Object.fromEntries(filled), password };
}
