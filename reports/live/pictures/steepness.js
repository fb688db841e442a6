/* claim: C02
title: Longer weights make the sigmoid steeper
alt: Probability against the distance from the boundary, with the band in which it goes from 0.1 to
0.9 and a point that can be moved; below, the slope of that curve. */
live("steepness", (picture) => {
  const { number, linspace } = live, X = linspace(-5, 5, 401), sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const norm = picture.slider({ name: "norm", label: "Length of the weights ‖w‖", from: 0.25, to: 8, step: 0.05, value: 2 });
  const curve = picture.panel({ title: "Probability across the boundary", x: { from: -5, to: 5, label: "distance d from the boundary" }, y: { from: 0, to: 1, label: "p = σ(‖w‖ d); dotted: ‖w‖ = 1" } });
  const band = curve.area("c1", 0.14), unit = curve.line("ink3", { dash: "2 4", width: 1.6 }), p = curve.line("c1", { width: 2.8 });
  const tangent = curve.line("ink2", { width: 1.4, dash: "7 5" });
  const at = picture.handle(curve, { name: "d", label: "Distance from the boundary", at: [1, 0], along: "x", role: "c1" });
  const chart = picture.panel({ title: "Its slope", x: { from: -5, to: 5, label: "distance d from the boundary" }, y: { from: 0, to: 2, label: "dp/dd = ‖w‖ p (1 − p); dotted: ‖w‖ = 1" } });
  const same = chart.line("ink3", { dash: "2 4", width: 1.6 }), slope = chart.line("c5", { width: 2.8 }), here = chart.dots("c5", { r: 5 }), top = chart.dots("ink", { r: 4 }), word = chart.text("ink");
  const rise = (d, w) => w * sigmoid(w * d) * sigmoid(-w * d);
  unit.set(X, X.map(sigmoid));
  same.set(X, X.map((d) => rise(d, 1)));
  picture.draw(() => {
    const w = norm.value, d = at.value[0], here_p = sigmoid(w * d), half = Math.log(9) / w, m = rise(d, w);
    p.set(X, X.map((x) => sigmoid(w * x)));
    band.set([-half, half], [0, 0], [1, 1]);
    tangent.set([d - 2, d + 2], [here_p - 2 * m, here_p + 2 * m]);
    at.lift(here_p);
    slope.set(X, X.map((x) => rise(x, w)));
    here.set([[d, m]]);
    top.set([[0, w / 4]]);
    word.set(0.35, Math.min(w / 4 + 0.04, 1.93), `‖w‖ / 4 = ${number(w / 4)}`);
    const kind = w > 1 ? "sharper than" : w < 1 ? "flatter than" : "the same as";
    return {
      say: `‖w‖ = ${number(w)}: the slope at the boundary is ‖w‖ / 4 = ${number(w / 4)}, and p goes from 0.1 to 0.9 over a width of 2 ln 9 / ‖w‖ = ${number(2 * half)} (shaded), ${kind} with ‖w‖ = 1. At distance ${number(d)}: p = ${number(here_p)}, slope ${number(m)}.`,
      table: [["distance", "p", "slope of p", "slope of log p", "slope of log(1 − p)"], ...linspace(-4, 4, 9).map((x) => [number(x), sigmoid(w * x), rise(x, w), w * sigmoid(-w * x), -w * sigmoid(w * x)])],
    };
  });
});
