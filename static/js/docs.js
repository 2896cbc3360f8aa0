/* The API docs as a page, made from the server's own description at /api/schema/. */
import { socketConsole } from "./docs/console.js";
import { createPerson } from "./docs/person.js";
import { tryOut } from "./docs/tryout.js";
import { h, setAttribute, setText } from "./dom.js";
import { byTag, closeCodes, constraints, fields, haystack, inside, operations, sockets, typeName } from "./schema.js";

const content = document.getElementById("content");
const contents = document.getElementById("contents");
const search = document.getElementById("search");
const found = document.getElementById("found");
const person = createPerson(document.getElementById("person"), () => {});
let root = {};

/** Text with `code` in backticks; anything else stays as written. */
const inline = (text) => (text ?? "").split(/`([^`]+)`/).map((part, index) => (index % 2 ? h("code", {}, part) : part));

const prose = (text) =>
  (text ?? "").split(/\n\s*\n/).filter(Boolean).map((paragraph) => h("p", { class: "prose" }, inline(paragraph)));

/**
 * One level of an object as a table; what lies deeper unfolds when asked for, so cycles do no harm.
 * Which fields are required matters only in what a client sends.
 */
function fieldTable(schema, isSent = false) {
  const rows = fields(schema, root).map((field) =>
    h("tr", {},
      h("th", { scope: "row" }, h("code", {}, field.name), isSent && field.required && h("span", { class: "required" }, "required")),
      h("td", {}, h("span", { class: "type" }, field.type)),
      h("td", {}, prose(field.description), field.constraints.length > 0 && h("p", { class: "hint" }, field.constraints.join(" · ")), deeper(field, isSent))));
  if (!rows.length) return null;
  return h("div", { class: "table-place", tabindex: "0", role: "group", "aria-label": "Fields" },
    h("table", {},
      h("thead", {}, h("tr", {}, ["Field", "Type", "Meaning"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows)));
}

function deeper({ schema, name }, isSent) {
  if (!inside(schema, root).properties) return null;
  return unfold(`fields of ${name}`, () => [fieldTable(schema, isSent)]);
}

/** Built when it is first opened: the whole description at once would be a very long page. */
function unfold(label, build, props = {}) {
  const element = h("details", { class: "unfold", ...props }, h("summary", {}, label));
  element.addEventListener("toggle", () => element.append(...build().flat(Infinity).filter(Boolean)), { once: true });
  return element;
}

const linkTo = (id) => h("p", {}, h("a", { class: "anchor", href: `#${id}` }, "Link to this"));

const heading = (text) => h("h3", { class: "part" }, text);

function parameters(list) {
  if (!list.length) return [];
  const rows = list.map((one) =>
    h("tr", {},
      h("th", { scope: "row" }, h("code", {}, one.name), one.required && h("span", { class: "required" }, "required")),
      h("td", {}, h("span", { class: "type" }, typeName(one.schema, root)), h("span", { class: "hint" }, ` in ${one.in}`)),
      h("td", {}, prose(one.description), constraints(one.schema).length > 0 && h("p", { class: "hint" }, constraints(one.schema).join(" · ")))));
  return [heading("Parameters"), h("div", { class: "table-place", tabindex: "0", role: "group", "aria-label": "Parameters" }, h("table", {}, h("tbody", {}, rows)))];
}

const sample = (example) =>
  example !== undefined && h("pre", { class: "sample", tabindex: "0", role: "group", "aria-label": "Example" }, typeof example === "string" ? example : JSON.stringify(example, null, 2));

function bodies(contentTypes = {}, isSent = false) {
  return Object.entries(contentTypes).map(([type, { schema, example }]) => [
    h("p", { class: "body-type" }, h("code", {}, type), " ", schema && h("span", { class: "type" }, typeName(schema, root))),
    schema && fieldTable(schema, isSent),
    sample(example),
  ]);
}

function response({ status, description, content: types }) {
  const hasFields = Object.values(types ?? {}).some(({ schema, example }) => example !== undefined || (schema && inside(schema, root).properties));
  const label = h("span", {}, h("strong", { class: "status", data: { class: status[0] } }, status), " ", inline(description),
    " ", h("span", { class: "type" }, Object.values(types ?? {}).map(({ schema }) => schema && typeName(schema, root)).filter(Boolean).join(", ")));
  return hasFields ? unfold(label, () => bodies(types)) : h("p", { class: "plain-response" }, label);
}

