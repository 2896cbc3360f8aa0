/* What is one's own: what the person's menu offers besides the places, and what goes on wherever one looks. */
import { go } from "../app/place.js";
import { focusOf } from "../focus/known.js";

/** Entries as in kit/menu.js. @param {any} scope as in app/scope.js */
export function ownActions(scope) {
  focusOf(scope); // a session that runs shows its clock from the start
  return [
    { label: "Profile", icon: "person", testid: "profile", onClick: () => go("#profile") },
    { label: "Quiet hours", icon: "mute", testid: "quiet-hours", onClick: () => go("#profile?part=quiet") },
    "line",
  ];
}
