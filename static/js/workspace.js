/*
 * What a signed-in person sees: the panels, the shell around them, and the
 * address that says which of them, and which room or task, is before one's
 * eyes. A new panel is one more entry in `panels`.
 */
import { placeInAddress, roomAddress, taskAddress } from "./address.js";
import { coalesce } from "./dom.js";
import { createConversation } from "./views/conversation.js";
import { askForGroup, askForMembers, askForPerson, confirm } from "./views/dialogs.js";
import { createInspector } from "./views/inspector.js";
import { createRooms } from "./views/rooms.js";
import { createShell } from "./views/shell.js";
import { createTaskPanel } from "./views/taskpanel.js";
import { createTools } from "./views/tools.js";

function taskPanel(parts) {
  const { element, shown, takeFiles } = createTaskPanel(parts);
  return { id: "tasks", label: "Tasks", icon: "task", element, shown, takeFiles };
}

export function createWorkspace({
  store, chat, tasks, live, api, kept, socket, log, faults, settings, say, restRefused, signOut,
}) {
  const me = store.me;

  function needRest() {
    if (restRefused) say("This needs the page as the server serves it.");
    return !restRefused;
  }

  const rooms = createRooms({
    store, kept,
    actions: {
      discard: chat.discard,
      open: goToRoom,
      newDirect: () => needRest() && askForPerson({ api, me, start: (id) => chat.enterRoom(api.openDirect(id)) }),
      newGroup: () => needRest() && askForGroup({ api, me, slot: kept.slot("new-group"), create: (name, ids) => chat.enterRoom(api.createGroup(name, ids)) }),
      joinByNumber: chat.joinByNumber,
    },
  });

  const conversation = createConversation({
    store, kept, say,
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
    { id: "chat", label: "Chat", icon: "chat", element: conversation.element, badge: store.unreadTotal },
    ...(tasks ? [taskPanel({
      tasks, api, say,
      actions: {
        open: (id) => goTo(taskAddress(id)),
        close: () => goTo("#tasks"),
        removed: () => location.replace("#tasks"),
        discuss: (task) => chat.enterRoom(api.openTaskRoom(task.id)),
      },
    })] : []),
    { id: "frames", label: "Frames", icon: "frames", element: inspector.element },
    { id: "tools", label: "Tools", icon: "tools", element: tools.element },
    ...(live?.panels ?? []),
  ];
  const shell = createShell({
    store, panels, docsUrl: `${settings.server}/api/docs/`, actions: { go, signOut, reconnect: socket.connect },
  });

  live?.mount(shell);

  /** What is shown follows the address, so that reload, links and the back button work. */
  function goTo(address) {
    if (location.hash === address) followAddress();
    else location.hash = address;
  }

  function goToRoom(roomId) {
    goTo(roomAddress(roomId));
  }

  /** To a panel, with what was open in it. */
  function go(panel) {
    if (panel === "chat" && store.openRoomId) return goToRoom(store.openRoomId);
    if (panel === "tasks" && tasks.state.openId) return goTo(taskAddress(tasks.state.openId));
    return goTo(`#${panel}`);
  }

  function followAddress() {
    const { room, task, panel } = placeInAddress();
    if (room) return showRoom(room);
    if (task && tasks) return showTask(task);
    if (panel === "tasks") tasks?.close();
    return shell.show(panels.some(({ id }) => id === panel) ? panel : "rooms");
  }

  function showTask(id) {
    shell.show("tasks");
    if (tasks.state.openId !== id) tasks.open(id);
  }

  let lastRoom = null; // whoever was in it knows why it is gone
  let seeking = null;
  function showRoom(id) {
    if (store.rooms.has(id)) {
      lastRoom = id;
      shell.show("chat");
      chat.openRoom(id);
      if (matchMedia("(hover: hover)").matches) conversation.focus();
    } else if (store.roomsLoaded && seeking !== id) {
      if (lastRoom === id) location.replace("#rooms");
      else seekRoom(id);
    }
  }

  /** A link may be followed before the page has heard of its room. */
  async function seekRoom(id) {
    seeking = id;
    await chat.findRooms();
    seeking = null;
    if (placeInAddress().room !== id) return;
    if (store.rooms.has(id)) return showRoom(id);
    say(`There is no room ${id}, or you are not in it.`);
    location.replace("#rooms");
  }

  store.on(["connection"], shell.renderConnection);
  store.on(["me"], shell.renderPerson);
  store.on(["rooms"], coalesce(() => {
    const unread = store.unreadTotal();
    document.title = unread ? `(${unread}) Taskroom` : "Taskroom";
    shell.renderBadges();
    const { room } = placeInAddress();
    if (room && room !== store.openRoomId) showRoom(room);
  }));
  if (restRefused) rooms.openByNumber();

  /** Takes dropped files where they fell: on a task, or into the conversation that is shown. */
  function takeFiles(files, target) {
    if (document.querySelector("dialog[open]")) return false;
    return panels.some((panel) => panel.takeFiles?.(files, target)) || conversation.takeFiles(files);
  }

  return {
    element: shell.element, goToRoom, followAddress, takeFiles,
    isAtEnd: conversation.isAtEnd, save: conversation.save,
  };
}
