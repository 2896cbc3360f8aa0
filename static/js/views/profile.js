/* One's own profile: picture, name and address, password, and where one is signed in. */
import { h, setAttribute, setText } from "../dom.js";
import { deviceName } from "../words.js";
import { openDialog } from "./dialogs.js";
import { keepFields } from "./keep.js";
import { busy, field, iconButton, personAvatar } from "./parts.js";

const PROFILE = "/api/users/profile/";
const when = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

/** Puts the profile's button into the top bar. `changed(user)` is called with every new state of oneself. */
export function mountProfile(shell, { call, kept, say, changed }) {
  shell.querySelector(".topbar-end").prepend(
    iconButton("person", "Profile", () => open({ call, kept, say, changed }), { testid: "profile" }));
}

async function open({ call, kept, say, changed }) {
  const user = await call("GET", PROFILE).catch((error) => say(error.message));
  if (!user) return;
  openDialog("Profile", h("div", { class: "dialog-scroll" },
    picture({ call, user, changed }),
    names({ call, kept, user, changed, say }),
    password({ call, say }),
    devices({ call })));
}

const message = (testid) => h("p", { class: "form-message", role: "alert", testid });

/** A form whose fields show what the server says about each of them. */
function form({ title, fields, action, testid, send }) {
  const said = message(`${testid}-message`);
  const submit = h("button", { type: "submit", class: "button", testid }, action);

  function show(error) {
    const rest = Object.entries(error.fields ?? {}).filter(([name]) => !fields[name]);
    for (const [name, texts] of Object.entries(error.fields ?? {})) fields[name]?.problem(texts.join(" "));
    setText(said, error.fields ? rest.map(([, texts]) => texts.join(" ")).join(" ") : error.message);
  }

  function submitted(event) {
    event.preventDefault();
    setText(said, "");
    for (const one of Object.values(fields)) one.problem("");
    const json = Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.input.value]));
    busy(submit, () => send(json).catch(show));
  }

  return h("form", { class: "dialog-form", novalidate: true, on: { submit: submitted } },
    h("h3", { class: "section-title" }, title), said,
    Object.values(fields).map(({ element }) => element), h("div", { class: "buttons" }, submit));
}

function picture({ call, user, changed }) {
  const place = h("span", { class: "avatar-place", testid: "profile-picture" });
  const said = message("picture-message");
  const choose = h("input", { type: "file", accept: "image/jpeg,image/png,image/gif", "aria-label": "New picture", testid: "picture-file" });
  const remove = h("button", { type: "button", class: "button small", testid: "picture-remove" }, "Remove");

  const show = (now) => {
    place.replaceChildren(personAvatar(now));
    setAttribute(remove, "hidden", !now.avatar);
  };

  async function become(work) {
    setText(said, "");
    try {
      await work();
      const now = await call("GET", PROFILE);
      show(now);
      changed(now);
    } catch (error) {
      setText(said, error.fields?.avatar?.join(" ") ?? error.message);
    }
  }

  choose.addEventListener("change", () => become(async () => {
    const form = new FormData();
    form.append("avatar", choose.files[0]);
    choose.value = "";
    await call("POST", `${PROFILE}avatar/`, { form });
  }));
  remove.addEventListener("click", () => busy(remove, () => become(() => call("DELETE", `${PROFILE}avatar/`))));
  show(user);
  return h("section", { class: "dialog-part" },
    h("h3", { class: "section-title" }, "Picture"), said,
    h("p", { class: "hint" }, "A JPEG, PNG or GIF of at most 5 MB. It is stored without what the camera wrote into it."),
    h("div", { class: "buttons" }, place, choose, remove));
}

function names({ call, kept, user, changed, say }) {
  const text = (name, label, type = "text") => field({ label, name, type, testid: `profile-${name}`, value: user[name] });
  const fields = {
    first_name: text("first_name", "First name"),
    last_name: text("last_name", "Last name"),
    username: text("username", "Username"),
    email: text("email", "Email", "email"),
  };
  const keep = keepFields(fields, kept.slot("profile"));
  const proof = field({
    label: "Current password", name: "current_password", type: "password", autocomplete: "current-password", testid: "profile-email_password",
    hint: "Another address needs it.",
  });
  let address = user.email;
  const isMoving = () => fields.email.input.value !== address;
  const askForProof = () => setAttribute(proof.element, "hidden", !isMoving());
  fields.email.input.addEventListener("input", askForProof);
  askForProof();
  return form({
    title: "Name and address", action: "Save", testid: "profile-save", fields: { ...fields, current_password: proof },
    async send({ current_password: secret, ...json }) {
      const now = await call("PATCH", PROFILE, { json: isMoving() ? { ...json, current_password: secret } : json });
      address = now.email;
      changed(now);
      keep.saved();
      proof.input.value = "";
      askForProof();
      say("Your profile has been saved.");
    },
  });
}

function password({ call, say }) {
  const secret = (name, label, autocomplete) => field({ label, name, type: "password", autocomplete, testid: `profile-${name}` });
  return form({
    title: "Password", action: "Change password", testid: "profile-password",
    fields: {
      current_password: secret("current_password", "Current password", "current-password"),
      new_password: secret("new_password", "New password", "new-password"),
    },
    async send(json) {
      await call("POST", `${PROFILE}password/`, { json });
      document.querySelector("dialog[open]")?.close();
      say("Your password has been changed. Sign in with the new one.");
    },
  });
}

function devices({ call }) {
  const list = h("ul", { class: "people", "aria-label": "Where you are signed in", testid: "sessions" });
  const said = message("sessions-message");

  function item(session) {
    const end = h("button", { type: "button", class: "button small", testid: "session-end" }, "End");
    end.addEventListener("click", () => busy(end, () =>
      call("DELETE", `/api/auth/sessions/${session.id}/`).then(load, (error) => setText(said, error.message))));
    return h("li", { class: "buttons", testid: "session" },
      h("span", { title: session.device }, deviceName(session.device)),
      h("span", { class: "hint" }, `${session.address}, last used ${when(session.last_used)}`),
      session.is_current ? h("span", { class: "hint" }, "this one") : end);
  }

  async function load() {
    try {
      const { results } = await call("GET", "/api/auth/sessions/", { query: { page_size: 100 } });
      list.replaceChildren(...results.map(item));
    } catch (error) {
      setText(said, error.message);
    }
  }

  load();
  return h("section", {}, h("h3", { class: "section-title" }, "Where you are signed in"), said, list);
}
