// One slide at a time; the address keeps which.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const count = document.getElementById("count");
  let at = 0;
  const show = (i, keep = true) => {
    at = Math.max(0, Math.min(slides.length - 1, i));
    slides.forEach((slide, j) => slide.classList.toggle("on", j === at));
    count.textContent = (at + 1) + " of " + slides.length;
    if (keep) history.replaceState(null, "", "#" + slides[at].id);
    scrollTo(0, 0);
  };
  const route = () => {
    const i = slides.findIndex((slide) => "#" + slide.id === location.hash);
    show(Math.max(i, 0), false);
  };
  addEventListener("hashchange", route);
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, [role=slider]") || event.ctrlKey || event.metaKey) return;
    const go = {
      ArrowRight: at + 1, PageDown: at + 1, " ": at + 1, ArrowLeft: at - 1, PageUp: at - 1,
      Home: 0, End: slides.length - 1,
    }[event.key];
    if (go !== undefined) { show(go); event.preventDefault(); }
    else if (event.key === "p") print();
  });
  addEventListener("click", (event) => { // the right and left edge of the screen, for a pointer
    if (event.target.closest("button, input, select, summary, a, .live")) return;
    if (event.clientX > innerWidth * 0.85) show(at + 1);
    else if (event.clientX < innerWidth * 0.15) show(at - 1);
  });
  route();
})();
