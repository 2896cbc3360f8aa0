/*
 * The conversation's rows: a window over all messages. Whoever is at the end stays there; whoever reads back
 * sees nothing move, whatever comes above or below.
 */
import { Component, html } from "../kit/html.js";
import { Button } from "../kit/controls.js";
import { ownEmoji } from "./marks.js";
import { Row } from "./message.js";
import { EmojiBox } from "./reactions.js";
import { readersAt, rowsOf, seenOwn, withUnsent } from "./timeline.js";
import { placeOfId, windowAround, windowAtEnd, windowKept, windowMoved } from "./window.js";

const AT_END_PX = 60;
const FAR_FROM_END_PX = 240;
const LOAD_AT_PX = 2_000;
const ROW_PX = 34; // a first guess, until rows have been measured
const KEEP_AT_END = 300;
/* What letters do to the message that has the focus. */
const KEYS = { e: "edit", r: "answer", t: "toTask", p: "pin", u: "markUnread", "+": "pick", Delete: "remove" };
/** The same for the list of keys: pressed elsewhere, they lead to the newest message first. */
export const MESSAGE_KEYS = [["r", "Answer the message that has the focus"], ["+", "Put an emoji on it"], ["p", "Pin it, or unpin it"], ["u", "Mark unread from it on"], ["t", "Make a task of it"], ["e", "Edit it, if it is one's own"], ["Delete", "Delete it, if it is one's own"]];
const OWN_ONLY = new Set(["edit", "remove"]);
/* Most browsers hold what is read in its place by themselves, also under a scroll that is still going on; not at the very top. */
const holdsPlace = CSS.supports("overflow-anchor", "auto");
const still = matchMedia("(prefers-reduced-motion: reduce)");

const WELCOME = "Everybody is in this room. Below the list of rooms you find open ones to join; + Message writes to one person, + Group to a few.";

/** What a room begins with. Whoever has no name yet is known to the others by their login only. */
const beginningOf = (room, { first_name: first, last_name: last }) => (room.is_default
  ? html`${WELCOME}${!first && !last && html` <a href="#profile" data-testid="tell-name">Tell the others your name.</a>`}`
  : "This is the beginning of the conversation.");

const statusWords = (thread, isEmpty, room, me) => {
  if (thread.status === "loading") return "Loading messages…";
  if (thread.status === "failed") return "The messages could not be loaded.";
  if (isEmpty && room.is_default) return html`Welcome. ${beginningOf(room, me)}`;
  return isEmpty ? "Nothing here yet. Say hello." : "";
};

/** Properties: room, thread, pending, reads, env, handle; actions -> {loadOlder(), loadNewer(), around(id), toNewest(), markRead(), trim(most)}; `atEnd(isAtEnd)`; `target` is a message to show. */
export class Messages extends Component {
  state = { hovered: null, isFar: false, range: { start: 0, end: 0 }, picking: null };
  isFollowing = true;
  lastTop = 0;
  lastMost = 0;
  frame = 0;
  anchor = null;
  firstId = null;
  scroller = null;
  rows = null;
  rowPx = ROW_PX;

  componentDidMount() {
    this.props.handle.current = this;
    this.resized = new ResizeObserver(() => this.keepPlace());
    this.resized.observe(this.scroller);
    this.resized.observe(this.rows);
    if (this.props.thread.id) this.showTarget(this.props.thread.id);
    else this.toEnd();
    this.props.actions.atEnd(() => this.isFollowing && Boolean(this.scroller?.checkVisibility()));
  }

