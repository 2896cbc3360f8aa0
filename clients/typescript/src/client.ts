/** A typed client of Taskroom: `api` for HTTP, `connect` for sockets. */
import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./generated/openapi.js";
import { type Address, type Places, TaskroomSocket } from "./socket.js";

export type { components, paths } from "./generated/openapi.js";
export { closeCodes, type Channels } from "./generated/sockets.js";
export { SocketClosed, TaskroomSocket, type Address, type Hears, type Sends } from "./socket.js";

export type User = components["schemas"]["User"];

/** What the server answered when it refused. */
export class Refused extends Error {
  constructor(readonly status: number, readonly answer: unknown) {
    super(`the server answered ${status}: ${JSON.stringify(answer)}`);
  }
}

export class Taskroom {
  /** Every operation of the server: `api.GET("/api/tasks/{task}/", { params: { path: { task: 7 } } })`. */
  readonly api: Client<paths>;
  #token: string | null;

  /** `token` is an access token or an API token; without one, sign in. */
  constructor(readonly server: string, token: string | null = null) {
    this.#token = token;
    this.api = createClient<paths>({ baseUrl: server.replace(/\/$/, "") });
    this.api.use({
      onRequest: ({ request }) => {
        if (this.#token !== null) request.headers.set("Authorization", `Bearer ${this.#token}`);
        return request;
      },
    });
  }

  /** Signs in; everything from here on is done as this person. */
  async signIn(username: string, password: string, otp?: string): Promise<User> {
    const body = otp === undefined ? { username, password } : { username, password, otp };
    const { data, error, response } = await this.api.POST("/api/auth/token/", { body });
    if (data === undefined) throw new Refused(response.status, error);
    this.#token = data.access;
    return data.user;
  }

  /** Opens a socket; with `since` it is told first what came after that `seq`. */
  async connect<A extends Address>(
    address: A,
    { since, ...places }: Places<A> & { since?: number } = {} as Places<A>,
  ): Promise<TaskroomSocket<A>> {
    const path = address.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent((places as Record<string, string | number>)[name] ?? ""));
    const url = new URL(path, this.server);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (since !== undefined) url.searchParams.set("since", String(since));
    return TaskroomSocket.open<A>(url, this.#token === null ? [] : ["bearer", this.#token]);
  }
}
