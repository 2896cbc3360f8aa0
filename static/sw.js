/*
 * Gives the browser the page itself while the server is away, so that a reload shows what was loaded. It runs
 * where browsers allow it: under TLS, and on the machine itself. What it gives is the same for everybody: the
 * page and its versioned files, which the page puts into the cache (js/app/pagecache.js). It never touches the API.
 */
const CACHE = "taskroom.page";
const worker = /** @type {any} */ (self);

const kept = (request) => caches.match(request, { cacheName: CACHE, ignoreVary: true });

/** The server's page; the one that was kept where there is no answer, or only a proxy's. */
async function page(event) {
  const answer = await Promise.resolve(event.preloadResponse).then((given) => given ?? fetch(event.request)).catch(() => null);
  if (answer && answer.status < 500) return answer;
  return (await kept("/")) ?? answer ?? Response.error();
}

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.registration.navigationPreload?.enable()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== worker.location.origin) return;
  if (request.mode === "navigate" && pathname === "/") event.respondWith(page(event));
  else if (pathname.startsWith("/static/v/")) event.respondWith(kept(request).then((found) => found ?? fetch(request)));
});
