/*
 * What the person chose about the connection: which server, and how the socket
 * signs in. Kept for this tab only, and never anything secret.
 */

const STORAGE_KEY = "taskroom.settings";

function stored() {
  try {
    return JSON.parse(sessionStorage.getItem(STORAGE_KEY)) ?? {};
  } catch {
    return {};
  }
}

/** An object whose changes survive a reload; what is `fixed` wins over what was kept. */
export function loadSettings(defaults, fixed) {
  const values = { ...defaults, ...stored(), ...fixed };
  return new Proxy(values, {
    set(target, name, value) {
      target[name] = value;
      try {
        sessionStorage.setItem(STORAGE_KEY, JSON.stringify(target));
      } catch {
        // A browser that stores nothing still serves this visit.
      }
      return true;
    },
  });
}
