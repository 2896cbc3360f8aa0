/* The door: an account or a new one, in one column; and where mailed links lead. */
import { Button, Field } from "../kit/controls.js";
import { html, signal, useEffect, useRef, useState } from "../kit/html.js";
import { say } from "../kit/toast.js";

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

/** What the door says of the first person. `needs` is null once there is one, `code` that of a link that was followed. */
export function ofFirst({ needs = undefined, code = "" } = {}) {
  if (code && needs === null) return { news: "This link was for the first person, and somebody has registered already. Sign in, or create an account without it." };
  if (needs === "link" && !code) return { isKeptOut: true };
  return { isFirst: Boolean(needs), isInvited: Boolean(code) };
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
  signIn: { title: "Sign in", name: "Username or email", hint: "One of the two is enough.", password: "current-password" },
  register: { title: "Create an account", name: "Username", hint: "May stay empty: then it is made from the email.", password: "new-password" },
};

const NO_NAMES = { first_name: "", last_name: "" };

/** What a refused form says: at its fields, and above them what belongs to none. */
export function refusals(error, fields) {
  const given = Object.entries(error.fields ?? {});
  const at = Object.fromEntries(given.filter(([name]) => fields.includes(name)).map(([name, messages]) => [name, messages.join(" ")]));
  const rest = given.filter(([name]) => !fields.includes(name)).map(([name, messages]) => `${name}: ${messages.join(" ")}`);
  return { at, above: error.fields ? rest.join(" ") : error.message };
}

function FirstWords({ isKeptOut = false, isFirst = false }) {
  if (isKeptOut) return html`<p data-testid="first-needs-link">Nobody has registered here yet. Whoever is first needs the link that the server shows where it is started;
    there, <code>taskroom first-link</code> shows it again. Open that link in this browser.</p>`;
  return isFirst && html`<p data-testid="first-here">Nobody has registered here yet. Whoever does first runs this server, as its ceo; everybody else then registers without a link.</p>`;
}

