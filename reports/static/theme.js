// Light, dark or as the system says; the choice is kept where the browser allows it.
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const order = ["auto", "light", "dark"];
  const keep = (theme) => {
    try { localStorage.setItem("theme", theme); } catch { /* private mode: not kept */ }
  };
  const show = (theme) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = "Theme: " + theme;
    button.dataset.now = theme;
  };
  let kept = "auto";
  try { kept = localStorage.getItem("theme") || "auto"; } catch { /* stays automatic */ }
  show(order.includes(kept) ? kept : "auto");
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(button.dataset.now) + 1) % order.length];
    keep(next);
    show(next);
  });
})();
