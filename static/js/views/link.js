/* Where a sign-in elsewhere leads when its address belongs to an account here: that account's password, once. */
import { h, setText } from "../dom.js";
import { busy, doorHead, field } from "./parts.js";

const IN_ADDRESS = /^#(link|verify)\?(.+)$/;

/** {link: {token, provider}} or {verify: {token}}, as the address carries it; {} where it carries neither. */
export function tokenInAddress() {
  const [, kind, text] = location.hash.match(IN_ADDRESS) ?? [];
  const given = Object.fromEntries(new URLSearchParams(text ?? ""));
  return given.token ? { [kind]: given } : {};
}

/** actions -> {confirm(password), a promise that rejects with an ApiError; giveUp()} */
export function createLink({ provider, actions }) {
  const password = field({
    label: "Password", name: "password", testid: "link-password", type: "password", autocomplete: "current-password",
    hint: "That of the account here. It is asked for this once.",
  });
  const message = h("p", { class: "form-message", role: "alert", testid: "link-message" });
  const submit = h("button", { type: "submit", class: "button primary", testid: "link-confirm" }, "Join them");
  const giveUp = h("button", { type: "button", class: "button", testid: "link-cancel", on: { click: () => actions.giveUp() } }, "Not now");

  function show(error) {
    const { password: ofPassword = [], ...others } = error.fields ?? {};
    password.problem(ofPassword.join(" "));
    setText(message, error.fields ? Object.values(others).flat().join(" ") : error.message);
    if (ofPassword.length) password.input.focus();
  }

  function send(event) {
    event.preventDefault();
    password.problem("");
    setText(message, "");
    if (!password.input.value) return show({ fields: { password: ["Write the password first."] } });
    return busy(submit, () => actions.confirm(password.input.value).catch(show));
  }

  return h("main", { class: "door narrow" },
    doorHead(`There is an account here with the address of your ${provider || "other account"}. Is it yours?`),
    h("form", { class: "card door-form", novalidate: true, "aria-label": "Join the accounts", on: { submit: send } },
      message, password.element, h("div", { class: "buttons" }, submit, giveUp)));
}
