/*
 * Being told while one looks elsewhere: a sound, and where the browser allows
 * it a notification on the desktop. Both are off until somebody asks for them.
 */
import { signal } from "../kit/html.js";
import { inLine } from "../chat/shortcodes.js";
import { mentions } from "../mentions.js";

const NAME = "taskroom.alerts";

function stored() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

/** What this browser does: {sound, desktop}, and whether its person has been asked. */
export const alerts = signal({ sound: false, desktop: false, asked: false, ...stored() });

export function setAlerts(change) {
  alerts.value = { ...alerts.value, ...change };
  try {
    localStorage.setItem(NAME, JSON.stringify(alerts.value));
  } catch {
    // It counts for this visit.
  }
}

/** Why the desktop cannot be used here, in one sentence; "" where it can. */
export function desktopTrouble({ isSecure, permission }) {
  if (!isSecure) return "Desktop notifications need an https address (or this computer's own localhost); here the title, the icon and the sound tell you.";
  if (permission === undefined) return "This browser has no desktop notifications.";
  return permission === "denied" ? "This browser has been told not to show notifications of Taskroom; its settings for this address change that." : "";
}

export const desktopNow = () => desktopTrouble({ isSecure: isSecureContext, permission: globalThis.Notification?.permission });

/** Asks the browser, at the press of a button. True when it may. */
export async function allowDesktop() {
  const isAllowed = !desktopNow() && (await Notification.requestPermission()) === "granted";
  setAlerts({ desktop: isAllowed });
  return isAllowed;
}

let audio = null;

/** Two soft notes; nothing where the browser wants a press first. */
export function ring() {
  try {
    audio ??= new AudioContext();
    [[660, 0], [880, 0.12]].forEach(([pitch, after]) => {
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const at = audio.currentTime + after;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.3);
    });
  } catch {
    // A browser without sound.
  }
}

const isElsewhere = () => document.visibilityState !== "visible" || !document.hasFocus();

/** What a notification says beside the page, unless the chat tells of the same: {title, text, tag}, or null. */
export function alertOfNotification({ notification_type: kind, notification_id: id, title, content }) {
  return kind === "mention" || kind === "message" ? null : { title: title || "Taskroom", text: content ?? "", tag: `notification-${id}` };
}

/** Something was worth telling while nobody was here, and nobody has said yet how: asked once, when they are back. */
export const isAsking = signal(false);

/** Tells of something new: `open()` brings it before one's eyes. */
export function alertTo({ title, text, tag, open }) {
  const { sound, desktop, asked } = alerts.value;
  if (!isElsewhere()) return;
  if (!asked && !sound && !desktop) isAsking.value = true;
  if (sound) ring();
  if (!desktop || globalThis.Notification?.permission !== "granted") return;
  const shown = new Notification(title, { body: text, tag, icon: "/favicon.ico" });
  shown.onclick = () => {
    window.focus();
    open();
    shown.close();
  };
}

/** What of a chat message is worth an alert: {title, text}, or null. Values in, values out. */
export function alertOf(message, { room, isOwn, id, username, nameOf, titleOf }) {
  if (!room || isOwn || message.is_system || room.level === "none") return null;
  const isAnswered = Boolean(message.quote?.sender) && message.quote.sender.id === id;
  if (room.is_muted && !mentions(message.content, username) && !isAnswered) return null;
  const who = nameOf(message.sender);
  return {
    title: room.room_type === "direct" ? who : `${who} in ${titleOf(room)}`,
    text: inLine(message.content ?? "") || "sent a file",
  };
}
