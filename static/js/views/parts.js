/* Small pieces that several views are made of. */
import { h, setAttribute, setText } from "../dom.js";
import { icon } from "../icons.js";

const HUES = 8;

/** A picture, or initials on a colour that stays the same for one person or room. */
export function avatar({ id, name, image = null, shape = null }) {
  if (image) return h("img", { class: "avatar", src: image, alt: "", loading: "lazy" });
  const content = shape ? icon(shape) : initials(name);
  return h("span", { class: "avatar", "aria-hidden": "true", data: { hue: Number(id) % HUES } }, content);
}

function initials(name) {
  const words = (name ?? "?").split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0] ?? "?"];
  return letters.map((word) => Array.from(word)[0]).join("").toUpperCase();
}

export const personAvatar = (person) =>
  avatar({ id: person?.id ?? 0, name: person?.username, image: person?.avatar });

export function iconButton(name, label, click, props = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, ...props, on: { click } }, icon(name));
}

/** The head of every page that stands before the chat. */
export const doorHead = (words, ...others) => h("header", { class: "door-head" },
  h("span", { class: "mark large" }, icon("chat")),
  h("div", {}, h("h1", { class: "door-title" }, "Taskroom"), h("p", { class: "hint" }, words)),
  others);

let lastField = 0;

/** A labelled control with room for a hint and for what the server says about it. */
export function field({ label, hint, name, testid, control = "input", options = [], ...attributes }) {
  lastField += 1;
  const id = `field-${lastField}`;
  const isProse = control === "textarea" || (control === "input" && (attributes.type ?? "text") === "text");
  const problem = h("p", { class: "problem", id: `${id}-problem`, role: "alert" });
  const note = hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null;
  const described = [note && `${id}-hint`, `${id}-problem`].filter(Boolean).join(" ");
  const input = h(
    control,
    { id, name, testid, class: "input", dir: isProse ? "auto" : null, "aria-describedby": described, ...attributes },
    options.map(({ id: value, label: text }) => h("option", { value }, text)),
  );
  const element = h("div", { class: "field" }, h("label", { class: "label", for: id }, label), input, note, problem);
  return {
    element,
    input,
    problem(text) {
      setText(problem, text ?? "");
      setAttribute(input, "aria-invalid", text ? "true" : null);
    },
  };
}

/**
 * Keeps a button from being pressed twice while its work is under way. What is
 * disabled loses the focus: it gets it back, or what is around it if it is gone.
 */
export async function busy(button, work) {
  const hadFocus = document.activeElement === button;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    if (hadFocus) setTimeout(() => giveFocusBack(button));
  }
}

function giveFocusBack(button) {
  if (![document.body, button].includes(document.activeElement)) return;
  (button.hidden ? button.closest("[tabindex]") : button)?.focus();
}

const LINK = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]}])/g;

const isOwnPage = (address) => URL.parse?.(address)?.origin === location.origin;

/** Text with its web addresses as links; everything else stays text. Only what lies elsewhere opens beside the page. */
export function withLinks(text) {
  return text.split(LINK).map((part, index) =>
    index % 2 ? h("a", { href: part, target: isOwnPage(part) ? null : "_blank", rel: "noopener noreferrer" }, part) : part);
}
