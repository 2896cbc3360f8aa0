/* What is one's own: what the person's menu offers besides the places, and what goes on wherever one looks. */
import { alerts } from "../app/alerts.js";
import { go } from "../app/place.js";
import { focusOf } from "../focus/known.js";
import { effect } from "../kit/html.js";
import { isLeftAlone } from "./alone.js";
import { askForStatus } from "./statusform.js";

/** From now on nothing is told in quiet hours, nor while one focuses; what the profile says of them is read when it is first needed. */
function leaveAlone(scope, focus) {
  let asked = false;
  scope.onEnd(effect(() => {
    const { sound, desktop } = alerts.value;
    if (asked || (!sound && !desktop)) return;
    asked = true;
    scope.call("GET", "/api/users/profile/").then(scope.becomeMe, () => { asked = false; });
  }));
  scope.isLeftAlone = () => isLeftAlone(scope.me(), focus.state.session, Date.now());
}

/** Entries as in kit/menu.js. @param {any} scope as in app/scope.js */
export function ownActions(scope) {
  leaveAlone(scope, focusOf(scope)); // a session that runs shows its clock from the start
  return [
    { label: "Set a status", icon: "smile", testid: "set-status", onClick: () => { askForStatus(scope); } },
    { label: "Profile", icon: "person", testid: "profile", onClick: () => go("#profile") },
    { label: "Quiet hours", icon: "mute", testid: "quiet-hours", onClick: () => go("#profile?part=quiet") },
    "line",
  ];
}
