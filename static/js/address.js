/*
 * What the page shows has an address, so that a reload, a link and the back
 * button find it: `#task-12`, `#room-1000001`, or a panel such as `#focus`.
 */

const PLACE = /^#(?:(task|room)-([1-9]\d{0,14})|([a-z]+))$/;

/** {task}, {room} or {panel}; {} where the address names nothing. */
export function placeInAddress() {
  const [, kind, number, panel] = location.hash.match(PLACE) ?? [];
  if (kind) return { [kind]: Number(number) };
  return panel ? { panel } : {};
}

export const taskAddress = (id) => `#task-${id}`;
export const roomAddress = (id) => `#room-${id}`;
