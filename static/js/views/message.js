/* One row of a conversation. */
import { h } from "../dom.js";
import { dayName, exactTime, size, timeOfDay } from "../format.js";
import { icon } from "../icons.js";
import { plainWords } from "../words.js";
import { iconButton, personAvatar, withLinks } from "./parts.js";

const SHOWN_INLINE = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

/** Everything that shows, as text: a row is built anew exactly when this changes. */
export function signOf(row) {
  if (row.kind === "day") return dayName(row.time);
  if (row.kind !== "message") return row.text ?? "";
  const { message, isMine, isFirst, isLast, showName } = row;
  const { id, content, state, reason, edited_at, deleted_at, attachments, files, sender } = message;
  return JSON.stringify([id, content, state, reason, edited_at, deleted_at, attachments, files?.length, sender, isMine, isFirst, isLast, showName]);
}

/** actions -> {edit(message), remove(message), retry(clientId), rework(message), discard(clientId)}; the last three are for what could not be sent. */
export function createRow(row, actions) {
  if (row.kind === "day") return h("p", { class: "day", role: "separator" }, dayName(row.time));
  if (row.kind === "new") return h("p", { class: "new-line", role: "separator" }, "New");
  if (row.kind === "seen") return h("p", { class: "seen", testid: "seen" }, row.text);
  return row.message.is_system ? systemMessage(row.message) : chatMessage(row, actions);
}

function systemMessage(message) {
  return h("p", { class: "system", testid: "message", data: { messageId: message.id, state: "sent", system: "true" } },
    plainWords(message.content), " ", time(message));
}

const time = (message) =>
  h("time", { class: "time", datetime: message.timestamp, title: exactTime(message.timestamp) }, timeOfDay(message.timestamp));

function chatMessage({ message, isMine, isFirst, isLast, showName }, actions) {
  const state = message.state ?? "sent";
  const { sender } = message;
  return h("article",
    {
      class: "message", testid: "message", tabindex: "-1",
      "aria-label": `${isMine ? "You" : sender?.username ?? "Someone"}, ${timeOfDay(message.timestamp)}`,
      data: { messageId: message.id ?? "", clientId: message.client_id, state, mine: isMine, first: isFirst, last: isLast },
    },
    !isMine && h("span", { class: "message-avatar" }, isFirst && personAvatar(sender)),
    h("div", { class: "message-body" },
      isFirst && showName && h("span", { class: "sender" }, sender?.username ?? "Someone"),
      h("div", { class: "bubble" }, message.deleted_at ? deleted() : content(message)),
      meta(message, state, actions)),
    isMine && !message.state && !message.deleted_at && tools(message, actions));
}

const deleted = () => h("em", { class: "deleted" }, "This message was deleted");

function content(message) {
  return [
    message.content && h("div", { class: "text", testid: "message-text" }, withLinks(message.content)),
    (message.attachments ?? []).map(attachment),
    (message.files ?? []).map((file, index) => pendingFile(file, message.previews[index])),
  ];
}

function attachment(file) {
  const row = fileRow(file.file_name, file.file_size, file.file_url);
  if (!SHOWN_INLINE.has(file.content_type)) return row;
  const image = h("img", { class: "picture", src: file.file_url, alt: file.file_name, loading: "lazy", testid: "attachment" });
  const link = h("a", { class: "picture-link", href: file.file_url, target: "_blank", rel: "noopener" }, image);
  image.addEventListener("error", () => link.replaceWith(row), { once: true });
  return link;
}

function fileRow(name, bytes, url) {
  return h("a", { class: "file", href: url, download: name, target: "_blank", rel: "noopener", testid: "attachment" },
    icon("file"), h("span", { class: "file-name" }, name), h("span", { class: "file-size" }, size(bytes)));
}

function pendingFile(file, preview) {
  if (preview) return h("img", { class: "picture", src: preview, alt: file.name });
  return h("span", { class: "file" }, icon("file"), h("span", { class: "file-name" }, file.name), h("span", { class: "file-size" }, size(file.size)));
}

function meta(message, state, actions) {
  if (state === "failed") {
    const act = (testid, words, click) => h("button", { type: "button", class: "link", testid, on: { click } }, words);
    return h("p", { class: "meta failed" }, `Not sent. ${message.reason} `,
      !message.isIncomplete && act("retry", "Try again", () => actions.retry(message.client_id)), " ",
      act("rework", "Edit", () => actions.rework(message)), " ",
      act("discard", "Discard", () => actions.discard(message.client_id)));
  }
  const words = state === "sending" ? (message.files.length ? "Uploading…" : "Sending…") : message.edited_at && !message.deleted_at ? "edited" : null;
  return h("p", { class: "meta" }, words && h("span", {}, words), time(message));
}

function tools(message, actions) {
  return h("span", { class: "message-tools" },
    message.content && iconButton("edit", "Edit message", () => actions.edit(message), { testid: "edit-message" }),
    iconButton("remove", "Delete message", () => actions.remove(message), { testid: "delete-message" }));
}
