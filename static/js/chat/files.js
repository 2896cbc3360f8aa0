/* Files in a conversation: pictures in a box of one height, so that nothing moves when they come; a lightbox; uploads. */
import { size } from "../format.js";
import { Button, Icon } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { html, useState } from "../kit/html.js";
import { progressOf } from "./upload.js";

const SHOWN_INLINE = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"]);

const FileRow = ({ name, bytes, url }) => html`<a class="file" href=${url} download=${name} target="_blank" rel="noopener" data-testid="attachment"><${Icon} name="file" /><span class="file-name">${name}</span><span class="file-size">${size(bytes)}</span></a>`;

const lightbox = (file) => ask({
  title: file.file_name, wide: true, testid: "lightbox",
  content: () => html`<img class="lightbox-picture" src=${file.file_url} alt=${file.file_name} />
    <div class="buttons"><a class="button" href=${file.file_url} download=${file.file_name} target="_blank" rel="noopener">Download</a></div>`,
});

export function Attachment({ file }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken || !SHOWN_INLINE.has(file.content_type)) return html`<${FileRow} name=${file.file_name} bytes=${file.file_size} url=${file.file_url} />`;

  function open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    lightbox(file);
  }

  return html`<a class="picture-link" href=${file.file_url} target="_blank" rel="noopener" onClick=${open}><img class="picture" src=${file.file_url} alt=${file.file_name} loading="lazy" data-testid="attachment" onError=${() => setBroken(true)} /></a>`;
}

/** A file on its way, with how far it is and a way to call it back. */
export function WaitingFile({ file, preview, clientId, env }) {
  const fraction = progressOf(clientId);
  return html`<span class="waiting-file">
    ${preview ? html`<img class="picture" src=${preview} alt=${file.name} />` : html`<span class="file"><${Icon} name="file" /><span class="file-name">${file.name}</span><span class="file-size">${size(file.size)}</span></span>`}
    ${fraction !== null && html`<progress max="1" value=${fraction} aria-label=${`${file.name}: sent`}></progress><${Button} small testid="cancel-upload" onClick=${() => env.actions.cancelUpload(clientId)}>Cancel</>`}
  </span>`;
}
