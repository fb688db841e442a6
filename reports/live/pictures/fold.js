/* claim: C23
title: Fold the interval, layer after layer
alt: Zigzag of the tent map folded so many times, beside what one layer of as many units follows of it;
and the number of linear pieces, which doubles with each layer of two units. */
live("fold", (picture) => {
  const { number, linspace } = live, MOST = 8, relu = (v) => Math.max(v, 0), layer = (h) => 2 * relu(h) - 4 * relu(h - 0.5);
  const folds = picture.play({ name: "folds", label: "Layers k", from: 1, to: MOST, value: 3 });
  const beside = picture.toggle({ name: "beside", label: "the same units in one layer", value: true });
  const panel = picture.panel({ title: "The tent map, folded k times", x: { from: 0, to: 1, label: "input x" }, y: { from: -0.25, to: 1.25, label: "output" } });
  const wide = panel.line("c5", { width: 6, opacity: 0.55 }), last = panel.line("ink3", { width: 1.2, opacity: 0.6 }), zigzag = panel.line("c1", { width: 2.2 });
  const point = picture.handle(panel, { name: "x", label: "Input x", at: [0.3, 0], along: "x", step: 1 / 64 });
  const chart = picture.panel({ title: "Linear pieces of as many units", x: { from: 1, to: 17, label: "units, two a layer or all in one", ticks: linspace(2, 16, 8) }, y: { from: 1, to: 512, log: true, label: "linear pieces", ticks: [1, 4, 16, 64, 256] } });
  const deep = chart.line("c1"), shallow = chart.line("c5", { dash: "7 5" }), here = [chart.dots("c1", { r: 6 }), chart.dots("c5", { r: 6 })];
  const words = [chart.text("c1", { anchor: "end" }), chart.text("c5", { anchor: "end" })], UNITS = linspace(2, 2 * MOST, MOST);
  deep.set(UNITS, UNITS.map((m) => 2 ** (m / 2)));
  shallow.set(UNITS, UNITS.map((m) => m + 1));
  words[0].set(13.4, 150, "stacked: 2ᵏ");
  words[1].set(16.5, 5, "side by side: at most 2k + 1");
  const network = (x, k) => { let h = x; for (let i = 0; i < k; i++) h = layer(h); return h; };
  // All units in one layer, bent where the first pieces begin; the slope turns at each bend.
  const flat = (x, m, k) => { let y = 0; for (let i = 0; i < m; i++) y += (i ? 2 : 1) * (i % 2 ? -1 : 1) * 2 ** k * relu(x - i / 2 ** k); return y; };
  // Counted where slopes change, between points four to a piece; they are dyadic, so sums are exact.
  const count = (f, k) => {
    const n = 4 * 2 ** k, y = Array.from({ length: n + 1 }, (_, i) => f(i / n));
    let found = 1;
    for (let i = 1; i < n; i++) if (y[i + 1] - y[i] !== y[i] - y[i - 1]) found += 1;
    return found;
  };
  picture.draw(() => {
    const k = folds.value, m = 2 * k, xs = linspace(0, 1, 2 ** k + 1), corner = linspace(0, 1, 2 ** (k - 1) + 1), x = point.value[0];
    zigzag.set(xs, xs.map((v) => network(v, k)));
    last.set(corner, corner.map((v) => network(v, k - 1)));
    wide.show(beside.value);
    wide.set(xs, xs.map((v) => flat(v, m, k)));
    point.lift(network(x, k));
    const pieces = count((v) => network(v, k), k), one = count((v) => flat(v, m, k), k), share = Math.sqrt(Math.max(0, 1 - m / 2 ** (k - 1)));
    here[0].set([[m, pieces]]);
    here[1].set([[m, m + 1]]);
    const path = [x];
    for (let i = 0; i < k; i++) path.push(layer(path[i]));
    const enough = m >= 2 ** k ? "enough for this map, too" : share > 0 ? `so that they keep at least ${number(100 * share)} % of a constant's error, wherever they bend` : `and this map takes ${2 ** k} of them in one layer`;
    return {
      say: `${k} layer${k > 1 ? "s" : ""} of two units ha${k > 1 ? "ve" : "s"} ${pieces} linear pieces. The same ${m} units side by side have at most ${m + 1}, ${enough}${beside.value ? `; the ones drawn follow the first ${Math.min(one, 2 ** k)}${one < 2 ** k ? " and run off" : ""}` : ""}. The input goes ${path.map((v) => number(v)).join(" → ")}.`,
      table: [["layers k", "units", "pieces stacked", "at most side by side", "units needed in one layer"], ...UNITS.map((u, i) => [String(i + 1), u, count((v) => network(v, i + 1), i + 1), u + 1, 2 ** (i + 1)])],
    };
  });
});
