/* A scroller that stays at its newest entry, until somebody scrolls up to read, and again once they come back. */

const AT_END_PX = 60;
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Pictures arrive late, keyboards open and notices appear: whoever was at the end stays there. */
export function followEnd(scroller, content) {
  let following = true;
  let top = 0;

  const distance = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;

  function toEnd(behavior = "instant") {
    following = true;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: still.matches ? "instant" : behavior });
  }

  function keepUp() {
    if (following) toEnd();
  }

  /* Only going up is leaving: a view that shrinks is suddenly far from its end as well. */
  scroller.addEventListener("scroll", () => {
    if (distance() < AT_END_PX) following = true;
    else if (scroller.scrollTop < top) following = false;
    top = scroller.scrollTop;
  }, { passive: true });
  const resized = new ResizeObserver(keepUp);
  resized.observe(scroller);
  if (content) resized.observe(content);

  return { toEnd, keepUp, distance, isFollowing: () => following };
}
