// What the pages use of @preact/signals, for `make lint`. Written here, not by its authors.
export interface Signal<T = any> {
  value: T;
  peek(): T;
  subscribe(listener: (value: T) => void): () => void;
}
export function signal<T = any>(start: T): Signal<T>;
export function computed<T>(make: () => T): Signal<T>;
export function useSignal<T = any>(start: T): Signal<T>;
export function useComputed<T>(make: () => T): Signal<T>;
export function effect(work: () => void | (() => void)): () => void;
export function batch<T>(work: () => T): T;
