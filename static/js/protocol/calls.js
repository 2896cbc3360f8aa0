/* REST in the log: a line for what was asked, and one for the answer. */

/**
 * @typedef {object} Call an HTTP exchange, as http.js tells it
 * @property {string} method
 * @property {string} address path and query
 * @property {string} [sent] the body, where it is text
 * @property {number} [status] 0 where no answer came
 * @property {string} [received]
 * @property {number} [ms]
 */

/**
 * @param {ReturnType<typeof import("./log.js").createLog>} log
 * @returns {(call: Call) => void}
 */
export function logCalls(log) {
  return ({ method, address, sent = "", status, received = "", ms = 0 }) => {
    const name = `${method} ${address.split("?")[0]}`;
    if (status === undefined) log.http("out", name, sent ? `${address} ${sent}` : address);
    else log.http("in", `${status || "no answer"} ${name}`, `${Math.round(ms)} ms ${received}`);
  };
}
