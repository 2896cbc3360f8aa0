/* The log: every frame and call, newest last, each opening to its JSON. Only the rows in sight are in the document. */
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../kit/html.js";
import { toJsonLines } from "../entries.js";
import { EVERYTHING, isNarrow } from "../filter.js";
import { heightOf, visibleRows } from "../rows.js";
import { brought, emptyView, paused, refiltered, resumed, waiting } from "../view.js";
import { Frame } from "./frame.js";

const AT_END_PX = 40;
const BETWEEN_LOOKS_MS = 150;
const NARROW = matchMedia("(max-width: 899px)");
const ROW_PX = { wide: 30, narrow: 48 }; // as in protocol.css
const DIRECTIONS = [["", "All directions"], ["in", "Received"], ["out", "Sent"], ["event", "Events"]];

/**
 * The view of the log. It is brought up to date with the next picture that the screen shows, and in a flood only now and
 * then: nobody reads a thousand rows a second, so most of them are never made.
 * @param {any} log
 */
function useView(log) {
  const [view, setView] = useState(() => brought(emptyView(EVERYTHING), log));
  useEffect(() => {
    let timer = 0;
    let frame = 0;
    let last = 0;
    const bring = () => {
      [timer, frame, last] = [0, 0, performance.now()];
      setView((now) => ({ ...brought(now, log) }));
    };
    const unwatch = log.watch(() => {
      timer ||= setTimeout(() => { frame = requestAnimationFrame(bring); }, Math.max(0, last + BETWEEN_LOOKS_MS - performance.now()));
    });
    return () => {
      unwatch();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
    };
  }, [log]);
  return /** @type {const} */ ([view, setView]);
}

