/* Trying an operation: a form made of its description, the line of curl that does the same, and the answer. */
import { h, setText } from "../dom.js";
import { curl, fieldsOf, missing, readable, target } from "./calls.js";
import { button, copyButton, field, input } from "./parts.js";

const SHOWN_HEADERS = ["Content-Type", "ETag", "Location", "Retry-After", "X-Request-ID"];
const MAX_SHOWN_CHARS = 100_000;

export function tryOut(operation, person) {
  const { method, path, isOpen } = operation;
  const contents = operation.requestBody?.content ?? {};
  const json = contents["application/json"];
  const multipart = contents["multipart/form-data"];
  const fileField = multipart ? fileFieldOf(multipart.schema) : null;
  const given = { path: new Map(), query: new Map(), header: new Map() };

  const rows = operation.parameters.map((one) => {
    const isPlace = one.in === "path";
    const { element, control } = field(`${one.name}${isPlace ? "" : ` (${one.in})`}`, input({
      name: one.name, required: isPlace, placeholder: one.example === undefined ? null : String(one.example),
      testid: `try-${one.in}-${one.name}`, on: { input: renew },
    }));
    if (isPlace && one.example !== undefined) control.value = String(one.example);
    given[one.in].set(one.name, control);
    return element;
  });

  const example = json?.example ?? (multipart && without(multipart.example, fileField));
  const body = operation.requestBody && field("Body", h("textarea", {
    class: "input code", rows: String(Math.min(14, JSON.stringify(example ?? {}, null, 2).split("\n").length + 1)),
    spellcheck: "false", testid: "try-body", on: { input: renew, keydown: sendWithKeys },
  }), "JSON; Ctrl and Enter sends it.");
  if (body) body.control.value = example === undefined ? "" : JSON.stringify(example, null, 2);
  const files = fileField && field(`Files (${fileField})`, h("input", { type: "file", multiple: true, class: "input", testid: "try-files", on: { change: renew } }));

  const line = h("pre", { class: "sample", tabindex: "0", "aria-label": "The same with curl", testid: "curl" });
  const told = h("p", { role: "status", class: "try-status", testid: "try-status" });
  const answer = h("div", {});
  const send = h("button", { class: "button primary small", testid: "try-send" }, "Send");

  const values = (controls) => Object.fromEntries([...controls].map(([name, control]) => [name, control.value]));
  const hasFiles = () => Boolean(fileField && (!json || files.control.files.length));
  const call = () => ({
    method, path, places: values(given.path), query: values(given.query), headers: values(given.header),
    body: body ? body.control.value : null,
  });

  function renew() {
    setText(line, curl(location.origin, { ...call(), isOpen, fileField: hasFiles() ? fileField : null }));
  }

  function sendWithKeys(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  function request(token) {
    const { body: text, headers, ...rest } = call();
    /** @type {Record<string, string>} */
    const sent = { Accept: "application/json", ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value)) };
    if (token) sent.Authorization = `Bearer ${token}`;
    /** @type {string | FormData | undefined} */
    let content;
    if (hasFiles()) {
      content = new FormData();
      for (const [name, value] of fieldsOf(text)) content.append(name, value);
      for (const file of files.control.files) content.append(fileField, file);
    } else if (text?.trim()) {
      sent["Content-Type"] = "application/json";
      content = text;
    }
    return fetch(target(rest), { method: method.toUpperCase(), headers: sent, body: content, cache: "no-store" });
  }

  async function submit(event) {
    event.preventDefault();
    const lacking = missing(call());
    if (lacking.length) {
      setText(told, `Please fill in ${lacking.join(", ")}.`);
      given.path.get(lacking[0]).focus();
      return;
    }
    send.disabled = true;
    setText(told, "Sending…");
    answer.replaceChildren();
    const began = performance.now();
    try {
      let response = await request(await person.freshToken());
      if (response.status === 401 && person.user && !isOpen && await person.renew()) response = await request(await person.freshToken());
      await show(response, performance.now() - began);
    } catch (error) {
      setText(told, `Not sent, or not answered: ${error.message}`);
    } finally {
      send.disabled = false;
    }
  }

  async function show(response, ms) {
    const kind = response.headers.get("Content-Type") ?? "";
    const isText = /json|text|javascript|xml/.test(kind) && !kind.includes("event-stream");
    // A stream has no end to wait for.
    const text = isText ? await response.text() : null;
    if (!isText) response.body?.cancel();
    setText(told, `${response.status} ${response.statusText} in ${Math.round(ms)} ms`);
    told.dataset.class = String(response.status)[0];
    const headers = SHOWN_HEADERS.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
    answer.replaceChildren(
      h("p", { class: "hint" }, headers.join(" · ")),
      h("pre", { class: "sample", tabindex: "0", "aria-label": "The answer", testid: "try-answer" },
        text === null ? `(${kind || "no content"})` : readable(text).slice(0, MAX_SHOWN_CHARS)));
  }

  const form = h("form", { class: "try", on: { submit }, novalidate: true },
    h("div", { class: "try-fields" }, rows), body?.element, files && files.element,
    h("div", { class: "buttons" }, send, !isOpen && !person.user && h("span", { class: "hint" }, "It needs a session: sign in at the top of the page.")),
    told, answer);
  renew();
  return [
    h("h3", { class: "part" }, "With curl"),
    h("div", { class: "curl" }, line, h("div", { class: "buttons" }, copyButton(() => line.textContent, line, { testid: "copy-curl" }))),
    h("h3", { class: "part" }, "Try it"),
    form,
  ];
}

/** What the files are called in a form: the one field that is a list of bytes. */
function fileFieldOf(schema) {
  const parts = [schema, ...(schema?.allOf ?? [])];
  const fields = parts.flatMap((part) => Object.entries(part?.properties ?? {}));
  return fields.find(([, one]) => (one.items ?? one).format === "binary")?.[0] ?? "attachments";
}

function without(example, name) {
  if (!example) return {};
  const { [name]: _, ...rest } = example;
  return rest;
}
