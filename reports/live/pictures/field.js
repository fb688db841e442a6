/* claim: C01
title: Turn the weights of a logistic model
alt: Two classes of points over a field of the probability that the model gives them, with the
boundary and the weights as an arrow; beside it the probability against the score, and the labels. */
live("field", (picture) => {
  const { number, linspace, random, clamp } = live, N = 24;
  const bias = picture.slider({ name: "b", label: "Bias b", from: -3, to: 3, step: 0.05, value: 0.5 });
  const button = picture.button("New data", () => { seed += 1; });
  button.title = "Other points of the same two classes";
  const map = picture.panel({ title: "Probability of class 1 over the plane", x: { from: -3.2, to: 3.2, label: "x₁ (and w₁)" }, y: { from: -1.8, to: 1.8, label: "x₂ (and w₂)", grid: false } });
  const { left, right, top, bottom } = map.bounds, SIZE = 12;
  const columns = Math.ceil((right - left) / SIZE), rows = Math.ceil((bottom - top) / SIZE);
  const field = map.cells((p) => [p > 0.5 ? "c1" : "c5", 0.55 * Math.abs(2 * p - 1)]);
  const edges = map.line("ink2", { width: 1.2, dash: "3 4" }), boundary = map.line("ink", { width: 2.4 });
  const dots = [map.dots("c5", { r: 4.5 }), map.dots("c1", { r: 4.5 })], arrow = map.arrow("acc", 2.6), name = map.text("acc");
  const tip = picture.handle(map, { name: "w", label: "Weights w", at: [1.5, -0.5] });
  const chart = picture.panel({ title: "The same points by their score", x: { from: -12, to: 12, label: "score w·x + b" }, y: { from: -0.1, to: 1.1, label: "probability of class 1; label y", ticks: [0, 0.5, 1] } });
  const Z = linspace(-12, 12, 201), sigmoid = (z) => 1 / (1 + Math.exp(-z));
  chart.line("ink2", { width: 2.4 }).set(Z, Z.map(sigmoid));
  const labels = [chart.dots("c5", { r: 4.5, opacity: 0.75 }), chart.dots("c1", { r: 4.5, opacity: 0.75 })];
  let seed = 1;
  picture.draw(() => {
    const normal = random(seed).normal, [u, v] = tip.value, b = bias.value, length = Math.hypot(u, v);
    const score = (x, y) => u * x + v * y + b;
    const samples = Array.from({ length: N }, (_, i) => {
      const y = i % 2, x1 = (2 * y - 1) * 0.9 + 0.8 * normal(), x2 = (2 * y - 1) * 0.5 + 0.8 * normal();
      return { x1, x2, y, z: score(x1, x2) };
    });
    field.set(Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) =>
      sigmoid(score(map.sx.invert(left + (j + 0.5) * SIZE), map.sy.invert(top + (i + 0.5) * SIZE))))), { size: SIZE });
    // Where the score is c: from the foot point of the origin in both directions along the line.
    const level = (c) => [-9, 9].map((t) => [((c - b) * u / length - t * v) / length, ((c - b) * v / length + t * u) / length]);
    const path = (points) => map.path(points.map((p) => p[0]), points.map((p) => p[1]));
    boundary.raw(length ? path(level(0)) : "");
    edges.raw(length ? path(level(Math.log(9))) + path(level(-Math.log(9))) : "");
    arrow.set(0, 0, u, v);
    name.set(u + (u < 2.6 ? 0.25 : -0.5), v + 0.12, "w");
    for (const y of [0, 1]) {
      dots[y].set(samples.filter((s) => s.y === y).map((s) => [s.x1, s.x2]));
      labels[y].set(samples.filter((s) => s.y === y).map((s) => [clamp(s.z, -12, 12), y]));
    }
    // log(1 + e^z) - y z, written so that no exponential overflows
    const entropy = samples.reduce((sum, { y, z }) => sum + Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y * z, 0) / N;
    const correct = samples.filter(({ y, z }) => z > 0 === (y === 1)).length;
    const place = length ? `The boundary lies ${number(Math.abs(b) / length)} from the origin (dashed: probability 0.1 and 0.9).` : "With w = 0 there is no boundary: every point gets the same probability.";
    return {
      say: `w = (${number(u)}, ${number(v)}), b = ${number(b)}: cross-entropy ${number(entropy)} a sample, ${correct} of ${N} right; a coin's probability of ½ costs ${number(Math.log(2))}. ${place}`,
      table: [["sample", "x₁", "x₂", "label", "probability of 1"], ...samples.map((s, i) => [String(i + 1), s.x1, s.x2, String(s.y), sigmoid(s.z)])],
    };
  });
});
