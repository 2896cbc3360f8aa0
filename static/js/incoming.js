/* What each message of the server means for the store: one line a type, so that a new type is a new line. */

/* The server ends typing after 6 s; this is for the case that its word is lost. */
const TYPING_MS = 7_000;

/**
 * on -> {ready(hello), joined(roomId), gap(roomId), takenOut(roomId), resync(), roomsChanged(), newRoom(room), error(frame)}:
 * what has to be fetched or said, which is not this module's business.
 */
export function createIncoming({ store, on }) {
  const typingEnds = new Map();

  function typing({ room_id, user, is_typing }) {
    const key = `${room_id}/${user.id}`;
    clearTimeout(typingEnds.get(key));
    if (user.id === store.me.id) return;
    if (!is_typing) return store.stopTyping(room_id, user.id);
    store.startTyping(room_id, user);
    typingEnds.set(key, setTimeout(() => store.stopTyping(room_id, user.id), TYPING_MS));
  }

  function chatMessage(message) {
    if (!store.rooms.has(message.room_id)) on.roomsChanged();
    store.receive(message);
  }

  function room(data) {
    const isNew = !store.rooms.has(data.id);
    /* A task room is open to whoever sees the task, taking part in it or not. */
    const isOut = data.room_type !== "task" && !data.is_default && !data.participants?.some((person) => person.id === store.me.id);
    if (isOut) return store.dropRoom(data.id);
    store.mergeRoom(data);
    if (isNew) {
      /* An event is the same for everybody, but whoever made a group owns it, on each of their devices. */
      if (data.room_type === "group" && data.created_by === store.me.id) store.prefer(data.id, { role: "owner" });
      on.newRoom(data);
    }
  }

  function joined({ room_id, room_type, last_message_id, online }) {
    if (!store.rooms.has(room_id)) store.mergeRoom({ id: room_id, room_type, participants: [] });
    store.setOnline(room_id, online ?? []);
    on.joined(room_id);
    const known = Math.max(store.newestId(room_id), store.rooms.get(room_id).last_message?.id ?? 0);
    if ((last_message_id ?? 0) > known) on.gap(room_id);
  }

  function roleChanged({ room_id: id, user_id: who, role }) {
    /* Whoever looks at the list of people reads it anew. */
    store.prefer(id, { ...(who === store.me.id ? { role } : {}), roles_changed: `${who} ${role}` });
  }

  /** Where REST is refused, only the socket tells the person's name. */
  function signedIn(user) {
    if (user?.id !== store.me.id) return;
    Object.assign(store.me, user);
    store.changed("me");
  }

  const handlers = {
    auth: ({ user }) => signedIn(user),
    hello: (frame) => on.ready(frame),
    resync: () => on.resync(),
    chat_message: ({ data }) => chatMessage(data),
    message_updated: ({ data }) => store.update(data),
    message_deleted: ({ data }) => store.update({ deleted_at: new Date().toISOString(), ...data }),
    reaction: ({ data }) => store.react(data),
    message_pinned: ({ data }) => store.pin(data),
    unread: ({ data }) => store.markUnread(data),
    typing: ({ data }) => typing(data),
    read: ({ data }) => store.markRead(data.room_id, data.user_id, data.last_message_id),
    presence: ({ data }) => store.setPresence(data),
    room_created: ({ data }) => room(data),
    room_updated: ({ data }) => room(data),
    room_joined: ({ data }) => joined(data),
    /* As an event it means that the person is out; as the answer to leave_room, only that this socket hears no more. */
    room_left: ({ seq, data }) => { if (seq) on.takenOut(data.room_id); },
    room_muted: ({ data }) => store.prefer(data.room_id, { is_muted: data.is_muted }),
    room_preferences: ({ data: { room_id: id, ...wishes } }) => store.prefer(id, wishes),
    room_role: ({ data }) => roleChanged(data),
    error: (frame) => on.error(frame),
  };

  return (frame) => handlers[frame?.type]?.(frame);
}
