/* Webhooks: what other programs are told of a room or a workspace, what they post there, and where anything may be sent. */
import { ask } from "../kit/dialog.js";
import { html, useEffect, useState } from "../kit/html.js";
import { useScope } from "../app/scope.js";
import { Addresses } from "./addresses.js";
import { Incoming } from "./incoming.js";
import { Outgoing } from "./outgoing.js";
import { ADDRESSES, INCOMING, OUTGOING } from "./words.js";

/** Where one is: `{room}` or `{workspace}`, its number; nothing for the ceo, who sees all. */
const queryOf = ({ room, workspace }) => ({ ...(room && { room }), ...(workspace && { workspace }), page_size: 100 });

function useHooks(where) {
  const { call, say } = useScope();
  const [found, setFound] = useState(null);
  const results = (path, query = {}) => call("GET", path, { query }).then((answer) => answer.results);

  async function load() {
    try {
      const [addresses, outgoing, incoming] = await Promise.all([
        results(ADDRESSES), results(OUTGOING, queryOf(where)), where.workspace ? [] : results(INCOMING, queryOf(where)),
      ]);
      setFound({ addresses, outgoing, incoming });
    } catch (error) {
      say(error.message);
    }
  }

  useEffect(() => { load(); }, []);
  return { found, load };
}

function Hooks({ where }) {
  const { me } = useScope();
  const { found, load } = useHooks(where);
  if (!found) return html`<p role="status">Loading webhooks…</p>`;
  const isAll = !where.room && !where.workspace;
  const isCeo = me().role === "ceo";
  return html`<div class="form" data-testid="hooks">
    <${Outgoing} where=${where} hooks=${found.outgoing} addresses=${found.addresses} load=${load} mayMake=${!isAll} />
    ${!where.workspace && html`<${Incoming} where=${where} hooks=${found.incoming} load=${load} mayMake=${!isAll} />`}
    ${isCeo && html`<${Addresses} addresses=${found.addresses} load=${load} />`}
  </div>`;
}

/** Shows the webhooks of a place, `{room}` or `{workspace}`, or all of them. A dialog stands outside the views: it gets the scope. */
export const askForHooks = (scope, where, name = "") => ask({
  title: name ? `Webhooks of ${name}` : "All webhooks",
  wide: true,
  testid: "hooks-dialog",
  content: () => html`<${scope.Provide}><${Hooks} where=${where} /></>`,
});
