// Filter by state and search by words. What does not match is hidden in lists, dimmed in the map.
(() => {
  const buttons = [...document.querySelectorAll("[data-filter]")];
  const input = document.getElementById("search");
  const said = document.getElementById("found");
  const items = [...document.querySelectorAll("[data-claim]")];
  const update = () => {
    const states = buttons.filter((b) => b.getAttribute("aria-pressed") === "true")
      .map((b) => b.dataset.filter);
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = new Set();
    for (const item of items) {
      const text = item.dataset.search || "";
      const on = (!states.length || states.includes(item.dataset.state)) &&
        words.every((word) => text.includes(word));
      if (on) found.add(item.dataset.claim);
      if (item.classList.contains("cell")) item.classList.toggle("dim", !on);
      else item.classList.toggle("hidden", !on);
    }
    said.textContent = states.length || words.length ? found.size + " claims match" : "";
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      update();
    });
  }
  input.addEventListener("input", update);
})();
