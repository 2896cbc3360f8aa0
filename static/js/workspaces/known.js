/* The workspaces of the person who is signed in: read when they are first needed, and fresh from then on. */
import { watched } from "../app/changes.js";
import { createWorkspaceList } from "../workspacelist.js";

/** @param {any} scope as in app/scope.js */
export const workspacesOf = (scope) => scope.engine("workspaces", () => {
  const list = createWorkspaceList({ call: scope.call, me: scope.me, say: scope.say });
  scope.notifications.listeners.add(list.receive);
  list.load();
  return Object.assign(list, { changes: watched(list) });
});
