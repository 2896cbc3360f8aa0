/*
 * What a signed-in person sees: the panels, the shell around them, and the
 * address that names the open room. A new panel is one more entry in `panels`.
 */
import { coalesce } from "./dom.js";
import { createConversation } from "./views/conversation.js";
import { askForGroup, askForMembers, askForPerson, confirm } from "./views/dialogs.js";
import { createInspector } from "./views/inspector.js";
import { createRooms } from "./views/rooms.js";
import { createShell } from "./views/shell.js";
import { createTaskPanel } from "./views/taskpanel.js";
import { createTools } from "./views/tools.js";

const ROOM_IN_ADDRESS = /^#room-(\d+)$/;

function taskPanel(parts) {
  const { element, shown } = createTaskPanel(parts);
  return { id: "tasks", label: "Tasks", icon: "task", element, shown };
}

const roomInAddress = () => Number(location.hash.match(ROOM_IN_ADDRESS)?.[1]) || null;

export function createWorkspace({
  store, chat, tasks, live, api, socket, log, faults, settings, say, restRefused, signOut,
}) {
  const me = store.me;

  function needRest() {
    if (restRefused) say("This needs the page as the server serves it.");
    return !restRefused;
  }

  const rooms = createRooms({
    store,
    actions: {
      open: goTo,
      newDirect: () => needRest() && askForPerson({ api, me, start: (id) => chat.enterRoom(api.openDirect(id)) }),
      newGroup: () => needRest() && askForGroup({ api, me, create: (name, ids) => chat.enterRoom(api.createGroup(name, ids)) }),
      joinByNumber: chat.joinByNumber,
    },
  });

  const conversation = createConversation({
    store,
    actions: {
      ...chat,
      remove: (message) => needRest() && confirm({
        title: "Delete message", text: "It disappears for everyone in the room.", action: "Delete",
        then: () => chat.remove(message),
      }),
      addPeople: (room) => needRest() && askForMembers({ api, me, room, add: (ids) => api.addPeople(room.id, ids) }),
      leave: (room) => needRest() && confirm({
        title: "Leave the group", text: "You will no longer see what is written there.", action: "Leave",
        then: () => chat.leave(room.id),
      }),
    },
  });

  const inspector = createInspector({ log });
  const tools = createTools({ settings, faults, actions: { reconnect: socket.connect, spoken: chat.flush } });

  const panels = [
    { id: "rooms", label: "Rooms", icon: "rooms", element: rooms.element, badge: store.unreadTotal },
    { id: "chat", label: "Chat", icon: "chat", element: conversation.element },
    ...(tasks ? [taskPanel({ tasks, api, say })] : []),
    { id: "frames", label: "Frames", icon: "frames", element: inspector.element },
    { id: "tools", label: "Tools", icon: "tools", element: tools.element },
    ...(live?.panels ?? []),
  ];
  const shell = createShell({
    store, panels, docsUrl: `${settings.server}/api/docs/`, actions: { signOut, reconnect: socket.connect },
  });

  live?.mount(shell);

  /** The room is put into the address, so that reload and the back button work. */
  function goTo(roomId) {
    if (roomInAddress() === roomId) followAddress();
    else location.hash = `room-${roomId}`;
  }

  function followAddress() {
    const roomId = roomInAddress();
    if (!roomId) return shell.show("rooms");
    if (!store.rooms.has(roomId)) return;
    shell.show("chat");
    chat.openRoom(roomId);
    if (matchMedia("(hover: hover)").matches) conversation.focus();
  }

  store.on(["connection"], shell.renderConnection);
  store.on(["me"], shell.renderPerson);
  store.on(["rooms"], coalesce(() => {
    const unread = store.unreadTotal();
    document.title = unread ? `(${unread}) Taskroom` : "Taskroom";
    shell.renderBadges();
    if (!store.openRoomId && store.rooms.has(roomInAddress())) followAddress();
  }));
  if (restRefused) rooms.openByNumber();

  return { element: shell.element, goTo, followAddress, isAtEnd: conversation.isAtEnd };
}
