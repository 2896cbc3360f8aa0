/* A list of API tokens, one's own or somebody's: what each may do, until when, and the way to revoke it. */
import { moment } from "../format.js";
import { Button } from "../kit/controls.js";
import { confirm } from "../kit/dialog.js";
import { html } from "../kit/html.js";

export const SCOPES = [
  { id: "read", label: "Read only" },
  { id: "chat", label: "Read, and write in the chat" },
  { id: "tasks", label: "Read, and change tasks" },
  { id: "all", label: "Whatever does not need you in person" },
];
const REACH = { read: "Reads only", chat: "Reads, and writes in the chat", tasks: "Reads, and changes tasks", all: "Does whatever needs nobody in person" };

const at = (iso) => moment(new Date(iso));

function lifeWords({ expires_at: expires, is_expired: isOver }) {
  if (!expires) return "Does not expire.";
  return isOver ? `Expired ${at(expires)}.` : `Expires ${at(expires)}.`;
}

const useWords = ({ last_used: used }) => (used ? `Last used ${at(used)}.` : "Never used.");

/** @param {{ tokens: any[], revoke: (token: any) => Promise<any>, label: string }} given */
export function TokenList({ tokens, revoke, label }) {
  async function askFirst(token) {
    const question = { title: `Revoke ${token.name}`, text: "Whatever uses this token is refused from now on, and its connections close.", action: "Revoke" };
    if (await confirm(question)) await revoke(token);
  }

  return html`<ul class="people-list" data-testid="api-tokens" aria-label=${label}>
    ${tokens.map((token) => html`<li key=${token.id} class="people-row" data-testid="api-token">
      <div class="grow"><p class="people-name">${token.name} <span class="hint">${`${token.begins_with}…`}</span></p>
        <p class="hint">${`${REACH[token.scope]}. ${lifeWords(token)} ${useWords(token)}`}</p></div>
      <${Button} testid="api-token-revoke" aria-label=${`Revoke ${token.name}`} onClick=${() => askFirst(token)}>Revoke</>
    </li>`)}
  </ul>`;
}
