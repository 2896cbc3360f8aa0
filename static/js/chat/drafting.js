/*
 * What is being written in one room: text, files, or the editing of a sent
 * message. Every change is kept at once, one draft a room and one a message that is being edited.
 */
import { signal } from "../kit/html.js";
import { asTextFile, tooLong } from "../limits.js";
import { quoteOf } from "./marks.js";

const draftName = (roomId) => `room-${roomId}`;
const answerName = (roomId) => `answer-${roomId}`;
const editsOf = (roomId) => `edit-${roomId}-`;
const wordsOf = (error) => Object.values(error.fields ?? {}).flat().join(" ") || error.message;

/** `actions` -> {send(text, files, quote), edit(message, text)}; `box()` is the text box. */
export function createDrafting({ kept, say, actions, box }) {
  const files = signal([]);
  const editing = signal(null); // the message
  const answering = signal(null); // the quote of what the draft answers: it is part of the draft
  const refusal = signal(null); // {words, mayBeFile}
  let roomId = null;
  let isSaving = false;

  const editName = (message) => editsOf(roomId) + message.id;

  function save() {
    if (!roomId || !box()) return;
    const text = box().value;
    if (!editing.value) return void kept.set(draftName(roomId), text);
    const { id, content, version } = editing.value;
    kept.set(editName(editing.value), text === content ? null : { message: { id, content, version }, text, isOpen: true });
  }

  function saveAll() {
    save();
    if (roomId && !editing.value) kept.files.put(draftName(roomId), files.value);
  }

  function fill(text, list) {
    box().value = text;
    box().dispatchEvent(new CustomEvent("filled"));
    files.value = list;
    refusal.value = null;
  }

  async function fillFromDraft() {
    const id = roomId;
    fill(kept.get(draftName(id)) ?? "", []);
    answering.value = kept.get(answerName(id));
    const found = await kept.files.get(draftName(id));
    if (!found.length || id !== roomId || editing.value) return;
    const isMore = files.value.length > 0; // chosen while these were read
    files.value = [...found, ...files.value];
    if (isMore) saveAll();
  }

  /** Leaves it where it is: whoever edits that message again finds their words. */
  function closeEdit() {
    const draft = kept.get(editName(editing.value));
    if (draft) kept.set(editName(editing.value), { ...draft, isOpen: false });
    editing.value = null;
  }

  function begin(message) {
    if (editing.value) closeEdit();
    const draft = kept.get(editName(message));
    editing.value = { ...message, version: draft?.message.version ?? message.version };
    fill(draft?.text ?? message.content, []);
    save();
  }

  function stopEditing() {
    closeEdit();
    fillFromDraft();
  }

  /** Somebody's other tab or device has been faster: their own words stay, and go in its place when they say so again. */
  function staleWords(message, { status, current }) {
    if (status !== 409 || !current || current.deleted_at) return "";
    editing.value = { ...message, content: current.content, version: current.version };
    save();
    return `You have changed it elsewhere, to “${quoteOf(current).content}”. Send once more to put these words in its place.`;
  }

  async function saveEdit(content) {
    const message = editing.value;
    const name = editName(message);
    if (isSaving) return;
    if (!content || content === message.content) {
      kept.set(name, null);
      return void stopEditing();
    }
    isSaving = true;
    try {
      await actions.edit(message, content);
      kept.set(name, null);
      if (editing.value === message) stopEditing();
    } catch (error) {
      if (editing.value === message) refusal.value = { words: `Not saved. ${staleWords(message, error) || wordsOf(error)}` };
      else say(`Your change to a message was not saved. ${wordsOf(error)}`);
    } finally {
      isSaving = false;
    }
  }

  function setAnswering(quote) {
    answering.value = quote;
    kept.set(answerName(roomId), quote);
  }

  function send(words, list) {
    actions.send(words, list, answering.value);
    setAnswering(null);
    fill("", []);
    saveAll();
    box().focus();
  }

  const drafting = {
    files, editing, answering, refusal, save, stopEditing,

    written() {
      save();
      if (refusal.value && !tooLong(box().value.trim())) refusal.value = null;
    },

    submit() {
      const content = box().value.trim();
      const problem = tooLong(content);
      if (problem) refusal.value = { words: problem, mayBeFile: !editing.value };
      else if (editing.value) saveEdit(content);
      else if (content || files.value.length) send(box().value, files.value);
    },

    sendAsFile: () => send("", [...files.value, asTextFile(box().value.trim())]),

    addFiles(list) {
      if (editing.value) stopEditing();
      files.value = [...files.value, ...list];
      saveAll();
      box().focus();
    },

    dropFile(file) {
      files.value = files.value.filter((other) => other !== file);
      saveAll();
    },

    answer(quote) {
      if (editing.value) stopEditing();
      setAnswering(quote);
      box().focus();
    },

    /** What is answered may have changed, or be gone: `quoted(id)` is its quote as it is now, if it is here. */
    refreshAnswer(quoted) {
      const old = answering.value;
      const now = old && quoted(old.id);
      if (now && (now.content !== old.content || now.is_deleted !== old.is_deleted)) setAnswering(now);
    },

    stopAnswering() {
      setAnswering(null);
      box().focus();
    },

    edit(message) {
      begin(message);
      box().focus();
    },

    /** Takes back what could not be sent, to be written anew. */
    take(words, list, quote = null) {
      if (editing.value) stopEditing();
      if (quote && !answering.value) setAnswering(quote);
      fill([box().value, words].filter(Boolean).join("\n"), [...files.value, ...list]);
      saveAll();
      box().focus();
    },

    /** Every room keeps what was half written in it. */
    setRoom(id) {
      if (id === roomId) return;
      roomId = id;
      editing.value = null;
      answering.value = null;
      const [, unfinished] = kept.all(editsOf(id)).find(([, draft]) => draft.isOpen) ?? [];
      if (unfinished) begin(unfinished.message);
      else fillFromDraft();
    },
  };

  /** Another tab goes on with what stands here as well, or has sent it: whichever is used last has all the words. */
  kept.watch((name, old, now) => {
    if (roomId && box() && name === draftName(roomId) && !editing.value && box().value === (old ?? "")) fill(now ?? "", files.value);
    if (name === answerName(roomId) && now === null && !editing.value) answering.value = null;
  });
  return drafting;
}
