/* Whether the end of a phase is heard: it is, until somebody asks for silence. Kept in this browser. */

const NAME = "taskroom.focus.silent";

export function isSilent() {
  try {
    return localStorage.getItem(NAME) === "1";
  } catch {
    return false;
  }
}

export function setSilent(value) {
  try {
    localStorage.setItem(NAME, value ? "1" : "");
  } catch {
    // A browser that stores nothing sounds again at the next visit.
  }
}
