/* The ways a socket can say whose it is: the protocol has five, and a test bench offers them all. */

export const WAYS = [
  { id: "subprotocol", label: "Subprotocol: the token" },
  { id: "bearer", label: "Subprotocol: bearer, token" },
  { id: "cookie", label: "Cookie" },
  { id: "query", label: "?token= in the address" },
  { id: "message", label: "auth as first message" },
];

export function socketUrl(server, path) {
  const url = new URL(path, server);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** What `new WebSocket` needs: `{url, protocols, first}`; `first` is sent on opening. */
export function opening({ server, path, way, token, since = null }) {
  const url = socketUrl(server, path);
  if (since !== null) url.searchParams.set("since", since);
  if (way === "query") url.searchParams.set("token", token);
  const protocols = { subprotocol: [token], bearer: ["bearer", token] }[way] ?? [];
  const first = way === "message" ? { type: "auth", token } : null;
  return { url: url.href, protocols, first };
}
