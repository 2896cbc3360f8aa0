/* One's own profile: picture, name and address, when one is left alone, password, theme, where one is signed in, and what programs may. */
import { place } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { setTheme, theme, THEMES } from "../app/theme.js";
import { Button, Field, PersonAvatar } from "../kit/controls.js";
import { Form, useForm } from "../kit/form.js";
import { html, useEffect, useRef, useState } from "../kit/html.js";
import { CalendarAddress } from "./calendar.js";
import { Head } from "./head.js";
import { Facts } from "./person.js";
import { Quiet } from "./quiet.js";
import { SecondFactor } from "./secondfactor.js";
import { StatusForm } from "./statusform.js";
import { Sessions } from "./sessions.js";
import { Tokens } from "./tokens.js";

const PROFILE = "/api/users/profile/";
const NAMES = ["first_name", "last_name", "username", "email"];

export function Profile({ people }) {
  const { call, becomeMe, follow, me, say } = useScope();
  const [isRead, setRead] = useState(false);
  follow("me");
  useEffect(() => {
    call("GET", PROFILE).then((user) => {
      becomeMe({ hold_while_focusing: true, quiet_hours: null, ...user });
      setRead(true);
    }, (error) => say(error.message));
  }, []);
  const user = me();
  return html`<${Head} title="Profile" />
    <div class="scroll"><div class="page" data-testid="profile-page">
      <${Picture} user=${user} />
      <${Facts} person=${user} isOnline departments=${people.departments.value} />
      <section class="surface" aria-label="Status"><h3 class="section-title">Status</h3><${StatusForm} key=${`${user.status_emoji} ${user.status_text} ${user.status_until}`} done=${() => say("Your status has been saved.")} /></section>
      <${Names} user=${user} />
      ${isRead && html`<${Quiet} user=${user} isWanted=${place.value.query.part === "quiet"} />`}
      <${Theme} />
      <${Password} />
      <${SecondFactor} />
      <${Sessions} />
      <${Tokens} />
      <${CalendarAddress} />
    </div></div>`;
}

function Picture({ user }) {
  const { call, becomeMe } = useScope();
  const [problem, setProblem] = useState("");
  const file = useRef(null);

  async function become(work) {
    setProblem("");
    try {
      await work();
      becomeMe(await call("GET", PROFILE));
    } catch (error) {
      setProblem(error.fields?.avatar?.join(" ") ?? error.message);
    }
  }

  function chosen() {
    const form = new FormData();
    form.append("avatar", file.current.files[0]);
    file.current.value = "";
    return become(() => call("POST", `${PROFILE}avatar/`, { form }));
  }

  return html`<section class="surface" aria-label="Picture">
    <p class="form-message" role="alert" data-testid="picture-message">${problem}</p>
    <div class="person-head">
      <span class="avatar-place" data-testid="profile-picture"><${PersonAvatar} person=${user} /></span>
      <div class="grow"><p class="person-head-name">${user.full_name || user.username}</p><p class="hint">${`@${user.username}`}</p></div>
      <div class="buttons">
        <label class="button file-button">New picture<input ref=${file} class="only-heard" type="file" accept="image/jpeg,image/png,image/gif" data-testid="picture-file" onChange=${chosen} /></label>
        ${user.avatar && html`<${Button} testid="picture-remove" onClick=${() => become(() => call("DELETE", `${PROFILE}avatar/`))}>Remove</>`}
      </div>
    </div>
    <p class="hint">A JPEG, PNG or GIF of at most 5 MB. It is stored without what the camera wrote into it.</p>
  </section>`;
}

function Names({ user }) {
  const { call, becomeMe, kept, say } = useScope();
  /** @type {Record<string, string>} */
  const start = { ...Object.fromEntries(NAMES.map((name) => [name, user[name] ?? ""])), current_password: "" };
  const form = useForm(start, {
    slot: kept.slot("profile"), secret: ["current_password"],
    async send(_values, changed) {
      const { current_password: secret, ...rest } = changed;
      becomeMe(await call("PATCH", PROFILE, { json: "email" in rest ? { ...rest, current_password: secret ?? "" } : rest }));
      say("Your profile has been saved.");
    },
  });
  const isMoving = form.values.email !== start.email;
  return html`<section class="surface" aria-label="Name and address">
    <h3 class="section-title">Name and address</h3>
    <${Form} form=${form} label="Name and address" testid="profile-save">
      <div class="abreast"><${Field} label="First name" testid="profile-first_name" autocomplete="given-name" ...${form.bind("first_name")} />
        <${Field} label="Last name" testid="profile-last_name" autocomplete="family-name" ...${form.bind("last_name")} /></div>
      <${Field} label="Username" testid="profile-username" autocomplete="username" autocapitalize="none" spellcheck="false" ...${form.bind("username")} />
      <${Field} label="Email" type="email" testid="profile-email" autocomplete="email" ...${form.bind("email")} />
      ${isMoving && html`<${Field} label="Current password" type="password" testid="profile-email_password" autocomplete="current-password" hint="Another address needs it." ...${form.bind("current_password")} />`}
      <div class="buttons"><${Button} kind=${form.isChanged ? "primary" : ""} testid="profile-save" onClick=${form.submit}>Save</>
        ${form.isChanged && html`<${Button} testid="profile-reset" onClick=${form.reset}>Cancel</>`}</div>
    </>
    <${Verification} user=${user} />
  </section>`;
}

function Verification({ user }) {
  const { call, say } = useScope();
  if (!user.email || user.email_verified) return null;
  const send = () => call("POST", `${PROFILE}email/verify/`, { json: {} }).then(
    () => say("A link is on its way to your address, if this server sends mail."),
    (error) => say(error.message));
  return html`<p class="hint">Your address has not been verified. Signing in with an account elsewhere needs that.</p>
    <div class="buttons"><${Button} small testid="profile-verify" onClick=${send}>Send me a link</></div>`;
}

function Theme() {
  return html`<section class="surface" aria-label="Theme"><${Field} label="Theme" testid="profile-theme" control="select" options=${THEMES} value=${theme.value}
    onChange=${(event) => setTheme(event.currentTarget.value)} /></section>`;
}

function Password() {
  const { call, say } = useScope();
  const form = useForm({ current_password: "", new_password: "" }, {
    secret: ["current_password", "new_password"],
    async send(json) {
      await call("POST", `${PROFILE}password/`, { json });
      say("Your password has been changed. Sign in with the new one.");
    },
  });
  return html`<section class="surface" aria-label="Password">
    <h3 class="section-title">Password</h3>
    <${Form} form=${form} label="Password" testid="profile-password">
      <${Field} label="Current password" type="password" testid="profile-current_password" autocomplete="current-password" ...${form.bind("current_password")} />
      <${Field} label="New password" type="password" testid="profile-new_password" autocomplete="new-password" hint="At least 8 characters. Every device has to sign in again with it, and API tokens end." ...${form.bind("new_password")} />
      <div class="buttons"><${Button} testid="profile-password" onClick=${form.submit}>Change password</></div>
    </>
  </section>`;
}
