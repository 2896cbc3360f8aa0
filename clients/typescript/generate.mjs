/* Makes the types of this client from the server's two documents.
 *
 *   node generate.mjs http://127.0.0.1:8000    asks a server
 *   node generate.mjs FOLDER                   reads openapi.json and asyncapi.json there
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import openapiTS, { astToString } from "openapi-typescript";

const TARGET = new URL("./src/generated/", import.meta.url);
const HEAD = "/* Made by generate.mjs; do not edit. */\n\n";

async function read(from, name, path) {
  if (!/^https?:/.test(from)) return JSON.parse(await readFile(join(from, name), "utf8"));
  const answer = await fetch(new URL(path, from));
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}`);
  return answer.json();
}

/** What is not sent has its default on the server: a client need not send it. */
const types = async (document) => astToString(await openapiTS(document, { defaultNonNullable: false, alphabetize: true }));

/** Schemas and messages of the sockets, in the form that openapi-typescript reads. */
const asOpenApi = ({ info, components }) => ({
  openapi: "3.1.0",
  info,
  paths: {},
  components: {
    schemas: {
      ...components.schemas,
      ...Object.fromEntries(Object.entries(components.messages).map(([name, { payload }]) => [name, payload])),
    },
  },
});

/** By path, what a client may send and what it may hear. */
function channels({ channels }) {
  const lines = Object.values(channels).map(({ address, description, messages }) => {
    const union = (direction) => Object.entries(messages)
      .filter(([name]) => name.startsWith(`${direction}.`))
      .map(([, { $ref }]) => `components["schemas"][${JSON.stringify($ref.split("/").at(-1))}]`)
      .join("\n      | ") || "never";
    return `  /** ${description.replaceAll("*/", "* /")} */\n  ${JSON.stringify(address)}: {\n    sends: ${union("client")};\n    hears: ${union("server")};\n  };`;
  });
  return `export interface Channels {\n${lines.join("\n")}\n}\n`;
}

function closeCodes(document) {
  const lines = Object.entries(document["x-close-codes"]).map(([code, meaning]) => `  ${code}: ${JSON.stringify(meaning)},`);
  return `/** Why the server closes a socket, and what to do then. */\nexport const closeCodes: Readonly<Record<number, string>> = {\n${lines.join("\n")}\n};\n`;
}

const from = process.argv[2] ?? "http://127.0.0.1:8000";
const openapi = await read(from, "openapi.json", "/api/schema/");
const asyncapi = await read(from, "asyncapi.json", "/api/asyncapi/");
await mkdir(TARGET, { recursive: true });
await writeFile(new URL("openapi.ts", TARGET), HEAD + (await types(openapi)));
await writeFile(new URL("sockets.ts", TARGET), [HEAD, await types(asOpenApi(asyncapi)), channels(asyncapi), closeCodes(asyncapi)].join("\n"));
