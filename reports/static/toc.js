// The contents show where the reader is: the last section whose heading has passed the top.
(() => {
  const links = [...document.querySelectorAll(".toc a")];
  const targets = links.map((link) => document.querySelector(link.getAttribute("href")));
  const seen = new Set();
  const update = () => {
    const at = targets.findIndex((target) => seen.has(target));
    if (at < 0) return;
    links.forEach((link, i) => {
      if (i === at) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
    // On a phone the contents are one row that scrolls.
    const row = links[at].closest("ol");
    if (row.scrollWidth > row.clientWidth) row.scrollTo({ left: links[at].offsetLeft - 40 });
  };
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) seen.add(entry.target);
      else seen.delete(entry.target);
    }
    update();
  }, { rootMargin: "-15% 0px -75% 0px" });
  targets.forEach((target) => target && observer.observe(target));
})();
