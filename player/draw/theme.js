/** The viewer's choice of theme; `player/theme.js` applies it. */

/** @typedef {"system" | "light" | "dark"} ThemeChoice */

const KEY = "playhead.theme";

/** @returns {ThemeChoice} */
export function chosenTheme() {
  try {
    const found = localStorage.getItem(KEY);
    return found === "light" || found === "dark" ? found : "system";
  } catch {
    return "system";
  }
}

/** @param {ThemeChoice} choice */
export function chooseTheme(choice) {
  try {
    if (choice === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    return; // storage is switched off: nothing to keep it in
  }
  dispatchEvent(new Event("playhead:theme"));
}

/** @param {ThemeChoice} choice @returns {ThemeChoice} the one after it */
export function nextTheme(choice) {
  return choice === "system" ? "light" : choice === "light" ? "dark" : "system";
}
