/* The page's icons as strokes on a 24 by 24 grid: they take the text's colour and need no download. */

export const SHAPES = {
  rooms: "M4 6h16M4 12h16M4 18h10",
  chat: "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-6l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z",
  frames: "M8 4v14m0 0-4-4m4 4 4-4M16 20V6m0 0-4 4m4-4 4 4",
  tools: "M5 8h8m4 0h2M5 16h2m4 0h8M15 6v4M9 14v4",
  send: "M4 12 20 4l-5 16-4-7zM11 13l9-9",
  attach: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a1.8 1.8 0 0 1-2.5-2.5L15 7",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  remove: "M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13",
  close: "M6 6l12 12M18 6 6 18",
  newChat: "M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM12 7.5v6M9 10.5h6",
  power: "M12 3.5v8M7 6.5a7.5 7.5 0 1 0 10 0",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.8-3.5 3.8-5.5 7.5-5.5s6.7 2 7.5 5.5",
  addPerson: "M10 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM3 20c.7-3.5 3.5-5.5 7-5.5s6.3 2 7 5.5M19 8v6M16 11h6",
  group: "M9 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19c.6-3 3.2-5 6.5-5s5.9 2 6.5 5M16 5.5a3.3 3.3 0 0 1 0 6M18 14.5c1.9.7 3.1 2.3 3.5 4.5",
  task: "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8 12l3 3 5-6",
  leave: "M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h11m0 0-4-4m4 4-4 4",
  file: "M6 3h8l5 5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM14 3v5h5",
  check: "m5 12.5 4.5 4.5L19 7.5",
  down: "M12 5v14m0 0-6-6m6 6 6-6",
  pause: "M8 5v14M16 5v14",
  play: "M8 5l11 7-11 7z",
  add: "M12 5v14M5 12h14",
  pulse: "M3 12h4l3-7 4 14 3-7h4",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 18a2 2 0 0 0 4 0",
  timer: "M12 21a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 9v4l3 2M9 2h6",
  spaces: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  horn: "M4 10v4l11 5V5zM15 9a3 3 0 0 1 0 6M7 15l1 5h3l-1-4",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21",
  more: "M5 11.4a.6.6 0 1 0 .01 0zM12 11.4a.6.6 0 1 0 .01 0zM19 11.4a.6.6 0 1 0 .01 0z",
  back: "M20 12H4m0 0 6-6m-6 6 6 6",
  people: "M9 12a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 19c.6-3 3.2-5 6.5-5s5.9 2 6.5 5M16 5.5a3.3 3.3 0 0 1 0 6M18 14.5c1.9.7 3.1 2.3 3.5 4.5",
  mute: "M4 10v4h3l5 4V6l-5 4zM16 9.5l5 5m0-5-5 5",
  board: "M4 5h4v14H4zM10 5h4v9h-4zM16 5h4v6h-4z",
  star: "m12 4 2.4 5 5.6.8-4 3.9 1 5.5-5-2.7-5 2.7 1-5.5-4-3.9 5.6-.8z",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5c.9 1.2 2.1 1.8 3.5 1.8s2.6-.6 3.5-1.8M9 9.5h.01M15 9.5h.01",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6",
  reply: "M10 6 4 12l6 6M4 12h9a7 7 0 0 1 7 7",
  book: "M5 4h9a4 4 0 0 1 4 4v12H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h10",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
