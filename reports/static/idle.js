// Cards are laid out when they come near, which makes the first paint fast. The rest follows while
// the reader reads, so that finding in the page, captures and the scroll bar know every card.
(() => {
  const later = window.requestIdleCallback || ((work) => setTimeout(work, 50));
  const left = [...document.querySelectorAll(".claim,.idx,.erratum")];
  const next = () => {
    const card = left.shift();
    if (!card) return;
    card.style.contentVisibility = "visible";
    later(next, { timeout: 500 });
  };
  addEventListener("load", () => later(next, { timeout: 500 }));
})();
