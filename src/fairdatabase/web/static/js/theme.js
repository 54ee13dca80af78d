// Before the first paint: the chosen theme, else the system's. Loaded in <head>, so it stays tiny.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const show = () => {
    const chosen = stored();
    if (chosen) root.dataset.theme = chosen;
    root.dataset.shown = chosen || (system.matches ? "dark" : "light");
  };
  root.classList.add("js");
  show();
  system.addEventListener("change", show);
  addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const next = root.dataset.shown === "dark" ? "light" : "dark";
    root.dataset.theme = root.dataset.shown = next;
    try { localStorage.setItem("theme", next); } catch { /* private mode: the choice lasts for this page */ }
  });
})();
