/* One room, so that there is something to watch: join, read, write. The team's client does more. */
import { Button } from "../../kit/controls.js";
import { html, useLayoutEffect, useRef, useState } from "../../kit/html.js";
import { roomLabel } from "../room.js";

const TYPES = [["group", "Group"], ["direct", "Person"], ["task", "Task room"]];

/** @param {{bench: any}} props */
export function RoomPanel({ bench }) {
  const { rooms, openId } = bench.room.value;
  return html`
    ${rooms.length > 0 && html`
      <div class="rooms" role="group" aria-label="Rooms" data-testid="rooms">
        ${rooms.map((room) => html`
          <button type="button" key=${room.id} class="button small" data-testid="room" data-room-id=${room.id} data-room-type=${room.room_type}
            aria-pressed=${String(room.id === openId)} onClick=${() => bench.rooms.open(room)}>${roomLabel(room, bench.me.value.id)}</button>`)}
      </div>`}
    <${Join} bench=${bench} />
    ${openId !== null && html`<${Conversation} bench=${bench} />`}`;
}

/** @param {{bench: any}} props */
function Join({ bench }) {
  const [type, setType] = useState("group");
  const [number, setNumber] = useState("");
  const submitted = (event) => {
    event.preventDefault();
    bench.rooms.join(type, Number(number));
    setNumber("");
  };
  return html`
    <form class="row" onSubmit=${submitted}>
      <select class="input" aria-label="Kind of room" data-testid="join-type" value=${type}
        onChange=${({ currentTarget }) => setType(currentTarget.value)}>
        ${TYPES.map(([value, label]) => html`<option value=${value}>${label}</option>`)}
      </select>
      <input class="input number" inputmode="numeric" pattern="[0-9]+" required placeholder="Number" aria-label="Number of the room or person"
        data-testid="join-id" value=${number} onInput=${({ currentTarget }) => setNumber(currentTarget.value)} />
      <${Button} type="submit" testid="join">Join</>
    </form>`;
}

/** @param {{bench: any}} props */
function Conversation({ bench }) {
  const { messages, openId, rooms } = bench.room.value;
  const room = rooms.find(({ id }) => id === openId);
  const [text, setText] = useState("");
  const list = useRef((null));
  useLayoutEffect(() => {
    list.current.scrollTop = list.current.scrollHeight;
  }, [messages]);
  function send(event) {
    event.preventDefault();
    if (text.trim() && bench.rooms.write(text.trim())) setText("");
  }
  return html`
    <h3 class="room-title" data-testid="room-title">${room ? roomLabel(room, bench.me.value.id) : `Room ${openId}`}</h3>
    <ol class="messages" data-testid="messages" ref=${list} tabindex="0" aria-label="Messages">
      ${messages.map((message) => html`
        <li key=${message.id} class="message" data-testid="message" data-id=${message.id}>
          <span class="message-sender">${message.sender?.username ?? ""}</span>
          <span data-testid="message-text" dir="auto">${message.deleted_at ? "Message deleted" : message.content}</span>
        </li>`)}
    </ol>
    <form class="row" onSubmit=${send}>
      <input class="input" aria-label="Message" placeholder="Write a message" data-testid="composer" dir="auto" autocomplete="off" value=${text}
        onInput=${({ currentTarget }) => setText(currentTarget.value)} />
      <${Button} type="submit" testid="send">Send</>
    </form>`;
}
