/*
 * Keeps the page's own files for a reload while the server is away (static/sw.js gives them out). They are the
 * same for everybody; what people read is kept elsewhere (seen.js) and goes when they sign out.
 */
const CACHE = "taskroom.page";
/* What is shown comes first. */
const SOON_MS = 4_000;
const IDLE_MS = 2_000;

const after = (ms) => new Promise((done) => { setTimeout(done, ms); });
/** When the browser has nothing better to do. Safari does not say when. */
const idle = () => new Promise((done) => { (globalThis.requestIdleCallback ?? ((work) => setTimeout(work)))(() => done(null), { timeout: IDLE_MS }); });

const own = () => document.querySelector("script[type=module][src]")?.src ?? "";

/** The files of this version that have been loaded. */
function loaded(folder) {
  const names = performance.getEntriesByType("resource").map(({ name }) => name);
  return [...new Set([own(), ...names.filter((name) => name.startsWith(folder))])];
}

async function keep(cache, addresses) {
  const missing = [];
  for (const address of addresses) if (!(await cache.match(address, { ignoreVary: true }))) missing.push(address);
  await cache.addAll(missing);
}

/** Everything else that the page is made of, by the server's list: also what nobody has needed yet. One by one. */
async function keepRest(cache) {
  const names = await fetch(new URL("files.json", own()).href).then((answer) => (answer.ok ? answer.json() : []));
  for (const name of names) {
    await idle();
    await keep(cache, [new URL(name, own()).href]);
  }
}

/** The page as the browser got it when it was opened, not asked for again; another version would want other files. */
async function keepItself(cache, folder) {
  const answer = await fetch("/", { cache: "force-cache", headers: { Accept: "text/html" } });
  if (answer.ok && (await answer.clone().text()).includes(new URL(folder).pathname)) await cache.put("/", answer);
}

/** Files of another version are asked for no more. */
async function drop(cache, folder) {
  for (const request of await cache.keys()) {
    if (new URL(request.url).pathname !== "/" && !request.url.startsWith(folder)) await cache.delete(request);
  }
}

/** Where the browser does not allow it (plain http from another machine), a reload needs the server. */
export async function keepPage() {
  if (!navigator.serviceWorker || !globalThis.caches) return;
  await after(SOON_MS);
  const folder = new URL("../", own()).href;
  const cache = await caches.open(CACHE);
  await keep(cache, loaded(folder));
  await keepItself(cache, folder);
  await navigator.serviceWorker.register("/sw.js");
  await keepRest(cache);
  await drop(cache, folder);
}