/** @returns {number} how high a closed row is */
function useRowHeight() {
  const [isNarrowPage, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const changed = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  return isNarrowPage ? ROW_PX.narrow : ROW_PX.wide;
}

/** @param {{bench: any}} props */
export function Frames({ bench }) {
  const { log } = bench;
  const [view, setView] = useView(log);
  const filter = (change) => setView((now) => refiltered(now, log, { ...now.filter, ...change }));
  return html`
    <section class="frames-panel" aria-label="Frames">
      <${Filters} bench=${bench} view=${view} filter=${filter} setView=${setView} />
      <${List} bench=${bench} view=${view} />
    </section>`;
}

/** @param {any} props */
function Filters({ bench, view, filter, setView }) {
  const { log } = bench;
  const isPaused = view.pausedAt !== null;
  const names = useMemo(() => namesOf(log), [log, view.seenId]);
  const select = (name, label, options) => html`
    <select class="input small" aria-label=${label} data-testid="frame-${name}" value=${view.filter[name]}
      onChange=${({ currentTarget }) => filter({ [name]: currentTarget.value })}>
      ${options.map(([value, text]) => html`<option value=${value}>${text}</option>`)}
    </select>`;
  return html`
    <div class="frames-head">
      <h2 class="panel-title">Frames</h2>
      <input class="input small" type="search" placeholder="Search" aria-label="Search frames" data-testid="frame-filter"
        title="Every word has to occur; a word after - must not" value=${view.filter.text}
        onInput=${({ currentTarget }) => filter({ text: currentTarget.value })} />
      ${select("direction", "Direction", DIRECTIONS)}
      ${select("socket", "Socket", [["", "All sockets"], ...names.sockets.map((one) => [one, one])])}
      ${select("type", "Type", [["", "All types"], ...names.types.map((one) => [one, one])])}
      <span class="hint frames-count" data-testid="frames-count">${countWords(view, log)}</span>
      <span class="buttons">
        <button type="button" class="button small" data-testid="frames-pause" aria-pressed=${String(isPaused)}
          onClick=${() => setView((now) => (isPaused ? resumed(now, log) : paused(now, log)))}>${isPaused ? "Go on" : "Pause"}</button>
        <button type="button" class="button small" data-testid="frames-clear"
          onClick=${() => { log.clear(); filter({}); }}>Clear</button>
        <button type="button" class="button small" data-testid="frames-save" disabled=${!view.shown.length}
          onClick=${() => save(view.shown)}>Save</button>
      </span>
    </div>`;
}

/** @param {any} log */
function namesOf(log) {
  const sockets = new Set();
  const types = new Set();
  for (const { socket, type } of log.after(0)) {
    sockets.add(socket);
    types.add(type);
  }
  return { sockets: [...sockets].sort(), types: [...types].sort() };
}

/**
 * @param {any} view
 * @param {any} log
 */
function countWords(view, log) {
  const behind = waiting(view, log);
  if (behind) return `${behind.toLocaleString()} waiting`;
  const shown = view.shown.length.toLocaleString();
  return isNarrow(view.filter) ? `${shown} of ${log.length.toLocaleString()}` : shown;
}

/** @param {import("../entries.js").Entry[]} entries */
function save(entries) {
  const address = URL.createObjectURL(new Blob([toJsonLines(entries)], { type: "application/jsonl" }));
  const link = Object.assign(document.createElement("a"), { href: address, download: `frames-${new Date().toISOString().replace(/[:.]/g, "-")}.jsonl` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}

/** @param {any} props */
function List({ bench, view }) {
  const { shown } = view;
  const rowHeight = useRowHeight();
  const place = useRef((null));
  const following = useRef(true);
  const heights = useRef(/** @type {Map<number, number>} */ (new Map())); // of opened rows, by entry
  const firstId = useRef(0);
  const [window, setWindow] = useState({ top: 0, height: 0, opened: new Set() });
  const look = (change) => setWindow((now) => looked(now, change));
  const [focusedId, setFocused] = useState(/** @type {number | null} */ (null));

  const taller = useMemo(() => tallerRows(shown, window.opened, heights.current, rowHeight), [shown, window, rowHeight]);
  const layout = { count: shown.length, rowHeight, taller };
  const top = following.current ? heightOf(layout) - window.height : window.top;
  const { start, end, above, below } = visibleRows(layout, { top: Math.max(0, top), height: window.height });

  /* Whoever was at the end stays there; whoever reads further up does not lose the place when old entries go. */
  useLayoutEffect(() => {
    const element = place.current;
    if (following.current) element.scrollTop = element.scrollHeight;
    else if (firstId.current && shown[0]?.id > firstId.current) {
      element.scrollTop -= (shown[0].id - firstId.current) * rowHeight;
    }
    firstId.current = shown[0]?.id ?? 0;
  }, [shown, window, rowHeight]);

  useEffect(() => {
    const resized = new ResizeObserver(([{ contentRect }]) => look({ height: contentRect.height }));
    resized.observe(place.current);
    return () => resized.disconnect();
  }, []);

  function scrolled() {
    if (!place.current) return; // told after the view has gone
    const { scrollTop, scrollHeight, clientHeight } = place.current;
    if (scrollHeight - scrollTop - clientHeight < AT_END_PX) following.current = true;
    else if (scrollTop < window.top) following.current = false;
    look({ top: scrollTop });
  }

  function toEnd() {
    following.current = true;
    look({});
  }

  /** A row was opened or closed, and is now as high as this. */
  function toggled(id, open, height) {
    if (open) heights.current.set(id, height);
    look({ id, open });
  }

  function moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || /** @type {HTMLElement} */ (event.target).closest("pre, button")) return;
    event.preventDefault();
    const now = shown.findIndex(({ id }) => id === focusedId);
    const next = shown[now === -1 ? shown.length - 1 : Math.min(shown.length - 1, Math.max(0, now + step))];
    if (!next) return;
    following.current = next === shown.at(-1);
    setFocused(next.id);
    requestAnimationFrame(() => {
      const row = place.current.querySelector(`[data-id="${next.id}"] > summary`);
      row?.focus({ preventScroll: true });
      row?.scrollIntoView({ block: "nearest" });
    });
  }

  return html`
    <div class="frames-place">
      <div class="frames" ref=${place} data-testid="frames" role="region" aria-label="Log" tabindex="0" onScroll=${scrolled} onKeyDown=${moved}>
        <div style="height: ${above}px"></div>
        ${shown.slice(start, end).map((entry) => html`
          <${Frame} key=${entry.id} entry=${entry} isOpen=${window.opened.has(entry.id)} isFocused=${entry.id === focusedId}
            toggled=${toggled} bench=${bench} />`)}
        <div style="height: ${below}px"></div>
      </div>
      ${!shown.length && html`<p class="empty">${isNarrow(view.filter) ? "Nothing here fits the filter." : "Frames appear here as they cross a socket."}</p>`}
      ${!following.current && html`<button type="button" class="button small to-end" data-testid="frames-newest" onClick=${toEnd}>Newest</button>`}
    </div>`;
}

/**
 * @param {any} window
 * @param {any} change
 */
function looked(window, { id, open, ...change }) {
  if (id === undefined) return { ...window, ...change };
  const opened = new Set(window.opened);
  if (open) opened.add(id);
  else opened.delete(id);
  return { ...window, opened };
}

/**
 * How much higher the opened rows are, by where they stand.
 * @param {any[]} shown
 * @param {Set<number>} opened
 * @param {Map<number, number>} heights
 * @param {number} rowHeight
 */
function tallerRows(shown, opened, heights, rowHeight) {
  const taller = new Map();
  if (!opened.size) return taller;
  shown.forEach(({ id }, index) => {
    if (opened.has(id)) taller.set(index, (heights.get(id) ?? rowHeight) - rowHeight);
  });
  return taller;
}
