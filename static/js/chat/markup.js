/* The libraries behind markdown.js, in a file of their own: only rooms where somebody uses Markdown fetch it. */
import { Marked } from "../../vendor/marked.js";
import "../../vendor/purify.js";

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const isWeb = (address) => /^(?:https?:|mailto:|#)/i.test(address);

/** Text with its mentions, tasks and bare addresses as markup; `shown` says how the rest of it is shown. */
function inline(text, partsOf, shown) {
  return partsOf(text).map((part) => {
    if (typeof part === "string") return escaped(shown(part));
    if (part.kind === "mention") return `<span class="mention" data-username="${escaped(part.username)}">@${escaped(part.username)}</span>`;
    if (part.kind === "task") return `<a href="#task-${part.id}">#${part.id}</a>`;
    return `<a href="${escaped(part.address)}">${escaped(part.address)}</a>`;
  }).join("");
}

/** A function from a text to markup that may be shown. */
export function createMarkup({ partsOf, shown, allowedTags, allowedAttributes }) {
  const marked = new Marked({
    gfm: true, breaks: true, async: false,
    renderer: {
      html: ({ text }) => escaped(text),
      br: () => "<br>\n",
      checkbox: ({ checked }) => (checked ? "☑ " : "☐ "),
      image: ({ href, text }) => (isWeb(href) ? `<a href="${escaped(href)}">${escaped(text || href)}</a>` : escaped(text)),
      heading({ tokens, depth }) {
        const tag = depth < 3 ? "h3" : "h4";
        return `<${tag}>${this.parser.parseInline(tokens)}</${tag}>\n`;
      },
      text(token) {
        if (token.tokens) return this.parser.parseInline(token.tokens);
        return token.type === "escape" ? escaped(token.text) : inline(token.raw, partsOf, shown);
      },
      link({ href, tokens, text }) {
        const words = tokens ? this.parser.parseInline(tokens.map((token) => (token.type === "text" ? { ...token, type: "escape" } : token))) : escaped(text);
        return isWeb(href) ? `<a href="${escaped(href)}">${words}</a>` : words;
      },
    },
  });
  const purify = globalThis.DOMPurify;
  purify.addHook("afterSanitizeAttributes", (element) => {
    if (element.tagName !== "A") return;
    const isOwn = element.getAttribute("href")?.startsWith("#") || element.origin === location.origin;
    if (!isOwn) element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer");
  });
  return (text) => purify.sanitize(marked.parse(text), { ALLOWED_TAGS: allowedTags, ALLOWED_ATTR: allowedAttributes, ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false });
}
