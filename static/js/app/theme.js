/* Light, dark, or as the system has it: kept in this browser, for whoever uses it. */
import { signal } from "../kit/html.js";

const NAME = "taskroom.theme";
export const THEMES = [{ id: "", label: "As the system" }, { id: "light", label: "Light" }, { id: "dark", label: "Dark" }];

function stored() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}

export const theme = signal(stored());

theme.subscribe((name) => {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
});

export function setTheme(name) {
  theme.value = name;
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // A browser that stores nothing still shows it for this visit.
  }
}

/** Entries as in kit/menu.js. */
export const themeItems = () => THEMES.map(({ id, label }) => ({ label, checked: theme.value === id, onClick: () => setTheme(id), testid: `theme-${id || "system"}` }));
