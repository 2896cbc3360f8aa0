/* The views, in the order of the rail: what they are called and where they are. */

/** `testid` is the name in the rail, `tab` that of the phone's tab (none: it is in the person's menu there). */
export const VIEWS = [
  { id: "chat", label: "Chat", icon: "chat", address: "#rooms", testid: "tab-chat", tab: "tab-chat" },
  { id: "tasks", label: "Tasks", icon: "task", address: "#tasks", testid: "tab-tasks", tab: "tab-tasks" },
  { id: "focus", label: "Focus", icon: "timer", address: "#focus", testid: "open-focus", tab: "tab-focus" },
  { id: "people", label: "People", icon: "people", address: "#people", testid: "open-people" },
  { id: "workspaces", label: "Spaces", icon: "spaces", address: "#workspaces", testid: "open-workspaces" },
  { id: "inbox", label: "Inbox", icon: "bell", address: "#inbox", testid: "bell", tab: "bell" },
];

/** The view that an address names; the chat where it names none. */
export const viewOf = (id) => VIEWS.find((view) => view.id === id) ?? VIEWS[0];
