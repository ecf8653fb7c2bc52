// A classic script in the head, so that the theme holds before the first paint: `data-theme` on the root is the
// viewer's choice if there is one (draw/theme.js), else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  function apply() {
    let chosen = null;
    try {
      chosen = localStorage.getItem("playhead.theme");
    } catch {
      // storage is switched off: the system's theme it is
    }
    root.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
  }

  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("playhead:theme", apply);
})();
