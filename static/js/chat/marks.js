/* What people put on messages: emoji, pins, answers that quote them. Values in, values out. */

const MAX_QUOTED = 200;

/** The message with all emoji that one person has on it now, in the order in which they came. */
export function withReactions(message, { user_id: userId, user_emoji: own }) {
  const people = new Map((message.reactions ?? []).map(({ emoji, user_ids: ids }) => [emoji, ids]));
  for (const [emoji, ids] of people) if (!own.includes(emoji)) people.set(emoji, ids.filter((id) => id !== userId));
  for (const emoji of own) {
    const ids = people.get(emoji) ?? [];
    if (!ids.includes(userId)) people.set(emoji, [...ids, userId]);
  }
  const reactions = [...people].filter(([, ids]) => ids.length).map(([emoji, ids]) => ({ emoji, count: ids.length, user_ids: ids }));
  return { ...message, reactions };
}

/** All emoji that one person has on a message. */
export const ownEmoji = (message, userId) => (message.reactions ?? []).filter(({ user_ids: ids }) => ids.includes(userId)).map(({ emoji }) => emoji);

/** What a person's emoji are after one of them was pressed. */
export function toggled(message, userId, emoji) {
  const own = ownEmoji(message, userId);
  return own.includes(emoji) ? own.filter((one) => one !== emoji) : [...own, emoji];
}

/** The message pinned, or no longer. */
export const withPin = (message, { user_id: userId, pinned_at: at }) => ({ ...message, pinned_at: at, pinned_by: at ? userId : null });

/** What an answer shows of the message that it answers. */
export function quoteOf({ id, sender, content, deleted_at: deletedAt }) {
  const words = (content ?? "").split(/\s+/).filter(Boolean).join(" ");
  const excerpt = words.length > MAX_QUOTED ? `${words.slice(0, MAX_QUOTED - 1)}…` : words || "A file";
  return { id, sender, content: deletedAt ? "" : excerpt, is_deleted: Boolean(deletedAt) };
}

/** The messages with the quotes of a message as it is now. */
export const requoted = (messages, message) => (messages.some((one) => one.reply_to === message.id)
  ? messages.map((one) => (one.reply_to === message.id ? { ...one, quote: quoteOf(message) } : one))
  : messages);

/** The first of the newest `count` messages that are not one's own, or null. */
export const firstUnreadOf = (messages, count, isOwn) => (count > 0 ? messages.filter((message) => !isOwn(message)).at(-count)?.id ?? null : null);
