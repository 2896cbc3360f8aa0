// What the pages use of preact's hooks, for `make lint`. Written here, not by its authors.
type Changed<T> = T | ((now: T) => T);
export function useState<T>(start: T | (() => T)): [T, (next: Changed<T>) => void];
export function useRef<T>(start: T): { current: T };
export function useMemo<T>(make: () => T, about: readonly unknown[]): T;
export function useEffect(work: () => void | (() => void), about?: readonly unknown[]): void;
export function useLayoutEffect(work: () => void | (() => void), about?: readonly unknown[]): void;
export function useContext(context: any): any;
export function useId(): string;
