/* The bell in the top bar, and the panel of notifications behind it. */
import { roomAddress, taskAddress } from "../address.js";
import { coalesce, h, reconcile, setAttribute, setText } from "../dom.js";
import { exactTime, listTime } from "../format.js";
import { icon } from "../icons.js";
import { notificationWords, plainWords } from "../words.js";
import { confirm } from "./dialogs.js";
import { busy, iconButton } from "./parts.js";

const ADDRESSES = new Map([["task", taskAddress], ["room", roomAddress], ["workspace", () => "#workspaces"]]);

const shortCount = (count) => (count > 99 ? "99+" : String(count));

export function createBellButton({ notifications, click }) {
  const count = h("span", { class: "badge", testid: "bell-count", hidden: true });
  const button = h("button", { type: "button", class: "icon-button bell", testid: "bell", "aria-pressed": "false", on: { click } }, icon("bell"), count);

  function render() {
    const { unread } = notifications.state;
    const label = unread ? `Notifications, ${unread} unread` : "Notifications";
    setText(count, shortCount(unread));
    setAttribute(count, "hidden", !unread);
    for (const name of ["aria-label", "title"]) setAttribute(button, name, label);
  }

  notifications.watch(coalesce(render));
  render();
  return button;
}

export function createBell({ notifications, close }) {
  const list = h("ul", { class: "notifications", testid: "notifications", "aria-label": "Notifications" });
  const empty = h("p", { class: "empty" });
  const older = h("button", { type: "button", class: "button small", testid: "notifications-older", hidden: true }, "Older ones");
  const readAll = h("button", { type: "button", class: "button small", testid: "mark-all-read" }, "Mark all read");
  const clear = h("button", { type: "button", class: "button small", testid: "clear-all" }, "Clear all");
  older.addEventListener("click", () => busy(older, notifications.older));
  readAll.addEventListener("click", () => busy(readAll, notifications.readAll).then(render));
  clear.addEventListener("click", () => confirm({
    title: "Clear all notifications", text: "They are deleted on all your devices.", action: "Clear",
    then: notifications.clear,
  }));

  /** What a notification is about is one press away, where the page shows such things; whoever goes there has read it. */
  function title({ id, is_read: isRead, title: text, related_entity_type: kind, related_entity_id: about }) {
    const words = plainWords(text);
    if (!ADDRESSES.has(kind) || !about) return h("bdi", { class: "notification-title" }, words);
    const click = () => { if (!isRead) notifications.read(id); };
    return h("a", { class: "notification-title", href: ADDRESSES.get(kind)(about), testid: "notification-link", on: { click } }, h("bdi", {}, words));
  }

  function create(item) {
    const read = item.is_read ? null : iconButton("check", "Mark read", () => busy(read, () => notifications.read(item.id)), { testid: "notification-read" });
    const remove = iconButton("remove", "Delete", () => busy(remove, () => notifications.remove(item.id)), { testid: "notification-delete" });
    const content = notificationWords(item);
    return h("li", { class: "notification", testid: "notification", data: { notificationId: item.id, read: String(item.is_read) } },
      h("div", { class: "notification-lines" },
        h("p", { class: "notification-line" },
          !item.is_read && h("span", { class: "only-heard" }, "Unread: "),
          title(item),
          h("time", { class: "room-time", datetime: item.created_at, title: exactTime(item.created_at) }, listTime(item.created_at))),
        content && h("p", { class: "notification-text" }, content)),
      h("div", { class: "notification-acts" }, read, remove));
  }

  function render() {
    const items = notifications.sorted();
    const { status, unread, hasMore } = notifications.state;
    reconcile(list, items, { key: (item) => item.id, sign: (item) => JSON.stringify([item.is_read, item.title, item.content]), create });
    setText(empty, items.length ? "" : { loading: "Loading notifications…", failed: "The notifications could not be loaded." }[status] ?? "Nothing new. What concerns you appears here.");
    setAttribute(older, "hidden", !hasMore);
    readAll.disabled = !unread;
    clear.disabled = !items.length;
  }

  notifications.watch(coalesce(render));
  render();
  return h("section", { "aria-label": "Notifications" },
    h("div", { class: "panel-head live-head" },
      h("h2", { class: "panel-title" }, "Notifications"), readAll, clear, iconButton("close", "Close", close, { class: "icon-button live-close" })),
    h("div", { class: "scroll" }, h("div", { class: "live" }, list, empty, h("div", { class: "buttons" }, older))));
}
