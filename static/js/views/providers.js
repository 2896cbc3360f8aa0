/* Buttons for signing in with an account elsewhere, as far as the server knows any. */
import { request } from "../http.js";
import { h } from "../dom.js";

/** Adds them to the door. The provider leads back to the server itself, so only its own page has them. */
export async function mountProviders(door, server) {
  if (new URL(server).origin !== location.origin) return;
  const { providers } = await request(server, "GET", "/api/v2/auth/social/providers/").catch(() => ({ providers: [] }));
  if (!providers.length) return;
  const links = providers.map(({ id, name, initiate_url: address }) =>
    h("a", { class: "button", href: `${address}?next=${encodeURIComponent(location.pathname)}`, testid: `provider-${id}` },
      `Sign in with ${name}`));
  door.querySelector("form").append(h("div", { class: "buttons", testid: "providers" }, links));
}
