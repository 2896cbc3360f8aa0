/* Where a reset link leads: a new password for whoever holds the link. */
import { h, setText } from "../dom.js";
import { busy, doorHead, field } from "./parts.js";

const LINK_IN_ADDRESS = /^#reset\?(.+)$/;

/** What the address carries after a reset link was followed: {uid, token}, or null. */
export function resetInAddress() {
  const given = new URLSearchParams(location.hash.match(LINK_IN_ADDRESS)?.[1] ?? "");
  const [uid, token] = [given.get("uid"), given.get("token")];
  return uid && token ? { uid, token } : null;
}

/** actions -> {confirm(newPassword), a promise that rejects with an ApiError; giveUp()} */
export function createReset({ actions }) {
  const password = field({
    label: "New password", name: "new_password", testid: "new-password", type: "password", autocomplete: "new-password",
    hint: "At least 8 characters. Every device has to sign in again with it.",
  });
  const message = h("p", { class: "form-message", role: "alert", testid: "reset-message" });
  const submit = h("button", { type: "submit", class: "button primary", testid: "set-password" }, "Set password");
  const giveUp = h("button", { type: "button", class: "button", testid: "reset-cancel", on: { click: () => actions.giveUp() } }, "Not now");

  /** The link itself is no field that one could correct: what is wrong with it stands above. */
  function show(error) {
    const { new_password: ofPassword = [], ...others } = error.fields ?? {};
    password.problem(ofPassword.join(" "));
    setText(message, error.fields ? Object.values(others).flat().join(" ") : error.message);
    if (ofPassword.length) password.input.focus();
  }

  function send(event) {
    event.preventDefault();
    password.problem("");
    setText(message, "");
    if (!password.input.value) return show({ fields: { new_password: ["Write the new password first."] } });
    busy(submit, () => actions.confirm(password.input.value).catch(show));
  }

  return h("main", { class: "door narrow" },
    doorHead("A new password for your account."),
    h("form", { class: "card door-form", novalidate: true, "aria-label": "New password", on: { submit: send } },
      message, password.element, h("div", { class: "buttons" }, submit, giveUp)));
}
