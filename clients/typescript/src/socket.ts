/** One socket: what may be sent and what is heard follows from its address. */
import type { Channels } from "./generated/sockets.js";

export type Address = keyof Channels;
export type Sends<A extends Address> = Channels[A]["sends"];
export type Hears<A extends Address> = Channels[A]["hears"];

type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;
/** What stands in an address's places. */
export type Places<A extends Address> = { [Name in NamesIn<A>]: string | number };

type TypeOf<Message> = Message extends { type: infer Type } ? Type : never;
type OfType<Message, Type> = Message extends { type: Type } ? Message : never;

/** The socket has ended; `closeCodes` says what the code means. */
export class SocketClosed extends Error {
  constructor(readonly code: number, readonly reason: string) {
    super(`closed: ${code} ${reason}`.trim());
  }
}

interface Waiter<Message> {
  take(message: Message): boolean;
  fail(error: SocketClosed): void;
}

export class TaskroomSocket<A extends Address> {
  readonly #socket: WebSocket;
  readonly #heard: Hears<A>[] = [];
  readonly #waiters = new Set<Waiter<Hears<A>>>();
  readonly #listeners = new Set<(message: Hears<A>) => void>();
  #closed: SocketClosed | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data)) as Hears<A>));
    socket.addEventListener("close", ({ code, reason }) => this.#end(new SocketClosed(code, reason)));
  }

  /** Rejects with SocketClosed if the server refuses. */
  static open<A extends Address>(url: URL, protocols: string[]): Promise<TaskroomSocket<A>> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, protocols);
      const opened = new TaskroomSocket<A>(socket);
      socket.addEventListener("open", () => resolve(opened), { once: true });
      socket.addEventListener("close", ({ code, reason }) => reject(new SocketClosed(code, reason)), { once: true });
    });
  }

  send(message: Sends<A>): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Calls back for every message, until the function that it gives is called. */
  listen(listener: (message: Hears<A>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The next message of a type that nobody has waited for yet, also one that has come already. */
  next<Type extends TypeOf<Hears<A>>>(type: Type): Promise<OfType<Hears<A>, Type>> {
    const fits = (message: Hears<A>): message is OfType<Hears<A>, Type> & Hears<A> => "type" in message && message.type === type;
    const index = this.#heard.findIndex(fits);
    const known = index >= 0 ? this.#heard.splice(index, 1)[0] : undefined;
    if (known !== undefined) return Promise.resolve(known as OfType<Hears<A>, Type>);
    if (this.#closed !== null) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Hears<A>> = {
        take: (message) => {
          if (!fits(message)) return false;
          resolve(message);
          return true;
        },
        fail: reject,
      };
      this.#waiters.add(waiter);
    });
  }

  close(): void {
    this.#socket.close(1000);
  }

  #take(message: Hears<A>): void {
    for (const listener of this.#listeners) listener(message);
    for (const waiter of this.#waiters) {
      if (waiter.take(message)) {
        this.#waiters.delete(waiter);
        return;
      }
    }
    this.#heard.push(message);
    // Whoever only listens waits for none of them.
    if (this.#heard.length > MAX_KEPT) this.#heard.shift();
  }

  #end(closed: SocketClosed): void {
    this.#closed = closed;
    for (const waiter of this.#waiters) waiter.fail(closed);
    this.#waiters.clear();
  }
}

const MAX_KEPT = 1000;
