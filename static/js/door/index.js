/* The door: an account or a new one, in one column; and where mailed links lead. */
import { Button, Field } from "../kit/controls.js";
import { html, useRef, useState } from "../kit/html.js";

const KNOWN = "taskroom.known"; // somebody has signed in with this browser

function wasHere() {
  try {
    return localStorage.getItem(KNOWN) === "1";
  } catch {
    return false;
  }
}

function noteHere() {
  try {
    localStorage.setItem(KNOWN, "1");
  } catch {
    // Then the door offers a new account first.
  }
}

/**
 * What Enter does. Whoever has filled in both names wants an account, unless they have chosen otherwise: one of
 * them signs in.
 */
export const modeFor = ({ chosen, registration, email, username }) => {
  if (!registration) return "signIn";
  return chosen ?? (email && username ? "register" : "signIn");
};

const WORDS = {
  signIn: { title: "Sign in", name: "Username or email", password: "current-password" },
  register: { title: "Create an account", name: "Username", password: "new-password" },
};

/** What a refused form says: at its fields, and above them what belongs to none. */
export function refusals(error, fields) {
  const given = Object.entries(error.fields ?? {});
  const at = Object.fromEntries(given.filter(([name]) => fields.includes(name)).map(([name, messages]) => [name, messages.join(" ")]));
  const rest = given.filter(([name]) => !fields.includes(name)).map(([name, messages]) => `${name}: ${messages.join(" ")}`);
  return { at, above: error.fields ? rest.join(" ") : error.message };
}

function Account({ actions, reason, news, registration, providers = [] }) {
  const form = useRef(null);
  const [values, setValues] = useState({ email: "", username: "", password: "" });
  const [chosen, choose] = useState(null);
  const [trouble, setTrouble] = useState({ at: {}, above: reason ?? "" });
  const [isFirst] = useState(() => !wasHere());
  const mode = modeFor({ chosen, registration, email: values.email.trim(), username: values.username.trim() });
  const words = WORDS[mode];
  const hasEmail = registration && (mode === "register" || (isFirst && !chosen));

  const inputOf = (name) => form.current.querySelector(`[name=${name}]`);
  const set = (event) => setValues({ ...values, [event.target.name]: event.target.value });

  async function act(name) {
    setTrouble({ at: {}, above: "" });
    const filled = Object.entries(values).map(([field, value]) => [field, field === "password" ? value : value.trim()]).filter(([field, value]) => value || field === "password");
    try {
      await (name === "register" ? actions.register({ email: "", ...Object.fromEntries(filled) }) : actions.signIn(Object.fromEntries(filled)));
      noteHere();
    } catch (error) {
      const found = refusals(error, Object.keys(values));
      setTrouble(found);
      const [first] = Object.keys(values).filter((field) => found.at[field]);
      if (first) setTimeout(() => inputOf(first)?.focus());
    }
  }

  /** A button does its work if there is anything to do it with; else it changes what is asked. */
  function press(name) {
    const isEmpty = !values.email && !values.username && !values.password;
    if (name === mode || !isEmpty) {
      choose(name);
      return act(name);
    }
    choose(name);
    setTimeout(() => inputOf(name === "register" ? "email" : "username")?.focus());
    return null;
  }

  const button = (name, text, testid) => html`<${Button} key=${name} kind=${name === mode ? "primary" : ""} testid=${testid} onClick=${() => press(name)}>${text}</>`;
  const field = (name, label, others) => html`<${Field} label=${label} name=${name} testid=${name} value=${values[name]} problem=${trouble.at[name]} onInput=${set} ...${others} />`;

  function submit(event) {
    event.preventDefault();
    press(mode);
  }

  return html`<form ref=${form} class="form" novalidate onSubmit=${submit} aria-labelledby="door-title">
    <h2 id="door-title" class="part-title">${words.title}</h2>
    <p class="form-message" role="alert" data-testid="sign-in-message" data-kind=${news && !trouble.above ? "news" : undefined}>${trouble.above || news || ""}</p>
    ${hasEmail && field("email", "Email", { type: "email", autocomplete: "email", inputmode: "email" })}
    ${field("username", words.name, { autocomplete: "username", autocapitalize: "none", spellcheck: "false" })}
    ${field("password", "Password", { type: "password", autocomplete: words.password })}
    <div class="buttons door-buttons">${button("signIn", "Sign in", "sign-in")}${registration && button("register", "Create account", "register")}</div>
    <button type="submit" class="only-heard" tabindex="-1" aria-hidden="true">Go on</button>
    ${!registration && html`<p class="hint" data-testid="registration-closed">New here? Ask whoever runs this server for an account.</p>`}
    ${providers.length > 0 && html`<div class="buttons" data-testid="providers">${providers.map(({ id, name, initiate_url: address }) =>
      html`<a key=${id} class="button" data-testid=${`provider-${id}`} href=${`${address}?next=${encodeURIComponent(location.pathname)}`}>${`Sign in with ${name}`}</a>`)}</div>`}
  </form>`;
}

/** Where a mailed link leads: a password, once. */
function Mailed({ actions, link: { kind, given } }) {
  const [password, setPassword] = useState("");
  const [trouble, setTrouble] = useState({ at: {}, above: "" });
  const isReset = kind === "reset";
  const name = isReset ? "new_password" : "password";

  async function send(event) {
    event.preventDefault();
    if (!password) return setTrouble({ at: { [name]: `Write the ${isReset ? "new " : ""}password first.` }, above: "" });
    try {
      return await (isReset ? actions.reset(given, password) : actions.link(given.token, password));
    } catch (error) {
      const { at, above } = refusals(error, [name]);
      /* The link itself is no field that one could correct: what is wrong with it stands above, in its own words. */
      return setTrouble({ at, above: error.fields ? Object.entries(error.fields).filter(([field]) => field !== name).flatMap(([, words]) => words).join(" ") : above });
    }
  }

  const ids = isReset ? ["new-password", "reset-message", "set-password", "reset-cancel"] : ["link-password", "link-message", "link-confirm", "link-cancel"];
  return html`<form class="form" novalidate onSubmit=${send} aria-label=${isReset ? "New password" : "Join the accounts"}>
    <p>${isReset ? "A new password for your account." : `There is an account here with the address of your ${given.provider || "other account"}. Is it yours?`}</p>
    <p class="form-message" role="alert" data-testid=${ids[1]}>${trouble.above}</p>
    <${Field} label=${isReset ? "New password" : "Password"} type="password" testid=${ids[0]} value=${password} problem=${trouble.at[name]}
      autocomplete=${isReset ? "new-password" : "current-password"} onInput=${(event) => setPassword(event.target.value)}
      hint=${isReset ? "At least 8 characters. Every device has to sign in again with it." : "That of the account here. It is asked for this once."} />
    <div class="buttons"><${Button} kind="primary" type="submit" testid=${ids[2]}>${isReset ? "Set password" : "Join them"}</>
      <${Button} testid=${ids[3]} onClick=${() => actions.giveUp()}>Not now</></div>
  </form>`;
}

/** `link` is {kind, given} where one has followed a mailed link. */
export const Door = ({ link, ...others }) => html`<main class="door"><h1 class="door-title">Taskroom</h1>
  ${link ? html`<${Mailed} link=${link} ...${others} />` : html`<${Account} ...${others} />`}</main>`;
