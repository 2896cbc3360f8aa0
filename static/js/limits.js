/* What the server takes, checked before anything is sent: a refusal afterwards would cost words, or the connection. */

export const MAX_MESSAGE_CHARACTERS = 20_000;
const DEFAULT_FRAME_KIB = 64;

const grouped = new Intl.NumberFormat("en");

/** As the server counts them: a character beyond the first plane is one, not two. */
export function characters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Why a message is too long to be sent, or "". */
export function tooLong(text) {
  if (text.length <= MAX_MESSAGE_CHARACTERS) return "";
  const count = characters(text);
  if (count <= MAX_MESSAGE_CHARACTERS) return "";
  return `${grouped.format(MAX_MESSAGE_CHARACTERS)} characters at most; this has ${grouped.format(count)}.`;
}

/** Whether a text fits into one frame of the socket; `kib` is the server's limit, null for none. */
export const fitsFrame = (text, kib = DEFAULT_FRAME_KIB) => !kib || new TextEncoder().encode(text).length <= kib * 1024;

/** A text as a file that can be attached. */
export const asTextFile = (text) => new File([text], "message.txt", { type: "text/plain" });
