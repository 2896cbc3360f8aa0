/* Reading an OpenAPI description: plain functions from schema to what a table shows. */

const METHODS = ["get", "post", "put", "patch", "delete"];

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

export const nameOfRef = (schema) => schema?.$ref?.split("/").at(-1) ?? null;

/** Follows references, also through several steps; an unknown one is an empty schema. */
export function resolve(schema, root) {
  let found = schema ?? {};
  for (let step = 0; found.$ref && step < 10; step += 1) {
    const path = found.$ref.replace(/^#\//, "").split("/");
    found = path.reduce((part, name) => part?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], root) ?? {};
  }
  return found;
}

/** allOf is one object in several pieces. */
function whole(schema, root) {
  const found = resolve(schema, root);
  if (!found.allOf) return found;
  return found.allOf.map((part) => whole(part, root)).reduce(
    (sum, part) => ({
      ...sum, ...part,
      properties: { ...sum.properties, ...part.properties },
      required: [...(sum.required ?? []), ...(part.required ?? [])],
    }),
    { ...found, allOf: undefined },
  );
}

export function typeName(schema, root) {
  const name = nameOfRef(schema);
  if (name) return name;
  if (!schema) return "any";
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map((choice) => typeName(choice, root)).join(" or ");
  if (schema.allOf?.length === 1) return typeName(schema.allOf[0], root);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${typeName(schema.items, root)}`;
  const types = [schema.type ?? (schema.properties ? "object" : "any")].flat();
  return types.join(" or ") + (schema.format ? ` (${schema.format})` : "");
}

const LIMITS = {
  minLength: (n) => `at least ${n} characters`,
  maxLength: (n) => `at most ${n} characters`,
  minimum: (n) => `≥ ${n}`,
  maximum: (n) => `≤ ${n}`,
  exclusiveMinimum: (n) => `> ${n}`,
  exclusiveMaximum: (n) => `< ${n}`,
  minItems: (n) => `at least ${n}`,
  maxItems: (n) => `at most ${n}`,
  uniqueItems: (is) => is && "each once",
  pattern: (text) => `matches ${text}`,
  enum: (values) => `one of ${values.map((value) => JSON.stringify(value)).join(", ")}`,
  default: (value) => `default ${JSON.stringify(value)}`,
  readOnly: (is) => is && "read only",
  writeOnly: (is) => is && "write only",
};

export function constraints(schema) {
  const own = { ...schema?.items && { enum: schema.items.enum }, ...schema };
  return Object.entries(LIMITS)
    .filter(([name]) => own[name] !== undefined)
    .map(([name, words]) => words(own[name]))
    .filter(Boolean);
}

/** The schema one looks into: of a list its items, of a choice the first object. */
export function inside(schema, root) {
  const found = whole(schema, root);
  if (found.type === "array" && found.items) return inside(found.items, root);
  const choice = (found.oneOf ?? found.anyOf)?.find((one) => inside(one, root).properties);
  return choice ? inside(choice, root) : found;
}

/** [{name, type, required, constraints, description, schema}] of an object. */
export function fields(schema, root) {
  const object = inside(schema, root);
  const required = new Set(object.required ?? []);
  return Object.entries(object.properties ?? {}).map(([name, field]) => {
    const found = resolve(field, root);
    return {
      name, schema: field, type: typeName(field, root), required: required.has(name),
      constraints: constraints(found), description: field.description ?? found.description ?? "",
    };
  });
}

export function operations(root) {
  const found = [];
  for (const [path, item] of Object.entries(root.paths ?? {})) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      found.push({
        ...operation, method, path,
        id: operation.operationId ?? slug(`${method} ${path}`),
        tag: operation.tags?.[0] ?? "Other",
        isOpen: !(operation.security ?? root.security)?.length,
        parameters: [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((one) => resolve(one, root)),
        requestBody: operation.requestBody && resolve(operation.requestBody, root),
        responses: Object.entries(operation.responses ?? {}).map(([status, response]) => ({ status, ...resolve(response, root) })),
      });
    }
  }
  return found;
}

/** The description's own order of tags first, then whatever else is used. */
export function byTag(list, root) {
  const order = (root.tags ?? []).map((tag) => tag.name);
  const groups = new Map(order.map((name) => [name, []]));
  for (const operation of list) {
    if (!groups.has(operation.tag)) groups.set(operation.tag, []);
    groups.get(operation.tag).push(operation);
  }
  const about = new Map((root.tags ?? []).map((tag) => [tag.name, tag.description]));
  return [...groups]
    .filter(([, members]) => members.length)
    .map(([name, members]) => ({ name, id: `tag-${slug(name)}`, description: about.get(name) ?? "", members }));
}

export const sockets = (root) =>
  (root["x-websockets"] ?? []).map((socket) => ({ ...socket, id: `socket-${slug(socket.path)}` }));

export const closeCodes = (root) => Object.entries(root["x-close-codes"] ?? {});

/** Everything one might search an entry by. */
export function haystack({ id, method, path, tag, summary, description, client = [], server = [], parameters = [] }) {
  const messages = [...client, ...server].flatMap((message) => [message.type, message.description]);
  return [id, method, path, tag, summary, description, ...messages, ...parameters.map((one) => one.name)]
    .filter(Boolean).join(" ").toLowerCase();
}
