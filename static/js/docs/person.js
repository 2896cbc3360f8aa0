/* Whose session the docs try things with: the one that this browser has, or a sign-in right here. */
import { h, setText } from "../dom.js";
import { createSession } from "../session.js";
import { button, field, input } from "./parts.js";

/** `changed()` is called when somebody signs in or out. */
export function createPerson(place, changed) {
  const session = createSession({ server: location.origin, ended: () => show() });
  const told = h("span", { class: "hint", role: "status" });

  function show() {
    place.replaceChildren(...(session.user ? whoIsThere() : [form()]));
    changed();
  }

  function whoIsThere() {
    return [
      h("p", { testid: "docs-person" }, "Signed in as ", h("strong", {}, session.user.username),
        ": what you try here is done in earnest."),
      button("Sign out", async () => { await session.signOut(); show(); }, { testid: "docs-sign-out" }),
    ];
  }

  function form() {
    const name = field("User name or address", input({ name: "username", autocomplete: "username", required: true, testid: "docs-username" }));
    const password = field("Password", input({ name: "password", type: "password", autocomplete: "current-password", required: true, testid: "docs-password" }));
    const submit = async (event) => {
      event.preventDefault();
      setText(told, "Signing in…");
      try {
        await session.signIn({ username: name.control.value, password: password.control.value });
        setText(told, "");
        show();
      } catch (error) {
        setText(told, error.secondStep ? "This account has a second factor: sign in with the client, then come back." : error.message);
      }
    };
    return h("form", { class: "docs-sign-in", on: { submit } },
      h("p", { class: "hint" }, "Sign in to try operations and sockets here. Only this page and the server learn of it."),
      name.element, password.element,
      h("div", { class: "buttons" }, h("button", { class: "button primary small", testid: "docs-sign-in" }, "Sign in"), told));
  }

  return {
    get user() { return session.user; },
    freshToken: () => session.freshToken(),
    renew: () => session.renew(),
    async begin() {
      await session.restore().catch(() => null);
      show();
    },
  };
}
