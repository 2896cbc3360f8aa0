/*
 * Names for messages that the server has not numbered yet. randomUUID exists
 * only in secure contexts, and a LAN address over plain http is none.
 */

/**
 * A key for making something once: the same as long as the same is asked for, so that whoever asks again
 * after an answer that never came does not get a second one. `slot` keeps it until it is cleared.
 */
export function keyFor(slot, json) {
  const body = JSON.stringify(json);
  const last = slot.get();
  if (last?.body === body) return last.key;
  const key = newId();
  slot.set({ key, body });
  return key;
}

export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
