/* Files in a conversation: pictures in the place that their size says, so that nothing moves when they come; a lightbox; uploads. */
import { size } from "../format.js";
import { Button, Icon } from "../kit/controls.js";
import { ask } from "../kit/dialog.js";
import { classes, html, useState } from "../kit/html.js";
import { isPicture, pictureAfter, picturesOf, shownSize } from "./picture.js";
import { progressOf } from "./upload.js";

const FileRow = ({ name, bytes, url }) => html`<a class="file" href=${url} download=${name} target="_blank" rel="noopener" data-testid="attachment"><${Icon} name="file" /><span class="file-name">${name}</span><span class="file-size">${size(bytes)}</span></a>`;

/** One of several pictures, as large as the window; arrows lead to the others. */
function Lightbox({ pictures, first }) {
  const [at, setAt] = useState(first);
  const file = pictures[at];
  const hasOthers = pictures.length > 1;

  function onKeyDown(event) {
    const next = hasOthers ? pictureAfter(event.key, at, pictures.length) : null;
    if (next === null) return;
    event.preventDefault();
    setAt(next);
  }

  const turn = (key) => () => setAt(pictureAfter(key, at, pictures.length));
  return html`<div class="lightbox" tabindex="0" autofocus role="group" aria-label=${hasOthers ? `${file.file_name}, ${at + 1} of ${pictures.length}` : file.file_name} onKeyDown=${onKeyDown}>
    <img key=${file.id} class="lightbox-picture" src=${file.file_url} width=${file.width} height=${file.height} alt=${file.file_name} data-testid="lightbox-picture" />
    <div class="buttons">
      ${hasOthers && html`<${Button} testid="previous-picture" onClick=${turn("ArrowLeft")}>Previous</><span class="hint" role="status">${`${file.file_name} · ${at + 1} of ${pictures.length}`}</span><${Button} testid="next-picture" onClick=${turn("ArrowRight")}>Next</>`}
      <a class="button" href=${file.file_url} download=${file.file_name} target="_blank" rel="noopener" data-testid="download">Download</a>
    </div>
  </div>`;
}

const showLarge = (file, pictures) => ask({
  title: pictures.length > 1 ? "Pictures" : file.file_name, wide: true, testid: "lightbox",
  content: () => html`<${Lightbox} pictures=${pictures} first=${Math.max(0, pictures.findIndex(({ id }) => id === file.id))} />`,
});

/** A file; `among` are those that it came with, or that it stands beside. */
export function Attachment({ file, among = [file] }) {
  const [isBroken, setBroken] = useState(false);
  if (isBroken || !isPicture(file)) return html`<${FileRow} name=${file.file_name} bytes=${file.file_size} url=${file.file_url} />`;

  function open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    showLarge(file, picturesOf(among));
  }

  const shown = shownSize(file);
  return html`<a class="picture-link" href=${file.file_url} target="_blank" rel="noopener" onClick=${open}><img class=${classes("picture", shown && "sized")} src=${file.thumbnail_url ?? file.file_url} width=${shown?.width} height=${shown?.height} alt=${file.file_name} loading="lazy" decoding="async" data-testid="attachment" onError=${() => setBroken(true)} /></a>`;
}

/** A picture that is still here, in the size that it will have. */
function Preview({ url, name }) {
  const [shown, setShown] = useState(null);
  const measure = ({ currentTarget: { naturalWidth: width, naturalHeight: height } }) => setShown(shownSize({ width, height }));
  return html`<img class=${classes("picture", shown && "sized")} src=${url} width=${shown?.width} height=${shown?.height} alt=${name} onLoad=${measure} />`;
}

/** A file on its way, with how far it is and a way to call it back. */
export function WaitingFile({ file, preview, clientId, env }) {
  const fraction = progressOf(clientId);
  return html`<span class="waiting-file">
    ${preview ? html`<${Preview} url=${preview} name=${file.name} />` : html`<span class="file"><${Icon} name="file" /><span class="file-name">${file.name}</span><span class="file-size">${size(file.size)}</span></span>`}
    ${fraction !== null && html`<progress max="1" value=${fraction} aria-label=${`${file.name}: sent`}></progress><${Button} small testid="cancel-upload" onClick=${() => env.actions.cancelUpload(clientId)}>Cancel</>`}
  </span>`;
}
