/* One HTTP exchange, and the one place where an answer becomes a value or an ApiError. */
import { soon } from "./format.js";

export class ApiError extends Error {
  /** `status` 0 means that no answer came; `fields` is {field: [messages]} of a refused form,
   * `current` what stands there by now where a change came too late, `secondStep` stands for a first step that was right. */
  constructor({ status = 0, detail, code = null, fields = null, current = null, secondStep = null }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.current = current;
    this.secondStep = secondStep;
  }

  /** Nobody decided anything: the same request may work later. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Hears of every exchange, as {method, address, sent} before it and with {status, received, ms} after it. */
let watcher = null;

export function watchCalls(listener) {
  watcher = listener;
}

/**
 * `version` is that of the object which one changes; `once` a key under which this is done once, however often it is asked for.
 * @param {string} server
 * @param {string} method
 * @param {string} path
 * @param {{ token?: string | null, query?: Record<string, any>, json?: any, form?: FormData, version?: number, once?: string }} [options]
 */
export async function request(server, method, path, { token, query = {}, json, form, version, once } = {}) {
  const url = new URL(path, server);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const headers = { Accept: "application/json" };
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  if (once) headers["Idempotency-Key"] = once;
  if (token) headers.Authorization = `Bearer ${token}`;
  if (json !== undefined) headers["Content-Type"] = "application/json";
  const body = json !== undefined ? JSON.stringify(json) : form;

  const { response, text } = await exchange(url, { method, headers, body });
  const answer = parsed(text);
  if (response.ok) return answer;
  throw refusal(response, answer);
}

/** What static/early.js has asked already: each answer is taken once. @type {Map<string, Promise<{ response: Response, text: string }>>} */
const early = globalThis.taskroomEarly ?? new Map();

/** From now on nothing is taken that was asked before. */
export const forgetEarly = () => early.clear();

function takeEarly(method, address) {
  const answer = early.get(`${method} ${address}`);
  early.delete(`${method} ${address}`);
  return answer;
}

async function fetched(url, { method, headers, body }) {
  const response = await fetch(url, { method, headers, body, credentials: "include", cache: "no-store" });
  return { response, text: await response.text() };
}

async function exchange(url, { method, headers, body }) {
  const about = { method, address: url.pathname + url.search };
  watcher?.({ ...about, sent: typeof body === "string" ? body : undefined });
  const began = performance.now();
  try {
    const { response, text } = await (takeEarly(method, about.address) ?? fetched(url, { method, headers, body }));
    watcher?.({ ...about, status: response.status, received: text, ms: performance.now() - began });
    return { response, text };
  } catch {
    watcher?.({ ...about, status: 0, ms: performance.now() - began });
    throw new ApiError({ detail: unreachable(url), code: "unreachable" });
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A browser does not tell a dead server from one that refuses this page's origin. */
function unreachable(url) {
  return location.protocol === "file:"
    ? `${url.origin} does not answer a page opened from disk. An access token may still do for the socket.`
    : `${url.origin} does not answer.`;
}

/** What an answer that refuses says, as an error. */
export function refusal(response, answer) {
  const fields = Object.entries(answer ?? {}).filter(([, messages]) => Array.isArray(messages));
  return new ApiError({
    status: response.status,
    detail: waitingAdvice(response) ?? answer?.detail ?? (fields.length ? fields[0][1].join(" ") : `The server answered ${response.status}.`),
    code: answer?.code,
    current: answer?.current,
    secondStep: answer?.second_step,
    fields: fields.length ? Object.fromEntries(fields) : null,
  });
}

/** When to come back, for whoever has asked too often. */
function waitingAdvice({ status, headers }) {
  const seconds = Number(headers.get("Retry-After"));
  return status === 429 && seconds > 0 ? `Too many requests from here. Try again ${soon(seconds)}.` : null;
}
