/* claim: C57
title: Widen the prior, watch 1000 fits
alt: Fits of a quartic to noisy samples of a cubic under a Gaussian prior: forty of a thousand fits and
their mean beside the truth, and squared bias, variance and their sum against the prior's width. */
live("prior", (picture) => {
  const { number, linspace, random } = live;
  const FITS = 1000, DRAWN = 40, DEGREE = 4, X = linspace(-1, 1, 81), WIDTHS = linspace(-3, 3, 49);
  const truth = (x) => 1.5 * x ** 3 - x;
  const width = picture.slider({ name: "width", label: "Prior width σ₀", from: -3, to: 3, step: 0.125, value: 0, show: (v) => number(10 ** v, 2) });
  const points = picture.slider({ name: "points", label: "Samples N", from: 5, to: 60, step: 1, value: 15 });
  const noise = picture.slider({ name: "noise", label: "Noise σ", from: 0.05, to: 1, step: 0.05, value: 0.3 });
  const fixed = picture.toggle({ name: "fixed", label: "the same inputs for all" });
  const fan = picture.panel({ title: "Forty of 1000 fits, their mean, the truth", x: { from: -1, to: 1, label: "x" }, y: { from: -1.5, to: 1.5, label: "y" } });
  const fits = fan.line("c1", { width: 0.7, opacity: 0.5 }), mean = fan.line("c1", { width: 3 }), real = fan.line("ink", { dash: "7 5", width: 1.8 });
  real.set(X, X.map(truth));
  const chart = picture.panel({ title: "What the errors are made of", x: { from: 1e-3, to: 1e3, log: true, label: "prior width" }, y: { from: 1e-4, to: 1, log: true, label: "squared error, mean over x" } });
  const curves = { bias: chart.line("c5"), variance: chart.line("c2"), sum: chart.line("ink", { width: 3 }) };
  const labels = { bias: chart.text("c5"), variance: chart.text("c2", { anchor: "end" }), sum: chart.text("ink", { anchor: "middle" }) };
  const cursor = chart.line("ink2", { width: 1, dash: "3 4" }), dots = chart.dots("acc", { r: 4.5 });
  const P = DEGREE + 1, powers = (x) => Array.from({ length: P }, (_, k) => x ** k), GRID = X.map(powers);
  // Cholesky solution of (A + lambda I) w = b, for 5 unknowns.
  const solve = (a, b, lambda) => {
    const l = a.map((row) => [...row]), w = [...b];
    for (let i = 0; i < P; i++) l[i][i] += lambda;
    for (let i = 0; i < P; i++) {
      for (let j = 0; j <= i; j++) {
        let s = l[i][j];
        for (let k = 0; k < j; k++) s -= l[i][k] * l[j][k];
        l[i][j] = i === j ? Math.sqrt(Math.max(s, 1e-300)) : s / l[j][j];
      }
    }
    for (let i = 0; i < P; i++) { for (let k = 0; k < i; k++) w[i] -= l[i][k] * w[k]; w[i] /= l[i][i]; }
    for (let i = P - 1; i >= 0; i--) { for (let k = i + 1; k < P; k++) w[i] -= l[k][i] * w[k]; w[i] /= l[i][i]; }
    return w;
  };
  let known, sets;
  const sample = (n, sigma, same) => {
    const { uniform, normal } = random(11), inputs = Array.from({ length: n }, () => 2 * uniform() - 1);
    return Array.from({ length: FITS }, () => {
      const a = Array.from({ length: P }, () => new Array(P).fill(0)), b = new Array(P).fill(0);
      for (let i = 0; i < n; i++) {
        const x = same ? inputs[i] : 2 * uniform() - 1, y = truth(x) + sigma * normal(), phi = powers(x);
        for (let j = 0; j < P; j++) { b[j] += phi[j] * y; for (let k = 0; k < P; k++) a[j][k] += phi[j] * phi[k]; }
      }
      return [a, b];
    });
  };
  // Squared bias and variance of the fits, averaged over x; the bias of a mean of FITS fits is
  // inflated by variance / FITS, which is taken off.
  const parts = (weights) => {
    const R = weights.length, center = Array.from({ length: P }, (_, k) => weights.reduce((s, w) => s + w[k], 0) / R);
    const spread = Array.from({ length: P }, (_, j) => Array.from({ length: P }, (_, k) => weights.reduce((s, w) => s + (w[j] - center[j]) * (w[k] - center[k]), 0) / (R - 1)));
    let bias = 0, variance = 0;
    GRID.forEach((phi, i) => {
      const f = phi.reduce((s, p, k) => s + p * center[k], 0);
      bias += (f - truth(X[i])) ** 2 / X.length;
      for (let j = 0; j < P; j++) for (let k = 0; k < P; k++) variance += phi[j] * phi[k] * spread[j][k] / X.length;
    });
    return { center, bias: Math.max(bias - variance / R, 1e-12), variance };
  };
  let swept;
  picture.draw(() => {
    const n = points.value, sigma = noise.value, key = [n, sigma, fixed.value].join();
    if (key !== known) {
      sets = sample(n, sigma, fixed.value);
      const some = sets.slice(0, 250); // enough for curves
      swept = WIDTHS.map((w) => parts(some.map(([a, b]) => solve(a, b, sigma ** 2 / 10 ** (2 * w)))));
      known = key;
    }
    const sigma0 = 10 ** width.value, weights = sets.map(([a, b]) => solve(a, b, sigma ** 2 / sigma0 ** 2)), now = parts(weights);
    fits.raw(weights.slice(0, DRAWN).map((w) => fan.path(X, GRID.map((phi) => phi.reduce((s, p, k) => s + p * w[k], 0)))).join(""));
    mean.set(X, GRID.map((phi) => phi.reduce((s, p, k) => s + p * now.center[k], 0)));
    const xs = WIDTHS.map((w) => 10 ** w), total = swept.map((s) => s.bias + s.variance);
    curves.bias.set(xs, swept.map((s) => s.bias));
    curves.variance.set(xs, swept.map((s) => s.variance));
    curves.sum.set(xs, total);
    labels.bias.set(2e-3, Math.min(swept[2].bias * 1.25, 0.9), "bias²");
    labels.variance.set(9e2, Math.min(swept[46].variance * 0.55, 0.8), "variance");
    const best = total.indexOf(Math.min(...total));
    labels.sum.set(xs[best], total[best] * 1.5, "sum");
    cursor.set([sigma0, sigma0], [1e-4, 1]);
    dots.set([now.bias, now.variance, now.bias + now.variance].map((v) => [sigma0, v]));
    const side = width.value < WIDTHS[best] - 0.2 ? "The prior is tighter than the best one: bias rules." : width.value > WIDTHS[best] + 0.2 ? "The prior is looser than the best one: variance rules." : "This is about the best width: neither part is at its own minimum.";
    return {
      say: `σ₀ = ${number(sigma0, 2)}: bias² ${number(now.bias)} + variance ${number(now.variance)} = ${number(now.bias + now.variance)}, from ${FITS} fits; noise of ${number(sigma ** 2)} comes on top of it in a test. ${side}`,
      table: [["prior width", "bias²", "variance", "sum"], ...swept.map((s, i) => [number(xs[i], 2), s.bias, s.variance, total[i]]).filter((_, i) => i % 4 === 0)],
    };
  });
});
