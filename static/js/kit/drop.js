/*
 * Files that are dropped on the page. A browser opens a file that nobody
 * takes, in this tab, so every drop is taken: by the task or the conversation
 * it falls on, else with a word about where files can go.
 */

const holdsFiles = (event) => Boolean(event.dataTransfer?.types.includes("Files"));
/* The browser's own control for files takes what is dropped on it. */
const isForBrowser = (event) => Boolean(event.target?.closest?.("input[type=file]"));

/** Each of `takers` is a function (files, target) that says whether it has taken them; `left()` when none has. */
export function catchDrops(takers, left) {
  addEventListener("dragover", (event) => {
    if (holdsFiles(event) && !isForBrowser(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!holdsFiles(event) || isForBrowser(event)) return;
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (files.length && !takers.some((take) => take(files, event.target))) left();
  });
}
