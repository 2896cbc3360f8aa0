/* Any REST request by hand, as the person who is signed in; the log shows both halves. */
import { Button, Field } from "../../kit/controls.js";
import { html, useState } from "../../kit/html.js";

const METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"].map((id) => ({ id, label: id }));

/** @param {{bench: any}} props */
export function RestForm({ bench }) {
  const [values, setValues] = useState({ method: "GET", path: "/api/users/profile/", body: "" });
  const [answer, setAnswer] = useState("");
  const [problem, setProblem] = useState("");
  const bind = (name) => ({
    value: values[name], testid: `rest-${name}`,
    [name === "method" ? "onChange" : "onInput"]: ({ currentTarget }) => setValues((now) => ({ ...now, [name]: currentTarget.value })),
  });

  async function send() {
    const { method, path, body } = values;
    const hasBody = method !== "GET" && body.trim();
    let json;
    try {
      json = hasBody ? JSON.parse(body) : undefined;
    } catch {
      return setProblem("This is not JSON.");
    }
    setProblem("");
    return bench.call(method, path.startsWith("/") ? path : `/${path}`, json === undefined ? {} : { json }).then(
      (value) => setAnswer(JSON.stringify(value, null, 2)),
      (error) => setAnswer(`${error.status || ""} ${JSON.stringify(error.fields ?? error.message, null, 2)}`),
    );
  }

  const submitted = (event) => {
    event.preventDefault();
    send();
  };
  return html`
    <form class="stack" onSubmit=${submitted}>
      <div class="row">
        <select class="input method" aria-label="Method" ...${attributes(bind("method"))}>${METHODS.map(({ id, label }) => html`<option value=${id}>${label}</option>`)}</select>
        <input class="input" aria-label="Path" spellcheck="false" required ...${attributes(bind("path"))} />
      </div>
      ${values.method !== "GET" && html`<${Field} label="Body, as JSON" control="textarea" rows="3" spellcheck="false" problem=${problem} ...${bind("body")} />`}
      <div class="buttons"><${Button} testid="rest-send" onClick=${send}>Send request</><input type="submit" hidden /></div>
      ${answer && html`<pre class="answer" data-testid="rest-answer" role="status" tabindex="0" aria-label="Answer">${answer}</pre>`}
    </form>`;
}

const attributes = ({ testid, ...others }) => ({ "data-testid": testid, ...others });
