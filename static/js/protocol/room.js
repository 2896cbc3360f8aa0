/*
 * The least of a chat: one room, as the frames on the socket tell it. What a
 * frame means is a pure function, from the room as it was to the room as it is.
 */

const MAX_MESSAGES = 200;

/**
 * @typedef {{id: number, room_type: string, name?: string | null, participants?: any[]}} RoomInfo
 * @typedef {{id: number, content: string, room_id?: number, sender?: any, deleted_at?: string | null}} Message
 *
 * @typedef {object} Room
 * @property {number | null} openId
 * @property {boolean} isJoining a room was asked for, and its number is not known yet
 * @property {Message[]} messages of the open room, by id
 * @property {RoomInfo[]} rooms
 */

/** @type {Room} */
export const NO_ROOM = Object.freeze({ openId: null, isJoining: false, messages: [], rooms: [] });

/**
 * @param {Message[]} messages
 * @param {Message[]} others
 */
export function merged(messages, others) {
  const byId = new Map([...messages, ...others].map((message) => [message.id, message]));
  return [...byId.values()].sort((a, b) => a.id - b.id).slice(-MAX_MESSAGES);
}

/**
 * What stands on a room's button.
 * @param {RoomInfo} room
 * @param {number} myId
 */
export function roomLabel(room, myId) {
  const others = (room.participants ?? []).filter(({ id }) => id !== myId).map(({ username }) => username);
  return room.name || others.join(", ") || `${room.room_type} ${room.id}`;
}

/**
 * @param {RoomInfo[]} rooms
 * @param {RoomInfo} room
 */
const withRoom = (rooms, room) => [...rooms.filter(({ id }) => id !== room.id), room];

/** @type {Record<string, (room: Room, data: any, frame: any) => Room>} */
const MEANINGS = {
  room_joined: (room, data) => (room.isJoining
    ? { ...room, isJoining: false, openId: data.room_id, messages: room.openId === data.room_id ? room.messages : [] }
    : room),
  chat_message: (room, data) => (data.room_id === room.openId ? { ...room, messages: merged(room.messages, [data]) } : room),
  message_updated: (room, data) => changedMessage(room, data),
  message_deleted: (room, data) => changedMessage(room, { deleted_at: new Date().toISOString(), ...data }),
  room_created: (room, data) => ({ ...room, rooms: withRoom(room.rooms, data) }),
  room_updated: (room, data) => ({ ...room, rooms: withRoom(room.rooms, data) }),
  room_left: (room, data, { seq }) => (seq ? withoutRoom(room, data.room_id) : room),
};

/**
 * @param {Room} room
 * @param {Message} message
 */
function changedMessage(room, message) {
  const messages = room.messages.map((old) => (old.id === message.id ? { ...old, ...message } : old));
  return { ...room, messages };
}

/**
 * @param {Room} room
 * @param {number} id
 */
function withoutRoom(room, id) {
  const rooms = room.rooms.filter((one) => one.id !== id);
  return room.openId === id ? { ...room, rooms, openId: null, messages: [] } : { ...room, rooms };
}

/**
 * The room after a frame of the chat's socket.
 * @param {Room} room
 * @param {any} frame
 * @returns {Room}
 */
export const after = (room, frame) => MEANINGS[frame?.type]?.(room, frame.data, frame) ?? room;