  componentWillUnmount() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
    this.props.actions.atEnd(() => false);
    if (this.props.handle.current === this) this.props.handle.current = null;
  }

  all() {
    const { thread, pending } = this.props;
    return pending.length ? withUnsent(thread.items, pending) : thread.items;
  }

  /** The window for the messages as they are now. */
  window(messages) {
    const { range } = this;
    const next = this.isFollowing ? windowAtEnd(range ?? { start: 0, end: 0 }, messages.length) : windowKept(range, this.firstId, messages);
    this.range = next;
    this.firstId = messages[next.start]?.id ?? null;
    return next;
  }

  /**
   * Only a person who goes up leaves the end. A view that shrinks is suddenly far from it as well, and rows that are
   * taken away above push the place up by themselves: then there is more or less to scroll than before.
   */
  noteScroll() {
    if (!this.scroller) return; // told after the view has gone
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const most = scrollHeight - clientHeight;
    const hasGoneUp = most === this.lastMost && scrollTop < this.lastTop - 1;
    if (hasGoneUp && most - scrollTop >= AT_END_PX) this.isFollowing = false;
    Object.assign(this, { lastTop: scrollTop, lastMost: most });
  }

  getSnapshotBeforeUpdate() {
    this.noteScroll();
    return this.isFollowing ? null : this.findAnchor();
  }

  componentDidUpdate(before, _, snapshot) {
    const { pending, thread, actions, target } = this.props;
    if (pending.length > before.pending.length) this.isFollowing = true;
    this.anchor = snapshot ?? this.anchor;
    this.keepPlace();
    if (this.isFollowing && thread.items.length > 2 * KEEP_AT_END) actions.trim(KEEP_AT_END);
    if (target && target !== this.shownTarget) this.showTarget(target);
    actions.markRead();
    /* Only what has come is looked at: a window that moved by itself must not move itself again. In a frame of
       its own: the browser holds the place of what it has laid out. */
    if (thread.items !== this.lookedAt) this.onScroll();
    this.lookedAt = thread.items;
  }

  /** A row at the top of what one sees, and where it stands. */
  findAnchor() {
    if (!this.rows) return null;
    const edge = this.scroller.getBoundingClientRect().top;
    const { children } = this.rows;
    let [low, high] = [1, children.length - 1]; // the first and the last stand for rows that are not here
    while (low < high) {
      const middle = (low + high) >> 1;
      if (children[middle].getBoundingClientRect().bottom <= edge) low = middle + 1;
      else high = middle;
    }
    const element = children[Math.min(low + 1, children.length - 2)]; // the topmost may get a head, or lose it
    return element && low < children.length - 1 ? { element, top: element.getBoundingClientRect().top - edge } : null;
  }

  /** After anything has grown or shrunk: the end for whoever is there, the same row for whoever reads. */
  keepPlace() {
    this.noteScroll();
    if (this.isFollowing) return this.toEnd();
    const { element, top } = this.anchor ?? {};
    if (!element?.isConnected || (holdsPlace && this.scroller.scrollTop > 0)) return null;
    const moved = element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - top;
    if (Math.abs(moved) >= 1) {
      this.scroller.scrollTop += moved;
      this.lastTop = this.scroller.scrollTop;
    }
    return null;
  }

  distance = () => this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;

  toEnd(behavior = "instant") {
    this.isFollowing = true;
    if (!this.scroller) return;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: still.matches ? "instant" : behavior });
    this.noteScroll();
  }

  jump = () => {
    if (this.props.thread.hasNewer) return this.props.actions.toNewest();
    this.isFollowing = true;
    this.setState({ isFar: false });
    this.toEnd();
  };

  onScroll = () => {
    this.noteScroll();
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.scrolled());
  };

  scrolled() {
    const distance = this.distance();
    const isWindowAtEnd = this.range.end >= this.all().length && !this.props.thread.hasNewer;
    this.noteScroll();
    if (distance < AT_END_PX && isWindowAtEnd) this.isFollowing = true;
    if (this.isFollowing) this.props.actions.markRead();
    else this.anchor = this.findAnchor();
    const isFar = distance > FAR_FROM_END_PX || !isWindowAtEnd;
    if (isFar !== this.state.isFar) this.setState({ isFar });
    this.look();
  }

  /** Brings rows before they are needed, and asks for older messages. */
  look() {
    const { thread, actions } = this.props;
    const length = this.all().length;
    /* Whoever is at the end reads there: older messages come when they go back, or while the view is not full. */
    if (!length || (this.isFollowing && this.scroller.scrollHeight > this.scroller.clientHeight + AT_END_PX)) return;
    const view = this.scroller.getBoundingClientRect();
    const top = this.rows.firstElementChild.getBoundingClientRect().bottom;
    const bottom = this.rows.lastElementChild.getBoundingClientRect().top;
    const above = view.top - top;
    const below = bottom - view.bottom;
    if (bottom > top) this.rowPx = (bottom - top) / Math.max(1, this.range.end - this.range.start);
    if (this.range.start === 0 && above < LOAD_AT_PX && thread.hasMore && thread.status === "ready") actions.loadOlder();
    if (this.range.end >= length && below < LOAD_AT_PX && thread.hasNewer && thread.status === "ready") actions.loadNewer();
    if (this.isFollowing) return;
    const isBeside = bottom < view.top || top > view.bottom;
    const next = isBeside ? windowAround(Math.floor(this.scroller.scrollTop / this.rowPx), length) : windowMoved(this.range, length, { above, below });
    if (next.start === this.range.start && next.end === this.range.end) return;
    if (!isBeside) this.anchor = this.findAnchor();
    else this.anchor = null;
    this.range = next;
    this.firstId = this.all()[next.start]?.id ?? null;
    this.forceUpdate();
  }

  /** Brings one message before one's eyes, if it is among those that are loaded. */
  showTarget(id) {
    const messages = this.all();
    const index = placeOfId(messages, id);
    if (messages[index]?.id !== id) return this.seek(id);
    this.shownTarget = id;
    this.isFollowing = false;
    this.range = windowAround(index, messages.length);
    this.firstId = messages[this.range.start]?.id ?? null;
    this.anchor = null;
    this.forceUpdate(() => {
      const row = this.rows.querySelector(`[data-message-id="${id}"]`);
      row?.scrollIntoView({ block: "center" });
      row?.focus();
      this.anchor = this.findAnchor();
    });
  }

  /** It is not among what is loaded: the room is shown around it, unless that is what was tried. */
  seek(id) {
    const { thread, actions } = this.props;
    if (thread.status !== "ready" || this.sought === id) return null;
    this.sought = id;
    return thread.id === id ? null : actions.around(id);
  }

  rowsShown(messages, { start, end }) {
    const { room, thread, reads, env } = this.props;
    const people = room.participants ?? [];
    const seen = seenOwn(thread.items, reads, people, env.me);
    const readers = env.isDirect ? new Map() : readersAt(thread.items, reads, people, env.me);
    return rowsOf({ messages, start, end, firstUnread: thread.firstUnread, me: env.me, hasMore: thread.hasMore }).map((row) => (row.kind !== "message" ? row : {
      ...row,
      readers: sameList(this, `r${row.message.id}`, readers.get(row.message.id)),
      seenBy: sameList(this, `s${row.message.id}`, row.message.id && row.message.id === seen?.id ? seen.who : null),
      isHovered: this.state.hovered === row.key,
    }));
  }

  /** Offers emoji for a message, beside what was pressed. */
  pick = (message, anchor) => this.setState({ picking: { message, anchor } });

  closePicker = () => {
    const { message } = this.state.picking ?? {};
    this.setState({ picking: null });
    if (message) this.rows.querySelector(`[data-message-id="${message.id}"]`)?.focus();
  };

  choose = (emoji) => {
    const { message } = this.state.picking;
    const now = this.all().find((one) => one.id === message.id) ?? message;
    if (!ownEmoji(now, this.props.env.me.id).includes(emoji)) this.props.env.actions.react(now, emoji);
    this.closePicker();
  };

  onPointerOver = (event) => {
    if (event.pointerType === "touch") return;
    const key = event.target.closest?.("[data-testid=message]")?.dataset.key ?? null;
    if (key !== this.state.hovered) this.setState({ hovered: key });
  };

  onFocusIn = (event) => {
    const key = event.target.closest?.("[data-testid=message]")?.dataset.key ?? null;
    if (key && key !== this.state.hovered) this.setState({ hovered: key });
  };

  focusNewest() {
    [...this.rows?.querySelectorAll("[data-testid=message]") ?? []].at(-1)?.focus();
  }

  /** Left and right walk among what can be pressed in a message. */
  walkInside(event) {
    const message = event.target.closest("[data-testid=message]");
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !message || event.target.closest("[popover], input")) return false;
    const inside = [message, ...message.querySelectorAll("button, a")];
    inside[Math.max(0, Math.min(inside.length - 1, inside.indexOf(document.activeElement) + step))].focus();
    event.preventDefault();
    return true;
  }

  /** Arrows walk from message to message; letters act on the one that has the focus. */
  onKeyDown = (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || this.walkInside(event)) return;
    if (event.key === "Escape" && event.target.closest(".message") !== event.target) event.target.closest(".message")?.focus();
    if (event.target.closest("button, a, input")) return;
    const all = [...this.rows.querySelectorAll("[data-testid=message]")];
    const here = all.indexOf(event.target);
    const step = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1 }[event.key];
    const message = here >= 0 && this.all().find((one) => String(one.id ?? "") === event.target.dataset.messageId);
    const act = KEYS[event.key];
    if (step) {
      event.preventDefault();
      (all[here < 0 ? all.length - 1 : Math.max(0, Math.min(all.length - 1, here + step))])?.focus();
    } else if (act && message && !message.state && !message.deleted_at && (!OWN_ONLY.has(act) || event.target.dataset.mine === "true")) {
      event.preventDefault();
      if (act === "pick") this.pick(message, event.target);
      else this.props.env.actions[act](message);
    }
  };

  render({ thread, env }) {
    const messages = this.all();
    const range = this.window(messages);
    const words = statusWords(thread, !messages.length, this.props.room, env.me);
    const isBeginning = range.start === 0 && !thread.hasMore && messages.length > 0 && thread.status === "ready";
    return html`<div class="messages-place">
      ${thread.status === "older" && html`<p class="loading-older" role="status">Loading older messages…</p>`}
      <div class="scroll messages-scroll" tabindex="0" role="region" aria-label="Conversation" ref=${(element) => { this.scroller = element; }}
        onScroll=${this.onScroll} onPointerOver=${this.onPointerOver} onFocusIn=${this.onFocusIn} onKeyDown=${this.onKeyDown}>
        <div class="fill"></div>
        ${words && html`<p class="empty">${words}</p>`}
        <div class="messages" role="log" aria-label="Messages" data-testid="messages" aria-busy=${thread.status === "ready" ? undefined : "true"} ref=${(element) => { this.rows = element; }}>
          <div class="spacer" style=${{ height: isBeginning ? "auto" : `${Math.round(range.start * this.rowPx)}px` }}>${isBeginning && html`<p class="beginning hint">${beginningOf(this.props.room, env.me)}</p>`}</div>
          ${this.rowsShown(messages, range).map((row) => html`<${Row} key=${row.key} row=${row} env=${env} />`)}
          <div class="spacer" style=${{ height: `${Math.round((messages.length - range.end) * this.rowPx)}px` }}></div>
        </div>
      </div>
      ${this.state.isFar && html`<${Button} small class="jump" icon="down" testid="jump" label="Go to the newest message" onClick=${this.jump}>Newest</>`}
      ${this.state.picking && html`<${EmojiBox} anchor=${this.state.picking.anchor} choose=${this.choose} close=${this.closePicker} />`}
    </div>`;
  }
}

/** The list that was given last for this name if it holds the same people: rows compare by identity. */
function sameList(owner, name, list) {
  if (!list) return null;
  owner.lists ??= new Map();
  const before = owner.lists.get(name);
  if (before && before.length === list.length && before.every((one, index) => one.id === list[index].id)) return before;
  if (owner.lists.size > 200) owner.lists.clear();
  owner.lists.set(name, list);
  return list;
}
