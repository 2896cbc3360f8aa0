/* What the docs' forms make of a call, without a page. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";

import { curl, fieldsOf, missing, quoted, readable, target } from "../../../static/js/docs/calls.js";

const call = { method: "post", path: "/api/tasks/{task}/", places: { task: "7" }, query: {}, headers: {}, body: null, isOpen: false };

test("a quoted word is one word for a shell, whatever is in it", () => {
  for (const word of ["it's", "$(id) `id` $HOME", "a\nb", '"', "\\", "'", "-x", ""]) {
    assert.equal(execFileSync("sh", ["-c", `printf %s ${quoted(word)}`]).toString(), word);
  }
});

test("what stands in places and query is encoded, and a path keeps its slashes", () => {
  assert.equal(target({ path: "/media/{path}", places: { path: "a b/c?d" }, query: {} }), "/media/a%20b/c%3Fd");
  assert.equal(target({ path: "/api/tasks/", places: {}, query: { search: "a&b", page: "" } }), "/api/tasks/?search=a%26b");
});

test("a place without anything in it is missing", () => {
  assert.deepEqual(missing({ path: "/a/{id}/b/{user_id}/", places: { id: " ", user_id: "3" } }), ["id"]);
});

test("the line of curl names the token and does not tell it", () => {
  const line = curl("https://here", { ...call, body: '{\n  "title": "it\'s"\n}', headers: { "If-Match": '"3"', "Idempotency-Key": "" } });
  assert.equal(line, `curl -X POST 'https://here/api/tasks/7/' -H "Authorization: Bearer $TOKEN" -H 'If-Match: "3"' -H 'Content-Type: application/json' -d '{"title":"it'\\''s"}'`);
  assert.equal(curl("https://here", { ...call, method: "get", isOpen: true }), "curl 'https://here/api/tasks/7/'");
});

test("a form says what the JSON says, with its files", () => {
  const line = curl("https://here", { ...call, isOpen: true, body: '{"room":7,"content":null}', fileField: "attachments" });
  assert.equal(line, "curl -X POST 'https://here/api/tasks/7/' -F 'room=7' -F 'attachments=@file'");
  assert.deepEqual(fieldsOf('{"to":[1,2],"text":"x"}'), [["to", "1"], ["to", "2"], ["text", "x"]]);
  assert.deepEqual(fieldsOf("[1]"), []);
  assert.deepEqual(fieldsOf("nonsense"), []);
});

test("JSON is shown with lines, and what is none as it is", () => {
  assert.equal(readable('{"a":1}'), '{\n  "a": 1\n}');
  assert.equal(readable("<b>"), "<b>");
});
