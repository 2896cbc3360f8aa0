/* The inbox: what concerns one, the newest first. Looking at it marks nothing read; the person does, or going there. */
import { useScope } from "../app/scope.js";
import { inLine } from "../chat/shortcodes.js";
import { exactTime, shortTimeOf } from "../format.js";
import { Button, Empty } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { html } from "../kit/html.js";
import { Content, View as Parts } from "../kit/layout.js";
import { notificationWords, plainWords } from "../words.js";
import { withFullName } from "./names.js";
import { Telling } from "./telling.js";

const ADDRESSES = new Map([["task", (id) => `#task-${id}`], ["room", (id) => `#room-${id}`], ["workspace", () => "#workspaces"]]);

/** What a notification is about is one press away; whoever goes there has read it. */
function Title({ item, read, named }) {
  const { title, related_entity_type: kind, related_entity_id: about } = item;
  const words = html`<bdi>${named(plainWords(title))}</bdi>`;
  if (!ADDRESSES.has(kind) || !about) return html`<span class="notification-title">${words}</span>`;
  return html`<a class="notification-title" href=${ADDRESSES.get(kind)(about)} data-testid="notification-link" onClick=${() => { if (!item.is_read) read(); }}>${words}</a>`;
}

function Notification({ item, notifications }) {
  const { directory } = useScope();
  directory.changes.value;
  const named = (text) => withFullName(text, (username) => directory.all().find((person) => person.username === username)?.full_name ?? "");
  const read = () => notifications.read(item.id);
  const content = inLine(named(notificationWords(item)));
  return html`<li class="notification" data-testid="notification" data-notification-id=${item.id} data-read=${String(item.is_read)}>
    <div class="notification-words">
      <p class="notification-line">${!item.is_read && html`<span class="only-heard">Unread: </span>`}<${Title} item=${item} read=${read} named=${named} /><time class="time" datetime=${item.created_at} title=${exactTime(item.created_at)}>${shortTimeOf(item.created_at)}</time></p>
      ${content && html`<p class="notification-text">${content}</p>`}
    </div>
    ${!item.is_read && html`<${Button} small kind="quiet" icon="check" label="Mark read" testid="notification-read" onClick=${read} />`}
    <${Button} small kind="quiet" icon="remove" label="Delete" testid="notification-delete" onClick=${() => notifications.remove(item.id)} />
  </li>`;
}

const emptyWords = { loading: "Loading notifications…", failed: "The notifications could not be loaded." };

async function clearAll(notifications) {
  if (await confirm({ title: "Clear all notifications", text: "They are deleted on all your devices.", action: "Clear" })) await notifications.clear();
}

export function View() {
  const { notifications } = useScope();
  notifications.changes.value;
  const items = notifications.sorted();
  const { status, unread, hasMore } = notifications.state;
  return html`<${Parts} name="inbox"><${Content} label="Notifications">
    <header class="part-head"><h2 class="part-title">Inbox</h2>
      <${Button} small testid="mark-all-read" disabled=${!unread} onClick=${notifications.readAll}>Mark all read</>
      <${Button} small testid="clear-all" disabled=${!items.length} onClick=${() => { clearAll(notifications); }}>Clear all</></header>
    <div class="scroll"><div class="column">
      <${Telling} />
      <ul class="notifications" data-testid="notifications" aria-label="Notifications">${items.map((item) => html`<${Notification} key=${item.id} item=${item} notifications=${notifications} />`)}</ul>
      ${!items.length && html`<${Empty} icon="bell"><p>${emptyWords[status] ?? "Nothing new. What concerns you appears here."}</p></>`}
      ${hasMore && html`<div class="buttons"><${Button} small testid="notifications-older" onClick=${notifications.older}>Older ones</></div>`}
    </div></div>
  </></>`;
}
