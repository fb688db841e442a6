/* claim: C31
title: Every mini-batch there is
alt: The gradients of all mini-batches of M out of eight samples as a cloud around the full gradient;
beside it their root mean square distance from it against M, on the curve of the law. */
live("minibatch", (picture) => {
  const { number, linspace, random } = live, N = 8, SIZES = linspace(1, N, N), FINE = linspace(1, N, 141);
  const size = picture.slider({ name: "m", label: "Batch size M", from: 1, to: N, step: 1, value: 3, show: (m) => `${m} of ${N}` });
  const scaled = picture.toggle({ name: "scaled", label: "with the factor N / M", value: true });
  const button = picture.button("New data", () => { seed += 1; });
  button.title = "Eight other samples";
  const map = picture.panel({ title: "Gradients of all batches", x: { from: -10.7, to: 10.7, label: "∂L/∂w₁" }, y: { from: -6, to: 6, label: "∂L/∂w₂" } });
  const cloud = map.dots("c1", { r: 4.5, opacity: 0.55 }), ring = map.line("ink2", { width: 1.8, dash: "5 4" }), full = map.dots("ink", { r: 7 }), mean = map.dots("c5", { r: 4 });
  const words = [map.text("ink"), map.text("c5")];
  words[0].set(-10.4, 5.2, "full gradient");
  words[1].set(-10.4, 4.2, "mean of all batches");
  const chart = picture.panel({ title: "How far they are from it", x: { from: 0.7, to: 8.3, label: "batch size M", ticks: SIZES }, y: { from: 0, to: 8, label: "root mean square distance" } });
  const law = chart.line("ink2", { dash: "7 5", width: 1.8 }), dots = chart.dots("c1", { r: 4.5 }), here = chart.dots("acc", { r: 6 });
  let seed = 1;
  const batches = (m) => Array.from({ length: 2 ** N }, (_, bits) => SIZES.map((_, i) => i).filter((i) => bits >> i & 1)).filter((batch) => batch.length === m);
  picture.draw(() => {
    const normal = random(seed).normal, M = size.value, w = [0.5, -0.5];
    const each = SIZES.map((_, i) => { // (p - y) x, the gradient of a logistic loss
      const x = [1.2 * normal(), 0.8 * normal()], p = 1 / (1 + Math.exp(-w[0] * x[0] - w[1] * x[1]));
      return x.map((v) => (p - i % 2) * v);
    });
    const sum = (batch) => batch.reduce((s, i) => [s[0] + each[i][0], s[1] + each[i][1]], [0, 0]);
    const all = sum(SIZES.map((_, i) => i)), square = all[0] ** 2 + all[1] ** 2;
    const factor = (m) => scaled.value ? N / m : 1;
    const estimates = (m) => batches(m).map((batch) => sum(batch).map((v) => factor(m) * v));
    const far = (points) => Math.sqrt(points.reduce((s, p) => s + (p[0] - all[0]) ** 2 + (p[1] - all[1]) ** 2, 0) / points.length);
    const found = SIZES.map((m) => far(estimates(m))).map((v) => v < 1e-12 ? 0 : v), points = estimates(M);
    const S2 = each.reduce((s, g) => s + (g[0] - all[0] / N) ** 2 + (g[1] - all[1] / N) ** 2, 0) / N;
    // Variance of a sum of m of N without replacement, and the bias that a missing factor leaves.
    const predicted = (m) => Math.sqrt(Math.max(factor(m) ** 2 * m * S2 * (N - m) / (N - 1) + (1 - factor(m) * m / N) ** 2 * square, 0));
    const center = [0, 1].map((k) => points.reduce((s, p) => s + p[k], 0) / points.length), radius = predicted(M);
    cloud.set(points);
    full.set([all]);
    mean.set([center]);
    const turns = linspace(0, 2 * Math.PI, 121);
    ring.set(turns.map((t) => all[0] + radius * Math.cos(t)), turns.map((t) => all[1] + radius * Math.sin(t)));
    law.set(FINE, FINE.map(predicted));
    dots.set(SIZES.map((m, i) => [m, found[i]]));
    here.set([[M, found[M - 1]]]);
    const on = `(${number(center[0])}, ${number(center[1])})`, truth = `(${number(all[0])}, ${number(all[1])})`;
    const bias = scaled.value ? `their mean ${on} is the full gradient` : M < N ? `their mean ${on} is M / N = ${number(M / N)} of the full gradient ${truth}` : `without the factor only the whole data set gives the full gradient ${truth}`;
    return {
      say: `${points.length} ${points.length === 1 ? "batch" : "batches"} of ${M}: ${bias}. Their root mean square distance from the full gradient is ${number(found[M - 1])}; the law for drawing without replacement says ${number(radius)} (dashed circle).`,
      table: [["batch size", "batches", "distance, all batches", "distance by the law"], ...SIZES.map((m, i) => [String(m), String(batches(m).length), found[i], predicted(m)])],
    };
  });
});
