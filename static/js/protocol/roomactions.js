/* What a person does in the one room of the bench: list, join, read, write. */
import { merged } from "./room.js";

const PAGE = 50;

/** @typedef {import("./room.js").Room} Room */

/**
 * @param {object} options
 * @param {{value: Room}} options.room
 * @param {(method: string, path: string, options?: object) => Promise<any>} options.call
 * @param {(frame: object) => boolean} options.send on the chat's socket
 * @param {() => boolean} options.restRefused
 * @param {(text: string) => void} options.say
 */
export function createRoomActions({ room, call, send, restRefused, say }) {
  async function list() {
    try {
      const { results } = await call("GET", "/api/chat/rooms/", { query: { page_size: 100 } });
      room.value = { ...room.value, rooms: results };
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  }

  /**
   * By its number; a person's number means the direct room with them. `since: 0` brings all that was said
   * there, for pages that may not use REST.
   * @param {string} roomType
   * @param {number} number
   */
  function join(roomType, number) {
    room.value = { ...room.value, isJoining: true };
    if (send({ type: "join_room", room_type: roomType, room_id: number, since: 0 })) return;
    room.value = { ...room.value, isJoining: false };
    say("The chat's socket is not connected.");
  }

  /** @param {import("./room.js").RoomInfo} info */
  async function open({ id, room_type: roomType }) {
    if (restRefused()) {
      join(roomType, id);
      return;
    }
    room.value = { ...room.value, openId: id, messages: [] };
    send({ type: "join_room", room_type: roomType, room_id: id });
    try {
      const query = { room_id: id, page_size: PAGE, mark_read: false };
      const { results } = await call("GET", "/api/chat/messages/", { query });
      if (room.value.openId === id) room.value = { ...room.value, messages: merged(results, room.value.messages) };
    } catch (error) {
      say(/** @type {Error} */ (error).message);
    }
  }

  /** A new connection knows nothing of the room that is open. */
  function again() {
    const { openId, rooms } = room.value;
    if (openId === null) return;
    const roomType = rooms.find(({ id }) => id === openId)?.room_type ?? "group";
    send({ type: "join_room", room_type: roomType, room_id: openId });
  }

  /** @param {string} content */
  function write(content) {
    const isSent = send({ type: "send_message", room_id: room.value.openId, message: content });
    if (!isSent) say("The chat's socket is not connected. Nothing was sent.");
    return isSent;
  }

  return { list, join, open, again, write };
}
