/*
 * From the engines (store.js and its like), which tell that something has
 * changed, to signals that components follow. Changes that come in a burst are
 * shown together: the page is rendered no more often than `PACE_MS`.
 */
import { batch, signal } from "../kit/html.js";

const PACE_MS = 50;
const SLOW_MS = 200;

/** Runs `work` soon, and again at the earliest `pace` after that, however often it is asked. A timer: a hidden tab is told too. */
export function paced(work, pace) {
  let timer = 0;
  let last = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      last = performance.now();
      work();
    }, Math.max(0, last + pace - performance.now()));
  };
}

/** A signal for each topic of a store, which counts its changes; `slow` topics are shown less often. */
export function topicSignals(store, topics, slow = []) {
  const signals = Object.fromEntries([...topics, ...slow].map((topic) => [topic, signal(0)]));
  for (const [names, pace] of [[topics, PACE_MS], [slow, SLOW_MS]]) {
    const waiting = new Set();
    const show = paced(() => batch(() => {
      for (const topic of waiting) signals[topic].value += 1;
      waiting.clear();
    }), pace);
    for (const topic of names) {
      store.on([topic], () => {
        waiting.add(topic);
        show();
      });
    }
  }
  return signals;
}

/** A signal that counts the changes of something with `watch(listener)`. */
export function watched({ watch }) {
  const count = signal(0);
  watch(paced(() => { count.value += 1; }, PACE_MS));
  return count;
}