function operationBody(operation) {
  return [
    linkTo(operation.id),
    prose(operation.description),
    operation.isOpen && h("p", { class: "hint" }, "Works without signing in."),
    parameters(operation.parameters),
    operation.requestBody && [heading("Request body"), prose(operation.requestBody.description), bodies(operation.requestBody.content, true)],
    tryOut(operation, person),
    heading("Responses"),
    operation.responses.map(response),
  ];
}

function operationEntry(operation) {
  const { id, method, path, summary } = operation;
  const label = h("span", { class: "entry-label" },
    h("span", { class: "method", data: { method } }, method.toUpperCase()),
    h("code", { class: "path" }, path),
    h("span", { class: "entry-summary" }, inline(summary)));
  return unfold(label, () => [h("div", { class: "entry-body" }, operationBody(operation).flat(Infinity).filter(Boolean))], {
    id, class: "entry", testid: "operation", data: { search: haystack(operation), deprecated: operation.deprecated ? "true" : null },
  });
}

function messageList(title, messages, isSent) {
  if (!messages?.length) return [];
  return [heading(title), messages.map((message) => {
    const label = h("span", {}, h("code", { class: "path" }, message.type), " ", inline(message.description));
    return message.schema && fields(message.schema, root).length
      ? unfold(label, () => [fieldTable(message.schema, isSent), sample(message.example)])
      : h("p", { class: "plain-response" }, label);
  })];
}

function socketEntry(socket) {
  const label = h("span", { class: "entry-label" },
    h("span", { class: "method", data: { method: "socket" } }, "WS"),
    h("code", { class: "path" }, socket.path),
    h("span", { class: "entry-summary" }, inline(socket.summary)));
  const body = () => [h("div", { class: "entry-body" },
    linkTo(socket.id),
    prose(socket.description),
    messageList("The client sends", socket.client, true),
    messageList("The server sends", socket.server, false),
    socketConsole(socket, person))];
  return unfold(label, body, { id: socket.id, class: "entry", testid: "socket", data: { search: haystack(socket) } });
}

function section(id, title, description, ...children) {
  const element = h("section", { id, class: "docs-section", "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title), prose(description), children);
  contents.append(h("a", { href: `#${id}`, data: { section: id } }, title));
  content.append(element);
}

function render() {
  setText(document.getElementById("title"), root.info?.title ?? "Taskroom API");
  setText(document.getElementById("version"), root.info?.version ?? "");
  content.replaceChildren(...prose(root.info?.description));
  for (const group of byTag(operations(root), root)) {
    section(group.id, group.name, group.description, group.members.map(operationEntry));
  }
  if (sockets(root).length) section("websockets", "WebSockets", "", sockets(root).map(socketEntry));
  if (closeCodes(root).length) {
    section("close-codes", "Close codes", "What the server means when it closes a socket.",
      h("dl", { class: "codes card" }, closeCodes(root).map(([code, meaning]) => [h("dt", {}, code), h("dd", {}, inline(meaning))])));
  }
}

/** Every word must occur somewhere in an entry; sections without entries step aside. */
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const element of content.querySelectorAll(".docs-section")) {
    const entries = [...element.querySelectorAll(".entry")];
    const matching = entries.filter((entry) => {
      const fits = words.every((word) => entry.dataset.search.includes(word));
      setAttribute(entry, "hidden", !fits);
      return fits;
    });
    count += matching.length;
    const isEmpty = words.length > 0 && !matching.length;
    setAttribute(element, "hidden", isEmpty);
    setAttribute(contents.querySelector(`[data-section="${element.id}"]`), "hidden", isEmpty);
  }
  setText(found, words.length ? `${count} found` : "");
}

function followAddress() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
  target.querySelector("summary")?.focus({ preventScroll: true });
}

async function start() {
  const known = person.begin();
  try {
    const answer = await fetch("/api/schema/", { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    root = await answer.json();
  } catch (error) {
    content.replaceChildren(h("p", { class: "empty", role: "alert" }, `The description could not be loaded. ${error.message}`));
    return;
  }
  await known;
  render();
  followAddress();
}

search.addEventListener("input", filter);
addEventListener("hashchange", followAddress);
addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.closest("input, textarea");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  search.focus();
});
start();
