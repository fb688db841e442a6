// Lecture mode: one card a screen. Arrow keys work here only, so no reader trips over them.
(() => {
  const button = document.getElementById("present");
  const bar = document.getElementById("bar");
  const where = document.getElementById("where");
  const cards = [...document.querySelectorAll(".pv")];
  if (!cards.length) { button.remove(); return; }
  let at = 0;
  const on = () => document.body.classList.contains("present");
  const show = (i) => {
    at = Math.max(0, Math.min(cards.length - 1, i));
    cards.forEach((card, j) => card.classList.toggle("on", j === at));
    where.textContent = (at + 1) + " of " + cards.length + " · " + cards[at].dataset.title;
    history.replaceState(null, "", "#" + cards[at].id);
    scrollTo(0, 0);
  };
  const leave = () => {
    document.body.classList.remove("present");
    cards[at].scrollIntoView();
    button.focus();
  };
  button.addEventListener("click", () => {
    document.body.classList.add("present");
    // Start at the card the reader is looking at, or the one in the address.
    const near = cards.findIndex((card) => "#" + card.id === location.hash.split("?")[0]);
    show(near < 0 ? 0 : near);
    bar.querySelector("[data-step='1']").focus();
  });
  bar.addEventListener("click", (event) => {
    const step = event.target.dataset.step;
    if (step === "0") leave();
    else if (step) show(at + Number(step));
  });
  document.addEventListener("keydown", (event) => {
    if (!on()) return;
    if (event.key === "ArrowRight" || event.key === "PageDown") show(at + 1);
    else if (event.key === "ArrowLeft" || event.key === "PageUp") show(at - 1);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(cards.length - 1);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
})();
