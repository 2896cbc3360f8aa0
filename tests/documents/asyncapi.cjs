/* What AsyncAPI's own parser says of documents: node asyncapi.cjs PARSER FILE... prints a list for each.
   The parser's bundle for browsers is the whole of it in one file. */
globalThis.self = globalThis;
const { readFileSync } = require("node:fs");
const [bundle, ...files] = process.argv.slice(2);
const Parser = require(bundle);

async function main() {
  const found = [];
  for (const file of files) {
    const { diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
    found.push(diagnostics.map(({ code, severity, message, path }) => ({ code, severity, message, path: path.join("/") })));
  }
  console.log(JSON.stringify(found));
}

main();
