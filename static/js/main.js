/*
 * Where the protocol page starts. A copy of the page that was opened from disk
 * asks its server for this address, so it stays where it is.
 */
export { start } from "./protocol/main.js";
