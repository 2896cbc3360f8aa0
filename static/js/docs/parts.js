/* Controls that the docs' forms share. */
import { h, setText } from "../dom.js";

let count = 0;

/** A labelled control: {element, control}. */
export function field(label, control, hint = "") {
  count += 1;
  control.id ||= `field-${count}`;
  const element = h("div", { class: "field" },
    h("label", { class: "label", for: control.id }, label),
    control,
    hint && h("p", { class: "hint" }, hint));
  return { element, control };
}

export const input = (props = {}) => h("input", { class: "input", autocomplete: "off", ...props });

export const button = (label, click, props = {}) => h("button", { class: "button small", type: "button", on: { click }, ...props }, label);

/** Copies what `text()` gives. Where the browser has no clipboard (plain http), it is selected for the keys. */
export function copyButton(text, place, props = {}) {
  const told = h("span", { class: "hint", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      setText(told, "Copied.");
    } catch {
      const range = document.createRange();
      range.selectNodeContents(place);
      getSelection()?.removeAllRanges();
      getSelection()?.addRange(range);
      setText(told, document.execCommand("copy") ? "Copied." : "Selected: copy it with the keys.");
    }
  };
  return [button("Copy", copy, props), told];
}
