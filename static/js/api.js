/* The REST endpoints the page uses, by name. `call` adds credentials and renews them (session.js). */

const PAGE = 50;

/** A message of the outbox as a form, with its files. */
export function messageForm({ room_id: roomId, content, client_id: clientId, reply_to: replyTo, files }) {
  const form = new FormData();
  form.append("room", roomId);
  form.append("content", content);
  form.append("client_id", clientId);
  if (replyTo) form.append("reply_to", replyTo);
  for (const file of files) form.append("attachments", file);
  return form;
}

/** `withDefault`: the room that everybody is in is listed, too. */
export function createApi(call, { withDefault = false } = {}) {
  /** Every page of a list, up to `most` pages; `seq` of the newest event before it was read, where the list says so. */
  async function all(path, query, most) {
    const found = /** @type {any} */ ([]);
    for (let page = 1; page <= most; page += 1) {
      const answer = await call("GET", path, { query: { ...query, page, page_size: 100 } });
      found.seq ??= answer.seq;
      found.push(...answer.results);
      if (!answer.next) break;
    }
    return found;
  }

  return {
    all,
    people: (search) =>
      call("GET", "/api/users/", { query: { search, page_size: 100 } }).then((list) => list.results),

    rooms: () => all("/api/chat/rooms/", withDefault ? { with_default: true } : {}, 10),
    openDirect: (userId) =>
      call("POST", "/api/chat/rooms/", { json: { room_type: "direct", other_user_id: userId } }),
    openTaskRoom: (taskId) => call("POST", "/api/chat/rooms/", { json: { room_type: "task", task_id: taskId } }),
    createGroup: (name, userIds, more = {}) =>
      call("POST", "/api/chat/rooms/", { json: { room_type: "group", name, participant_ids: userIds, ...more } }),
    openRooms: (search, page = 1) => call("GET", "/api/chat/open-rooms/", { query: { search, page, page_size: 100 } }),
    joinRoom: (roomId) => call("POST", `/api/chat/rooms/${roomId}/join/`, { json: {} }),
    changeRoom: (roomId, json) => call("PATCH", `/api/chat/rooms/${roomId}/`, { json }),
    members: (roomId, page = 1) => call("GET", `/api/chat/rooms/${roomId}/members/`, { query: { page, page_size: 100 } }),
    giveRole: (roomId, userId, role) => call("PUT", `/api/chat/rooms/${roomId}/members/${userId}/`, { json: { role } }),
    removeMember: (roomId, userId) => call("DELETE", `/api/chat/rooms/${roomId}/members/${userId}/`),
    addPeople: (roomId, userIds) =>
      call("POST", `/api/chat/rooms/${roomId}/participants/`, { json: { user_ids: userIds } }),
    leave: (roomId) => call("POST", `/api/chat/rooms/${roomId}/leave/`, { json: {} }),

    /** Newest first. Reading is reported over the socket, when somebody has really looked. */
    messages: (roomId, { before, after } = /** @type {any} */ ({})) =>
      call("GET", "/api/chat/messages/", {
        query: { room_id: roomId, before, after, page_size: PAGE, mark_read: false },
      }),
    postFiles: (message) => call("POST", "/api/chat/messages/", { form: messageForm(message) }),
    editMessage: (id, content, version) => call("PATCH", `/api/chat/messages/${id}/`, { json: { content }, version }),
    deleteMessage: (id) => call("DELETE", `/api/chat/messages/${id}/`),
    react: (id, emoji) => call("POST", `/api/chat/messages/${id}/reactions/`, { json: { emoji } }),
    unreact: (id, emoji) => call("DELETE", `/api/chat/messages/${id}/reactions/${encodeURIComponent(emoji)}/`),
    pin: (id) => call("POST", `/api/chat/messages/${id}/pin/`, { json: {} }),
    unpin: (id) => call("DELETE", `/api/chat/messages/${id}/pin/`),
    pins: (roomId) => all(`/api/chat/rooms/${roomId}/pins/`, {}, 1),
    readPositions: (roomId) => call("GET", `/api/chat/rooms/${roomId}/read/`).then((answer) => answer.results),
    markUnread: (roomId, messageId) => call("POST", `/api/chat/rooms/${roomId}/unread/`, { json: { message_id: messageId } }),
  };
}