function Account({ actions, reason, news, registration: isOpen, first, providers = [], forgot }) {
  const told = ofFirst(isOpen ? first : {});
  const registration = isOpen && !told.isKeptOut;
  const form = useRef(null);
  const [values, setValues] = useState({ email: "", ...NO_NAMES, username: "", password: "" });
  const [chosen, choose] = useState(told.isInvited ? "register" : null);
  const [trouble, setTrouble] = useState({ at: {}, above: reason ?? "" });
  const [isFirst] = useState(() => !wasHere());
  const mode = modeFor({ chosen, registration, email: values.email.trim(), username: values.username.trim() });
  const words = WORDS[mode];
  const hasEmail = mode === "register" || (isFirst && !chosen);

  const inputOf = (name) => form.current.querySelector(`[name=${name}]`);
  const set = (event) => setValues({ ...values, [event.target.name]: event.target.value });

  async function act(name) {
    setTrouble({ at: {}, above: "" });
    const filled = Object.entries(values).map(([field, value]) => [field, field === "password" ? value : value.trim()]).filter(([field, value]) => value || field === "password");
    try {
      const given = Object.fromEntries(told.isInvited ? [...filled, ["first_code", first.code]] : filled);
      await (name === "register" ? actions.register({ email: "", ...given }) : actions.signIn(Object.fromEntries(filled.filter(([field]) => !(field in NO_NAMES)))));
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
    <h2 id="door-title" class="part-title">${told.isInvited && mode === "register" ? "You are the first here" : words.title}</h2>
    <${FirstWords} ...${told} />
    <p class="form-message" role="alert" data-testid="sign-in-message" data-kind=${(news || told.news) && !trouble.above ? "news" : undefined}>${trouble.above || news || told.news || ""}</p>
    ${hasEmail && field("email", "Email", { type: "email", autocomplete: "email", inputmode: "email" })}
    ${registration && chosen === "register" && html`<div class="abreast">${field("first_name", "First name", { autocomplete: "given-name", maxlength: "150" })}${field("last_name", "Last name", { autocomplete: "family-name", maxlength: "150" })}</div>`}
    ${field("username", hasEmail ? "Username" : words.name, { hint: hasEmail ? words.hint : "", autocomplete: "username", autocapitalize: "none", spellcheck: "false" })}
    ${field("password", "Password", { type: "password", autocomplete: words.password })}
    ${mode === "signIn" && html`<p><button type="button" class="link" data-testid="forgot-password" onClick=${forgot}>Forgot your password?</button></p>`}
    <div class="buttons door-buttons">${button("signIn", "Sign in", "sign-in")}${registration && button("register", "Create account", "register")}</div>
    <button type="submit" class="only-heard" tabindex="-1" aria-hidden="true">Go on</button>
    ${!isOpen && html`<p class="hint" data-testid="registration-closed">New here? Ask whoever runs this server for an account.</p>`}
    ${providers.length > 0 && html`<div class="buttons" data-testid="providers">${providers.map(({ id, name, initiate_url: address }) =>
      html`<a key=${id} class="button" data-testid=${`provider-${id}`} href=${`${address}?${new URLSearchParams({ next: location.pathname, ...(told.isInvited && { first_code: first.code }) })}`}>${`Sign in with ${name}`}</a>`)}</div>`}
  </form>`;
}

/** Asks for a link to a new password. The answer is the same whether or not the address is known. */
function Forgotten({ actions, mail, back }) {
  const [email, setEmail] = useState("");
  const [trouble, setTrouble] = useState({ at: {}, above: "" });
  const [isSent, setSent] = useState(false);

  async function send(event) {
    event?.preventDefault();
    setTrouble({ at: {}, above: "" });
    try {
      await actions.askForReset(email.trim());
      setSent(true);
    } catch (error) {
      setTrouble(refusals(error, ["email"]));
    }
  }

  const words = mail
    ? "Write your address: a link with which you set a new password is mailed to it."
    : "This server sends no mail. Ask whoever runs it, or somebody of HR, for a link with which you set a new password.";
  return html`<form class="form" novalidate onSubmit=${send} aria-labelledby="door-title">
    <h2 id="door-title" class="part-title">Forgot your password?</h2>
    <p>${words}</p>
    <p class="form-message" role="alert">${trouble.above}</p>
    <p class="form-message" role="status" data-kind="news" data-testid="reset-sent">${isSent ? "If the address is known here, a link is on its way. It works once, within an hour." : ""}</p>
    ${mail && html`<${Field} label="Email" type="email" testid="reset-email" autocomplete="email" value=${email} problem=${trouble.at.email} onInput=${(event) => setEmail(event.currentTarget.value)} />`}
    <div class="buttons">${mail && html`<${Button} kind="primary" testid="send-reset" onClick=${() => send()}>Send me a link</>`}<${Button} testid="reset-back" onClick=${back}>Back</></div>
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

const secondStep = signal(null); // comes when it is needed, which is seldom

function SecondStep(given) {
  const Step = secondStep.value;
  useEffect(() => {
    import("./secondstep.js").then(({ SecondStep: step }) => { secondStep.value = step; }, () => say("The next step could not be loaded. Please reload the page."));
  }, []);
  return Step && html`<${Step} ...${given} />`;
}

/** `link` is {kind, given} where one has followed a mailed link. */
export function Door({ link, ...others }) {
  const [isForgotten, setForgotten] = useState(false);
  const shown = link?.kind === "second-factor" ? html`<${SecondStep} given=${link.given} ...${others} />`
    : link ? html`<${Mailed} link=${link} ...${others} />`
    : isForgotten ? html`<${Forgotten} back=${() => setForgotten(false)} ...${others} />`
      : html`<${Account} key=${others.first?.code} forgot=${() => setForgotten(true)} ...${others} />`;
  return html`<main class="door"><h1 class="door-title">Taskroom</h1>${shown}</main>`;
}
