/* The text of a message: plain text as text, Markdown as cleaned markup. */
import { html } from "../kit/html.js";
import { isReady, loadMarkdown, toMarkup } from "./markdown.js";
import { withShortcodes } from "./shortcodes.js";
import { isPlain, partsOf } from "./text.js";

const isOwnPage = (address) => URL.parse?.(address)?.origin === location.origin;

function Part({ part, env }) {
  if (part.kind === "task") return html`<a href=${`#task-${part.id}`}>${`#${part.id}`}</a>`;
  if (part.kind === "mention") return html`<span class="mention" data-mine=${part.username === env.me.username ? "true" : undefined} title=${env.nameOfUsername(part.username)}>${`@${part.username}`}</span>`;
  const isOwn = isOwnPage(part.address);
  return html`<a href=${part.address} target=${isOwn ? undefined : "_blank"} rel="noopener noreferrer">${part.address}</a>`;
}

/** @param {{ text: string, env: any, testid?: string }} props */
export function Text({ text, env, testid = "message-text" }) {
  if (!isPlain(text)) {
    const markup = isReady.value ? toMarkup(text) : (loadMarkdown(), null);
    if (markup !== null) return html`<div class="text marked" dir="auto" data-testid=${testid} dangerouslySetInnerHTML=${{ __html: markup }}></div>`;
  }
  return html`<div class="text" dir="auto" data-testid=${testid}>${partsOf(text).map((part) => (typeof part === "string" ? withShortcodes(part) : html`<${Part} part=${part} env=${env} />`))}</div>`;
}
