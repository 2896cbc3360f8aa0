/* A call as one writes it into the form: what is sent for it, and the same as a line of curl. Plain functions. */

/** @typedef {{ method: string, path: string, places: Record<string, string>, query: Record<string, string>,
 *   headers: Record<string, string>, body: string | null }} Call */

/** The path with what stands in its places; a path of several parts keeps its slashes. */
export function target({ path, places, query }) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent(places[name] ?? "").replaceAll("%2F", "/"));
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const text = given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  return text ? `${filled}?${text}` : filled;
}

/** What is still missing before it can be sent: names of places without anything in them. */
export const missing = ({ path, places }) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).filter((name) => !places[name]?.trim());

/** One word for a shell, whatever is in it. */
export const quoted = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/**
 * @param {string} server
 * @param {Call & { isOpen: boolean, fileField?: string | null }} call
 */
export function curl(server, { isOpen, fileField = null, ...call }) {
  const words = ["curl"];
  if (call.method !== "get") words.push("-X", call.method.toUpperCase());
  words.push(quoted(server + target(call)));
  // The shell puts it in: a token has no business in a page, or in what one copies from it.
  if (!isOpen) words.push("-H", '"Authorization: Bearer $TOKEN"');
  for (const [name, value] of Object.entries(call.headers)) if (value) words.push("-H", quoted(`${name}: ${value}`));
  if (fileField) words.push(...asForm(call.body, fileField));
  else if (call.body?.trim()) words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(oneLine(call.body)));
  return words.join(" ");
}

function asForm(body, fileField) {
  const words = fieldsOf(body).flatMap(([name, value]) => ["-F", quoted(`${name}=${value}`)]);
  return [...words, "-F", quoted(`${fileField}=@file`)];
}

/** The fields of a form that says the same as the JSON; nothing of what is no object. */
export function fieldsOf(body) {
  const value = parsed(body);
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    [one].flat().filter((part) => part !== null).map((part) => [name, String(part)]));
}

function oneLine(body) {
  const value = parsed(body);
  return value === undefined ? body : JSON.stringify(value);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** JSON as one reads it, and any other text as it is. */
export function readable(text) {
  const value = parsed(text);
  return value === undefined ? text : JSON.stringify(value, null, 2);
}
