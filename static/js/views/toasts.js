/* Short messages that go away by themselves, in a live region so that they are also heard. */
import { h } from "../dom.js";

const SHOWN_MS = 6_000;
const MOST = 3;

export function createToasts(region) {
  return (text) => {
    const same = [...region.children].find((child) => child.textContent === text);
    same?.remove();
    const toast = h("p", { class: "toast", testid: "toast" }, text);
    region.append(toast);
    while (region.children.length > MOST) region.firstChild.remove();
    setTimeout(() => toast.remove(), SHOWN_MS);
  };
}
