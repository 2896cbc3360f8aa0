/* One row of the conversation: a day, the unread line, or a message. */
import { displayName } from "../app/directory.js";
import { dayName, exactTime, shortTimeOf, timeOfDay } from "../format.js";
import { Button, Icon, PersonAvatar } from "../kit/controls.js";
import { classes, html, memo } from "../kit/html.js";
import { Menu } from "../kit/menu.js";
import { plainWords } from "../words.js";
import { Attachment, WaitingFile } from "./files.js";
import { Quote } from "./quote.js";
import { Reactions } from "./reactions.js";
import { TaskCards } from "./taskcard.js";
import { Text } from "./messagetext.js";

const Time = ({ message, class: look = "time" }) => html`<time class=${look} datetime=${message.timestamp} title=${exactTime(message.timestamp)}>${timeOfDay(message.timestamp)}</time>`;

const System = ({ message }) => html`<p class="system" data-testid="message" data-message-id=${message.id} data-state="sent" data-system="true">${plainWords(message.content)} <${Time} message=${message} /></p>`;

function Body({ message, env }) {
  if (message.deleted_at) return html`<p class="deleted">This message was deleted</p>`;
  return html`${message.quote && html`<${Quote} quote=${message.quote} env=${env} />`}
    ${message.content && html`<${Text} text=${message.content} env=${env} />`}
    ${message.content && !message.state && html`<${TaskCards} text=${message.content} env=${env} />`}
    ${(message.attachments ?? []).map((file) => html`<${Attachment} key=${file.id} file=${file} among=${message.attachments} />`)}
    ${(message.files ?? []).map((file, index) => html`<${WaitingFile} key=${index} file=${file} preview=${message.previews[index]} clientId=${message.client_id} env=${env} />`)}`;
}

function State({ message, env: { actions } }) {
  const { state, client_id: clientId } = message;
  if (state === "sending") return html`<p class="meta">${message.files.length ? "Uploading…" : "Sending…"}</p>`;
  if (state !== "failed") return message.edited_at && !message.deleted_at ? html`<span class="meta edited" title=${exactTime(message.edited_at)}>edited</span>` : null;
  return html`<p class="meta failed">${`Not sent. ${message.reason} `}
    ${!message.isIncomplete && html`<button type="button" class="link" data-testid="retry" onClick=${() => actions.retry(clientId)}>Try again</button>`}${" "}
    <button type="button" class="link" data-testid="rework" onClick=${() => actions.rework(message)}>Edit</button>${" "}
    <button type="button" class="link" data-testid="discard" onClick=${() => actions.discard(clientId)}>Discard</button></p>`;
}

const isPinnedMessage = (message) => Boolean(message.pinned_at) && !message.deleted_at;

/** What is done less often. */
const moreOf = (message, actions) => [
  { label: message.pinned_at ? "Unpin" : "Pin", icon: "pin", key: "p", testid: "pin", onClick: () => actions.pin(message) },
  { label: "Mark unread from here", icon: "chat", key: "u", testid: "mark-unread", onClick: () => actions.markUnread(message) },
];

/** What can be done with a message: shown while it is pointed at or has the focus. */
function Tools({ message, isMine, isHovered, env }) {
  const { actions } = env;
  return html`<span class="message-tools">
    ${isHovered && html`<${Button} small kind="quiet" icon="smile" tabindex="-1" label="React with an emoji" testid="react" onClick=${(event) => env.pick(message, event.currentTarget)} />
      <${Button} small kind="quiet" icon="reply" tabindex="-1" label="Answer" testid="reply" onClick=${() => actions.answer(message)} />`}
    ${isMine && message.content && html`<${Button} small kind="quiet" tabindex="-1" testid="edit-message" onClick=${() => actions.edit(message)}>Edit</>`}
    ${message.content && html`<${Button} small kind="quiet" tabindex="-1" testid="message-to-task" onClick=${() => actions.toTask(message)}>Make a task</>`}
    ${isMine && html`<${Button} small kind="quiet" tabindex="-1" testid="delete-message" onClick=${() => actions.remove(message)}>Delete</>`}
    ${isHovered && html`<${Menu} label="More about this message" items=${moreOf(message, actions)} button=${{ icon: "more", kind: "quiet", small: true, tabindex: "-1", testid: "message-menu" }} />`}
  </span>`;
}

