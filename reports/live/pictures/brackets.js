/* claim: C26
title: Move the brackets: the same product, another price
alt: A row times four square matrices, drawn as blocks with brackets around the products in their
order, and bars with the multiplications that each of the fourteen orders costs. */
live("brackets", (picture) => {
  const { number, make } = live, FACTORS = ["g", "J₄", "J₃", "J₂", "J₁"];
  // Every way to bracket factors i..j as a tree: a number, or a pair of trees.
  const trees = (i, j) => i === j ? [i] : Array.from({ length: j - i }, (_, k) => k + i).flatMap((k) => trees(i, k).flatMap((a) => trees(k + 1, j).map((b) => [a, b])));
  const all = trees(0, FACTORS.length - 1);
  const rows = (tree) => Array.isArray(tree) ? rows(tree[0]) : tree === 0 ? 0 : 1; // 0: a row, 1: D of them
  const cost = (tree, d) => Array.isArray(tree) ? cost(tree[0], d) + cost(tree[1], d) + (rows(tree) ? d : 1) * d * d : 0;
  const words = (tree, top = true) => Array.isArray(tree) ? (top ? "" : "(") + words(tree[0], false) + " " + words(tree[1], false) + (top ? "" : ")") : FACTORS[tree];
  const sorted = [...all].sort((a, b) => cost(a, 8) - cost(b, 8));
  const order = picture.play({ name: "order", label: "Order of the products", from: 1, to: sorted.length, value: 1, show: (k) => `${k} of ${sorted.length}` });
  const side = picture.slider({ name: "side", label: "Side D", from: 2, to: 256, step: 1, value: 64 });
  const blocks = picture.panel({ title: "A row times D × D blocks", height: 220 });
  const bars = picture.panel({ title: "What each order costs", x: { from: 0.4, to: sorted.length + 0.6, label: "order", ticks: [1, 5, 10, 14] }, y: { from: 10, to: 1e9, log: true, label: "multiplications" } });
  const others = bars.bars("c1", 0.7, 0.4), chosen = bars.bars("c6", 0.7, 0.9);
  const label = make("text", { class: "lb", x: 0, y: 200 }, blocks.svg);
  const drawn = make("g", {}, blocks.svg);
  const LEFTS = [10, 92, 174, 256, 338], SIDE = 62;
  picture.draw(() => {
    const d = side.value, tree = sorted[order.value - 1];
    drawn.textContent = "";
    FACTORS.forEach((name, i) => {
      const h = i ? SIDE : 8, y = 40 + (SIDE - h) / 2;
      make("rect", { x: LEFTS[i], y, width: SIDE, height: h, fill: "var(--c1)", "fill-opacity": 0.25, stroke: "var(--ink2)" }, drawn);
      make("text", { class: "lb", x: LEFTS[i] + SIDE / 2, y: i ? y + 36 : y - 6, "text-anchor": "middle" }, drawn, name);
    });
    let step = 0;
    const bracket = (t) => { // from the inside out, the order of computing
      if (!Array.isArray(t)) return [LEFTS[t], LEFTS[t] + SIDE, 0];
      const a = bracket(t[0]), b = bracket(t[1]), level = Math.max(a[2], b[2]) + 1, y = 108 + 17 * level;
      step += 1;
      const square = rows(t) === 1;
      make("path", { d: `M${a[0] + 3} ${y - 7}V${y}H${b[1] - 3}V${y - 7}`, fill: "none", stroke: square ? "var(--ref)" : "var(--c3)", "stroke-width": 2 }, drawn);
      make("text", { class: "tk", x: (a[0] + b[1]) / 2, y: y - 3, "text-anchor": "middle", style: `paint-order:stroke;stroke:var(--surface);stroke-width:4px;fill:${square ? "var(--ref)" : "var(--c3)"}` }, drawn, square ? "D³" : "D²");
      return [a[0], b[1], level];
    };
    bracket(tree);
    label.textContent = words(tree);
    const costs = sorted.map((t) => cost(t, d));
    others.set(costs.map((_, i) => i + 1), costs);
    chosen.set([order.value], [costs[order.value - 1]]);
    const now = costs[order.value - 1], best = Math.min(...costs);
    return {
      say: `${words(tree)} at D = ${d}: ${number(now)} multiplications${now === best ? ", the fewest: from the row onwards every product is a row times a matrix. This is backpropagation." : `, ${number(now / best)} times as many as from the left. Each red bracket multiplies two square blocks.`}`,
      table: [["order", "multiplications"], ...sorted.map((t, i) => [words(t), costs[i]])],
    };
  });
});
