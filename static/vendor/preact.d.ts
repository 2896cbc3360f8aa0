// What the pages use of preact, for `make lint`. Written here, not by its authors.
export const h: any;
export const render: (content: any, place: Element) => void;
export function createContext(value: any): any;
export class Component<P = any, S = any> {
  constructor(props?: P);
  props: P;
  state: S;
  setState(change: any): void;
  forceUpdate(done?: () => void): void;
}
