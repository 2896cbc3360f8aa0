/* How large a picture stands on the page, and which of several is shown. Values in, values out. */

const MAX_WIDTH = 320;
const MAX_HEIGHT = 240;
const SHOWN_INLINE = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

/** The size in which a picture is shown in a conversation; null if its own is not known. */
export function shownSize({ width, height }) {
  if (!width || !height) return null;
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Whether a file is shown as a picture. The server says null for the size of one that cannot be. */
export const isPicture = (file) => SHOWN_INLINE.has(file.content_type) && file.width !== null;

/** The pictures among some files. */
export const picturesOf = (files) => files.filter(isPicture);

/** The place of the picture that a key leads to; null for other keys. */
export function pictureAfter(key, at, count) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return step ? (at + step + count) % count : null;
}
