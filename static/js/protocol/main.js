/* The protocol page: what crosses the sockets and the REST API, and anything said by hand. boot.js calls start() once. */
import { html, render } from "../kit/html.js";
import { createBench } from "./bench.js";
import { App } from "./views/app.js";

/**
 * @param {HTMLElement} root
 * @param {{server: string, fromDisk: boolean}} options
 */
export async function start(root, options) {
  const bench = createBench(options);
  addEventListener("online", bench.wake);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") bench.wake();
  });
  if (!options.fromDisk) await bench.restore();
  root.replaceChildren();
  render(html`<${App} bench=${bench} />`, root);
}
