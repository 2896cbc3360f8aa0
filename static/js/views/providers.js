/* Buttons for signing in with an account elsewhere, as far as the server knows any. */
import { h } from "../dom.js";

/** Adds them to the door. The provider leads back to the server itself, so only its own page has them. */
export function mountProviders(door, server, providers) {
  if (new URL(server).origin !== location.origin || !providers.length) return;
  const links = providers.map(({ id, name, initiate_url: address }) =>
    h("a", { class: "button", href: `${address}?next=${encodeURIComponent(location.pathname)}`, testid: `provider-${id}` },
      `Sign in with ${name}`));
  door.querySelector("form").append(h("div", { class: "buttons", testid: "providers" }, links));
}
