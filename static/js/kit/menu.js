/* A button with a menu behind it: arrows move, Enter chooses, Escape goes back to the button. */
import { Icon, Button } from "./controls.js";
import { html, useLayoutEffect, useRef, useState } from "./html.js";
import { roving } from "./list.js";

const MARGIN = 8;

/** Beside its button, and inside the window: where it fits neither below nor above, as near as it can be. */
function place(menu, button) {
  const [about, own] = [button.getBoundingClientRect(), menu.getBoundingClientRect()];
  const below = about.bottom + 4;
  const wanted = below + own.height + MARGIN < innerHeight ? below : about.top - own.height - 4;
  const top = Math.max(MARGIN, Math.min(wanted, innerHeight - own.height - MARGIN));
  const left = Math.max(MARGIN, Math.min(about.left, innerWidth - own.width - MARGIN));
  Object.assign(menu.style, { top: `${top}px`, left: `${left}px` });
}

/** Keeps it there while items come or the window changes. Returns what ends it. */
function keepPlace(menu, button) {
  const again = () => place(menu, button);
  const resized = new ResizeObserver(again);
  resized.observe(menu);
  addEventListener("resize", again);
  again();
  return () => {
    resized.disconnect();
    removeEventListener("resize", again);
  };
}

/**
 * `items` are {label, onClick | href, icon?, key?, kind?, checked?, testid?, isHidden?}, or "line"; `button` are the properties
 * of the button, `children` its content.
 */
export function Menu({ items, label, button = {}, children, header = null }) {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef(null);
  const place_ = useRef(null);

  useLayoutEffect(() => {
    if (!isOpen) return undefined;
    menu.current.showPopover();
    const leave = keepPlace(menu.current, place_.current.firstElementChild);
    menu.current.querySelector(".menu-item")?.focus();
    const beside = (event) => { if (!place_.current?.contains(event.target)) setOpen(false); };
    addEventListener("pointerdown", beside);
    return () => {
      leave();
      removeEventListener("pointerdown", beside);
    };
  }, [isOpen]);

  function close() {
    setOpen(false);
    place_.current?.firstElementChild.focus();
  }

  function onKey(event) {
    if (!isOpen) return;
    event.stopPropagation(); // the arrows are for the menu, not for what it stands in
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close();
    } else {
      roving(event, menu.current, ".menu-item");
    }
  }

  function choose(item) {
    close();
    return item.onClick?.();
  }

  return html`<span class="menu-place" ref=${place_} onKeyDown=${onKey}>
    <${Button} label=${label} aria-haspopup="menu" aria-expanded=${String(isOpen)} ...${button} onClick=${() => setOpen(!isOpen)}>${children}</>
    ${isOpen && html`<div ref=${menu} class="menu" role="menu" aria-label=${label} popover="manual">
      ${header}
      ${items.filter((item) => item && !item.isHidden).map((item) => (item === "line" ? html`<div class="menu-line" role="separator"></div>` : html`<${Item} item=${item} choose=${choose} />`))}
    </div>`}
  </span>`;
}

function Item({ item, choose }) {
  const { label, icon, key, kind, checked, testid, href } = item;
  const role = checked === undefined ? "menuitem" : "menuitemcheckbox";
  const shared = { class: "menu-item", role, tabindex: -1, "data-testid": testid, "data-kind": kind, "aria-checked": checked === undefined ? undefined : String(checked) };
  const words = html`${icon && html`<${Icon} name=${icon} />`}<span>${label}</span>${key && html`<span class="key">${key}</span>`}`;
  return href
    ? html`<a ...${shared} href=${href} target="_blank" rel="noopener" onClick=${() => choose(item)}>${words}</a>`
    : html`<button type="button" ...${shared} onClick=${() => choose(item)}>${words}</button>`;
}
