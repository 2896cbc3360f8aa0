/* Where one writes: text, files by button, drop or paste, and the editing of a sent message. */
import { h, reconcile, setAttribute, setText } from "../dom.js";
import { size } from "../format.js";
import { icon } from "../icons.js";
import { asTextFile, tooLong } from "../limits.js";
import { iconButton } from "./parts.js";

/* On a phone there is no Shift: there Enter makes a line, and the button sends. */
const touch = matchMedia("(pointer: coarse)");

const draftName = (roomId) => `room-${roomId}`;
const editsOf = (roomId) => `edit-${roomId}-`;
const wordsOf = (error) => Object.values(error.fields ?? {}).flat().join(" ") || error.message;

/**
 * actions -> {send(text, files), edit(message, text), typing(), stopTyping(), lastOwn()}; `kept` (kept.js)
 * holds what is half written, one draft a room and one a message that is being edited.
 */
export function createComposer({ kept, say, actions }) {
  let roomId = null;
  let files = [];
  let editing = null; // the message
  let isSaving = false;

  const text = h("textarea", {
    class: "composer-text", rows: "1", dir: "auto", testid: "composer", placeholder: "Write a message", "aria-label": "Message",
    enterkeyhint: touch.matches ? "enter" : "send",
    on: { input: onInput, keydown: onKey, paste: onPaste, blur: () => actions.stopTyping() },
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
  const editWords = h("span", {}, "Editing your message");
  const editBar = h("div", { class: "edit-bar", hidden: true }, editWords, iconButton("close", "Stop editing", stopEditing));
  const refusal = h("span", {});
  const asFile = h("button", { type: "button", class: "button small", testid: "send-as-file", on: { click: sendAsFile } }, "Send it as a file");
  const refusalBar = h("div", { class: "refusal", role: "alert", testid: "composer-refusal", hidden: true }, refusal, asFile);
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
    editBar, refusalBar, chips,
    h("div", { class: "composer-row" },
      h("label", { class: "icon-button attach", for: "attach", title: "Attach files" }, picker, icon("attach")),
      text, sendButton));

  function onInput() {
    fit();
    save();
    if (!tooLong(text.value.trim())) refuse("");
    if (text.value.trim() && !editing) actions.typing();
    else actions.stopTyping();
  }

  function onKey(event) {
    const asksToSend = event.ctrlKey || event.metaKey || (!event.shiftKey && !touch.matches);
    if (event.key === "Enter" && asksToSend && !event.isComposing) {
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

  /** Says why nothing was sent; what was written stays. */
  function refuse(words, { mayBeFile = false } = {}) {
    setText(refusal, words);
    setAttribute(asFile, "hidden", !mayBeFile);
    setAttribute(refusalBar, "hidden", !words);
  }

  function submit() {
    const content = text.value.trim();
    const problem = tooLong(content);
    if (problem) return refuse(problem, { mayBeFile: !editing });
    if (editing) return saveEdit(content);
    if (!content && !files.length) return null;
    return send(text.value, files);
  }

  function send(words, list) {
    actions.send(words, list);
    fill("", []);
    saveAll();
    text.focus();
  }

  function sendAsFile() {
    send("", [...files, asTextFile(text.value.trim())]);
  }

  function fill(value, list) {
    text.value = value;
    files = list;
    refuse("");
    fit();
    renderFiles();
  }

  /** As tall as its text, up to the limit in the style sheet; what is not shown has no height to measure. */
  function fit() {
    text.style.height = "auto";
    if (text.scrollHeight) text.style.height = `${text.scrollHeight}px`;
  }

  function addFiles(list) {
    if (editing) stopEditing();
    files = [...files, ...list];
    renderFiles();
    saveAll();
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
          saveAll();
        })),
    });
  }

  // What is half written

  const editName = (message) => editsOf(roomId) + message.id;

  function save() {
    if (!roomId) return;
    if (!editing) return kept.set(draftName(roomId), text.value);
    const isTouched = text.value !== editing.content;
    const { id, content } = editing;
    return kept.set(editName(editing), isTouched ? { message: { id, content }, text: text.value, isOpen: true } : null);
  }

  function saveAll() {
    save();
    if (roomId && !editing) kept.files.put(draftName(roomId), files);
  }

  /** Another tab has sent what stands here as well. */
  kept.watch((name, old, now) => {
    if (name === draftName(roomId) && now === null && !editing && text.value === old) fill("", files);
  });

  async function fillFromDraft() {
    const id = roomId;
    fill(kept.get(draftName(id)) ?? "", []);
    const found = await kept.files.get(draftName(id));
    if (!found.length || id !== roomId || editing) return;
    const isMore = files.length > 0; // chosen while these were read
    files = [...found, ...files];
    renderFiles();
    if (isMore) saveAll();
  }

  // Editing

  function begin(message) {
    if (editing) close();
    editing = message;
    fill(kept.get(editName(message))?.text ?? message.content, []);
    setAttribute(editBar, "hidden", false);
    save();
  }

  function edit(message) {
    begin(message);
    text.focus();
  }

  /** Leaves it where it is: whoever edits that message again finds their words. */
  function close() {
    const draft = kept.get(editName(editing));
    if (draft) kept.set(editName(editing), { ...draft, isOpen: false });
    editing = null;
    setAttribute(editBar, "hidden", true);
  }

  function stopEditing() {
    close();
    fillFromDraft();
  }

  async function saveEdit(content) {
    const message = editing;
    const name = editName(message);
    if (isSaving) return;
    if (!content || content === message.content) {
      kept.set(name, null);
      return stopEditing();
    }
    isSaving = true;
    try {
      await actions.edit(message, content);
      kept.set(name, null);
      if (editing === message) stopEditing();
    } catch (error) {
      if (editing === message) refuse(`Not saved. ${wordsOf(error)}`);
      else say(`Your change to a message was not saved. ${wordsOf(error)}`);
    } finally {
      isSaving = false;
    }
  }

  /** Every room keeps what was half written in it. */
  function setRoom(id) {
    if (id === roomId) return;
    roomId = id;
    editing = null;
    setAttribute(editBar, "hidden", true);
    const [, unfinished] = kept.all(editsOf(id)).find(([, draft]) => draft.isOpen) ?? [];
    if (unfinished) begin(unfinished.message);
    else fillFromDraft();
  }

  /** Takes back what could not be sent, to be written anew. */
  function take(words, list) {
    if (editing) stopEditing();
    fill([text.value, words].filter(Boolean).join("\n"), [...files, ...list]);
    saveAll();
    text.focus();
  }

  return { element, addFiles, edit, take, setRoom, save, focus: () => text.focus() };
}
