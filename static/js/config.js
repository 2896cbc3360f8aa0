/* What a server says of itself to every page: asked once for each server, and never throttled. */
import { request } from "./http.js";

const PATH = "/api/v2/core/config/";
const PATIENCE_MS = 1_500;

/** Until a server has answered, and if it does not: registration is offered, and the server decides. */
const UNKNOWN = { registration: true, firstPerson: undefined, providers: [], frameKib: 64, mail: true };

export const understood = ({ features, first_person: firstPerson, social_providers: providers, limits }) => ({
  registration: features?.registration ?? UNKNOWN.registration,
  firstPerson, // null once there is one
  providers: providers ?? UNKNOWN.providers,
  mail: features?.mail ?? UNKNOWN.mail,
  frameKib: limits ? limits.socket_message_kib : UNKNOWN.frameKib,
});

export function createConfig() {
  const known = new Map(); // server -> what it says
  const asked = new Map(); // server -> promise

  async function ask(server) {
    known.set(server, understood(await request(server, "GET", PATH)));
  }

  const late = () => new Promise((done) => { setTimeout(done, PATIENCE_MS); });

  return {
    of: (server) => known.get(server) ?? UNKNOWN,

    /** From now on the first person is there. */
    noteSomebody(server) {
      known.set(server, { ...this.of(server), firstPerson: null });
    },

    /** Comes back when the server has answered, or cannot, or takes too long; its answer counts when it comes. */
    load(server) {
      if (!asked.has(server)) asked.set(server, ask(server).catch(() => asked.delete(server)));
      return Promise.race([asked.get(server), late()]);
    },
  };
}
