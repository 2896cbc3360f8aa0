/* The rooms that anybody may join: found by name and topic, looked into by joining. */
import { go } from "../app/place.js";
import { useScope } from "../app/scope.js";
import { Button } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useEffect, useRef, useState } from "../kit/html.js";
import { askForGroup } from "./dialogs.js";
import { peopleCount } from "./roomfacts.js";

const SEARCH_MS = 200;

function OpenRoom({ room, enter }) {
  return html`<li class="open-room" data-testid="open-room" data-room-id=${room.id}>
    <div class="open-room-words"><p class="person-name">${room.name}</p>
      ${room.topic && html`<p class="open-room-topic">${room.topic}</p>`}<p class="hint">${peopleCount(room)}</p></div>
    <${Button} small kind=${room.is_member ? "" : "primary"} testid="open-room-join" aria-label=${`${room.is_member ? "Open" : "Join"} ${room.name}`} onClick=${() => enter(room)}>${room.is_member ? "Open" : "Join"}</>
  </li>`;
}

function Directory({ close }) {
  const scope = useScope();
  const { api, chat } = scope;
  const [found, setFound] = useState({ results: [], count: 0, page: 0 });
  const [problem, setProblem] = useState("");
  const wanted = useRef("");
  const asked = useRef(0);
  const waiting = useRef(0);

  async function load(page = 1) {
    asked.current += 1;
    const mine = asked.current;
    try {
      const { results, count } = await api.openRooms(wanted.current, page);
      if (mine === asked.current) setFound((before) => ({ results: page > 1 ? [...before.results, ...results] : results, count, page }));
    } catch (error) {
      setProblem(error.message);
    }
  }

  useEffect(() => {
    load();
    return () => clearTimeout(waiting.current);
  }, []);

  function onInput(event) {
    wanted.current = event.currentTarget.value.trim();
    clearTimeout(waiting.current);
    waiting.current = setTimeout(load, SEARCH_MS);
  }

  async function enter(room) {
    setProblem("");
    try {
      if (room.is_member && scope.store.rooms.has(room.id)) go(`#room-${room.id}`);
      else await chat.enterRoom(api.joinRoom(room.id));
      close(true);
    } catch (error) {
      setProblem(error.message);
    }
  }

  function startOne() {
    close();
    askForGroup(scope);
  }

  const { results, count, page } = found;
  return html`<p class="form-message" role="alert">${problem}</p>
    <input class="input" type="search" placeholder="Find an open room" aria-label="Find an open room" data-testid="open-room-search" autofocus onInput=${onInput} />
    <ul class="open-rooms" aria-label="Open rooms" data-testid="open-rooms">${results.map((room) => html`<${OpenRoom} key=${room.id} room=${room} enter=${enter} />`)}</ul>
    ${page > 0 && !results.length && html`<p class="empty">${wanted.current ? "No open room has that name or topic." : "There are no open rooms yet. Whoever starts a group can open it to everybody."}</p>`}
    <div class="buttons">${results.length < count && html`<${Button} testid="open-rooms-more" onClick=${() => load(page + 1)}>${`Show more (${count - results.length})`}</>`}
      <${Button} testid="open-room-new" onClick=${startOne}>Start a room</></div>`;
}

export const askForOpenRoom = (scope) => ask({
  title: "Open rooms", testid: "open-rooms-dialog",
  content: (close) => html`<${scope.Provide}><${Directory} close=${close} /></>`,
});
