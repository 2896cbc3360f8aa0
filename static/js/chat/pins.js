/* What is pinned in a room; beside the conversation. */
import { displayName } from "../app/directory.js";
import { go } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { listTime } from "../format.js";
import { Button, Empty, PersonAvatar } from "../kit/controls.js";
import { html, useEffect, useState } from "../kit/html.js";
import { isPhone, Side } from "../kit/layout.js";
import { plainWords } from "../words.js";
import { inLine } from "./shortcodes.js";

function Pin({ message, sender, show, unpin }) {
  return html`<li class="pin" data-testid="pinned-message" data-message-id=${message.id}>
    <p class="pin-head"><${PersonAvatar} person=${sender} small /><span class="sender">${displayName(sender)}</span> <time class="time" datetime=${message.timestamp}>${listTime(message.timestamp)}</time></p>
    <p class="pin-text" dir="auto">${inLine(plainWords(message.content)) || (message.attachments ?? []).map((file) => file.file_name).join(", ")}</p>
    <div class="buttons"><${Button} small testid="pin-jump" onClick=${show}>Show</><${Button} small kind="quiet" testid="unpin" onClick=${unpin}>Unpin</></div>
  </li>`;
}

export function Pins({ room, close }) {
  const scope = useScope();
  const { api, chat, directory, changes, say } = scope;
  const [pinned, setPinned] = useState(null);
  directory.changes.value;
  const version = changes.pins.value;

  useEffect(() => {
    let isCurrent = true;
    api.pins(room.id).then((found) => { if (isCurrent) setPinned(found); }, (error) => say(error.message));
    return () => { isCurrent = false; };
  }, [room.id, version]);

  function show(message) {
    if (isPhone.value) close();
    go(`#room-${room.id}/${message.id}`);
  }

  return html`<${Side} title="Pinned messages" testid="pins" close=${close}>
    ${pinned && !pinned.length && html`<${Empty} icon="pin"><p>Nothing is pinned here. Point at a message and choose “Pin” under “More”: everybody in the room finds it here.</p></>`}
    <ul class="pins">${(pinned ?? []).map((message) => html`<${Pin} key=${message.id} message=${message} sender=${directory.person(message.sender ?? {})} show=${() => show(message)} unpin=${() => chat.pin(message, false)} />`)}</ul>
  </>`;
}
