/* Where one writes: text, files by button, drop or paste, and the editing of a sent message. */
import { h, reconcile, setAttribute, setText } from "../dom.js";
import { size } from "../format.js";
import { icon } from "../icons.js";
import { iconButton } from "./parts.js";

/** actions -> {send(text, files), edit(message, text), typing(), stopTyping(), lastOwn()} */
export function createComposer({ actions }) {
  const drafts = new Map(); // room id -> {text, files}
  let roomId = null;
  let files = [];
  let editing = null;

  const text = h("textarea", {
    class: "composer-text", rows: "1", dir: "auto", testid: "composer", placeholder: "Write a message", "aria-label": "Message",
    enterkeyhint: "send", on: { input: onInput, keydown: onKey, paste: onPaste, blur: () => actions.stopTyping() },
  });
  const picker = h("input", {
    type: "file", multiple: true, class: "only-heard", id: "attach", testid: "attach", "aria-label": "Attach files",
    on: {
      change() {
        addFiles(picker.files);
        picker.value = "";
      },
    },
  });
  const chips = h("ul", { class: "chips", "aria-label": "Files to send", hidden: true });
  const editWords = h("span", {});
  const editBar = h("div", { class: "edit-bar", hidden: true }, editWords, iconButton("close", "Stop editing", stopEditing));
  const sendButton = h("button", { type: "submit", class: "send-button", "aria-label": "Send", title: "Send", testid: "send" }, icon("send"));
  const element = h("form",
    {
      class: "composer",
      on: {
        submit(event) {
          event.preventDefault();
          submit();
        },
      },
    },
    editBar, chips,
    h("div", { class: "composer-row" },
      h("label", { class: "icon-button attach", for: "attach", title: "Attach files" }, picker, icon("attach")),
      text, sendButton));

  function onInput() {
    fit();
    if (text.value.trim() && !editing) actions.typing();
    else actions.stopTyping();
  }

  function onKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && editing) {
      stopEditing();
    } else if (event.key === "ArrowUp" && !text.value && !editing) {
      const message = actions.lastOwn();
      if (!message) return;
      event.preventDefault();
      edit(message);
    }
  }

  function onPaste(event) {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    addFiles(event.clipboardData.files);
  }

  function submit() {
    if (editing) {
      const content = text.value.trim();
      if (content && content !== editing.content) actions.edit(editing, content);
      return stopEditing();
    }
    if (!text.value.trim() && !files.length) return;
    actions.send(text.value, files);
    fill("", []);
    text.focus();
  }

  function fill(value, list) {
    text.value = value;
    files = list;
    fit();
    renderFiles();
  }

  /** As tall as its text, up to the limit in the style sheet. */
  function fit() {
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }

  function addFiles(list) {
    if (editing) stopEditing();
    files = [...files, ...list];
    renderFiles();
    text.focus();
  }

  function renderFiles() {
    setAttribute(chips, "hidden", !files.length);
    reconcile(chips, files.map((file, index) => ({ file, index })), {
      key: ({ index }) => index,
      sign: ({ file, index }) => `${index} ${file.name} ${file.size} ${file.lastModified}`,
      create: ({ file }) => h("li", { class: "chip" }, icon("file"),
        h("span", { class: "file-name" }, file.name), h("span", { class: "file-size" }, size(file.size)),
        iconButton("close", `Remove ${file.name}`, () => {
          files = files.filter((other) => other !== file);
          renderFiles();
        })),
    });
  }

  function edit(message) {
    if (!editing) drafts.set(roomId, { text: text.value, files });
    editing = message;
    fill(message.content, []);
    setText(editWords, "Editing your message");
    setAttribute(editBar, "hidden", false);
    text.focus();
  }

  function stopEditing() {
    editing = null;
    setAttribute(editBar, "hidden", true);
    const draft = drafts.get(roomId);
    fill(draft?.text ?? "", draft?.files ?? []);
  }

  /** Every room keeps what was half written in it. */
  function setRoom(id) {
    if (id === roomId) return;
    if (!editing) drafts.set(roomId, { text: text.value, files });
    roomId = id;
    stopEditing();
  }

  return { element, addFiles, edit, setRoom, focus: () => text.focus() };
}
