/* claim: C50
title: Raise the order of the polynomial
alt: Ten noisy points, the cubic they scatter about and the fit of one order, beside training and
test error of every order: the test error peaks where the fit becomes perfect, then falls again. */
live("degree", (picture) => {
  const { number, linspace, random } = live, N = 10, SIGMA = 0.3, SETS = 60, FLOOR = 1e-3;
  const ORDERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 25, 50, 100, 200];
  const truth = (x) => 1.5 * x ** 3 - x, dot = (a, b) => { let s = 0; for (let i = 0; i < b.length; i++) s += a[i] * b[i]; return s; };
  const order = picture.play({ name: "order", label: "Order n", to: ORDERS.length - 1, value: 8, show: (i) => ORDERS[i] });
  let seed = 1;
  picture.button("New data", () => { seed += 1; });
  picture.values.data = { get: () => String(seed), set: (v) => { seed = Math.max(1, Math.round(+v) || 1); } };
  const panel = picture.panel({ title: "Ten points, the truth, the fit", x: { from: -1, to: 1, label: "x" }, y: { from: -1.5, to: 1.5, label: "y" } });
  const real = panel.line("ink", { dash: "7 5", width: 1.8 }), fit = panel.line("c1", { width: 2.6 }), points = panel.dots("acc", { r: 5 });
  const chart = picture.panel({ title: "The error, order by order", x: { from: 1, to: 200, log: true, label: "order n", ticks: [1, 3, 9, 25, 50, 200] }, y: { from: FLOOR, to: 1e6, log: true, label: "mean squared error, at least 10⁻³" } });
  const middle = chart.line("ink2", { width: 1.6, dash: "7 5" }), training = chart.line("c5"), test = chart.line("c1", { width: 2.6 }), here = chart.dots("acc", { r: 5 });
  const words = [chart.text("c1"), chart.text("c5"), chart.text("ink2", { anchor: "end" })];
  // Legendre polynomials, orthonormal on [-1, 1], divided by n + 1: high orders are expensive.
  const basis = (x) => {
    const p = [1, x];
    for (let k = 1; k < 200; k++) p.push(((2 * k + 1) * x * p[k] - k * p[k - 1]) / (k + 1));
    return p.map((v, k) => v * Math.sqrt(2 * k + 1) / (k + 1));
  };
  const X = Array.from({ length: 201 }, (_, i) => (i + 0.5) / 201 * 2 - 1), GRID = X.map(basis);
  // Gram and Schmidt, twice for the sake of rounding: vectors[i] = sum_k r[k][i] q[k].
  const qr = (vectors) => {
    const q = [], r = vectors.map(() => vectors.map(() => 0));
    vectors.forEach((v, i) => {
      const u = [...v];
      for (let pass = 0; pass < 2; pass++) q.forEach((e, k) => { const s = dot(e, u); r[k][i] += s; u.forEach((_, j) => { u[j] -= s * e[j]; }); });
      r[i][i] = Math.sqrt(dot(u, u));
      q.push(u.map((c) => c / r[i][i]));
    });
    return { q, r };
  };
  // Least squares; where more than one polynomial fits, the shortest coefficients.
  const solve = (rows, y, n) => {
    const P = n + 1, cut = rows.map((row) => row.slice(0, P));
    if (P <= N) {
      const { q, r } = qr(cut[0].map((_, k) => cut.map((row) => row[k]))), w = q.map((e) => dot(e, y));
      for (let i = P - 1; i >= 0; i--) { for (let k = i + 1; k < P; k++) w[i] -= r[i][k] * w[k]; w[i] /= r[i][i]; }
      return w;
    }
    const { q, r } = qr(cut), z = [...y];
    for (let i = 0; i < N; i++) { for (let k = 0; k < i; k++) z[i] -= r[k][i] * z[k]; z[i] /= r[i][i]; }
    return cut[0].map((_, j) => q.reduce((s, e, k) => s + e[j] * z[k], 0));
  };
  const look = (number) => {
    const { uniform, normal } = random(number), x = Array.from({ length: N }, () => 2 * uniform() - 1), y = x.map((u) => truth(u) + SIGMA * normal());
    const rows = x.map(basis), fits = ORDERS.map((n) => {
      const w = solve(rows, y, n), values = GRID.map((phi) => dot(phi, w));
      return { values, training: rows.reduce((s, phi, i) => s + (dot(phi, w) - y[i]) ** 2, 0) / N, test: values.reduce((s, v, i) => s + (v - truth(X[i])) ** 2, 0) / X.length };
    });
    return { x, y, fits };
  };
  const sets = Array.from({ length: SETS }, (_, s) => look(s + 1).fits.map((f) => f.test));
  const median = ORDERS.map((_, k) => { const v = sets.map((s) => s[k]).sort((a, b) => a - b); return (v[SETS / 2 - 1] + v[SETS / 2]) / 2; });
  real.set(X, X.map(truth));
  middle.set(ORDERS, median);
  let known, data;
  picture.draw(() => {
    if (known !== seed) { data = look(seed); known = seed; }
    const k = order.value, n = ORDERS[k], now = data.fits[k], cubic = data.fits[2].test;
    points.set(data.x.map((u, i) => [u, data.y[i]]));
    fit.set(X, now.values);
    training.set(ORDERS, data.fits.map((f) => Math.max(f.training, FLOOR)));
    test.set(ORDERS, data.fits.map((f) => f.test));
    here.set([[n, Math.max(now.training, FLOOR)], [n, now.test]]);
    words[0].set(1.1, data.fits[0].test * 2.4, "test");
    words[1].set(1.1, Math.max(data.fits[0].training / 5, FLOOR * 1.6), "training");
    words[2].set(190, median[15] * 3.5, `median of ${SETS} draws`);
    const kind = n < N - 1 ? "least squares" : n === N - 1 ? "the only polynomial of that order through all ten" : "of all that pass through the ten, the one with the shortest coefficients";
    return {
      say: `Order ${n}, ${kind}: training error ${now.training < 1e-15 ? "zero up to rounding" : number(now.training)}, test error ${number(now.test)}${n === 3 ? "" : `, ${number(now.test / cubic)} times that of the cubic`}. Over ${SETS} draws of the points the median test error is ${number(median[k])} at this order${n === 9 ? `, and ${number(median[2])} at order 3` : `, and ${number(median[8])} at order 9`}.`,
      table: [["order", "training error", "test error", `median of ${SETS}`], ...ORDERS.map((m, i) => [String(m), data.fits[i].training, data.fits[i].test, median[i]])],
    };
  });
});