/** Who has read up to here, and who has seen one's own last message. */
function Readers({ readers, seenBy, isDirect, env }) {
  const words = seenBy?.length ? (isDirect ? "Seen" : `Seen by ${seenBy.map((person) => env.nameOf(person)).join(", ")}`) : "";
  return html`<span class="readers">
    ${words && html`<span class="seen" data-testid="seen" title=${words}><span class="only-heard">${words}</span></span>`}
    ${(readers ?? []).slice(0, 3).map((person) => html`<span key=${person.id} class="reader" title=${`${env.nameOf(person)} has read up to here`}><${PersonAvatar} person=${env.personOf(person)} small /></span>`)}
    ${readers?.length > 3 && html`<span class="hint">${`+${readers.length - 3}`}</span>`}
  </span>`;
}

function Message({ row, env }) {
  const { message, isMine, isFirst, readers, seenBy, isHovered } = row;
  const sender = env.personOf(message.sender);
  const name = message.hook?.name ?? displayName(sender);
  const isSent = !message.state && !message.deleted_at;
  return html`<article class=${classes("message", isFirst && "first")} data-testid="message" tabindex="-1" data-key=${row.key}
    aria-label=${`${isMine && !message.hook ? "You" : name}, ${shortTimeOf(message.timestamp)}`} data-message-id=${message.id ?? ""} data-client-id=${message.client_id}
    data-state=${message.state ?? "sent"} data-mine=${String(isMine)} data-first=${String(isFirst)}>
    <span class="message-side">${isFirst ? html`<${PersonAvatar} person=${message.hook ? { id: message.hook.name.length, full_name: name } : sender} />` : html`<${Time} message=${message} />`}</span>
    <div class="message-body">
      ${isFirst && html`<p class="message-head"><span class="sender">${name}</span>${message.hook && html` <span class="hint" data-testid="message-hook" title=${`Posted by a program, through a hook of ${displayName(sender)}`}>hook</span>`} <${Time} message=${message} /></p>`}
      ${isPinnedMessage(message) && html`<span class="meta pinned" data-testid="pinned"><${Icon} name="pin" />${`Pinned by ${message.pinned_by === env.me.id ? "you" : env.nameOfId(message.pinned_by)}`}</span>`}
      <${Body} message=${message} env=${env} /><${State} message=${message} env=${env} />
      ${Boolean(message.reactions?.length) && html`<${Reactions} message=${message} env=${env} />`}
    </div>
    ${(readers || seenBy) && html`<${Readers} readers=${readers} seenBy=${seenBy} isDirect=${env.isDirect} env=${env} />`}
    ${isSent && (isMine || isHovered) && html`<${Tools} message=${message} isMine=${isMine} isHovered=${isHovered} env=${env} />`}
  </article>`;
}

const shown = ["message", "isMine", "isFirst", "readers", "seenBy", "isHovered"];
const isSame = (before, now) => before.env === now.env && before.row.kind === now.row.kind && before.row.time === now.row.time
  && shown.every((name) => before.row[name] === now.row[name]);

/** `env` -> {me, roomId, isDirect, nameOf, nameOfId, personOf, actions, pick, show, tasks}: what all rows of a room share. */
export const Row = memo(({ row, env }) => {
  if (row.kind === "day") return html`<p class="day" role="separator" data-key=${row.key}><span>${dayName(row.time)}</span></p>`;
  if (row.kind === "unread") return html`<p class="unread-line" role="separator" data-testid="unread-line" data-key="unread"><span>Unread</span></p>`;
  return row.message.is_system ? html`<${System} message=${row.message} />` : html`<${Message} row=${row} env=${env} />`;
}, isSame);
