/* claim: C21
title: One hidden layer adds up bumps
alt: A continuous function and a network of n units that approximates it by steps or by straight lines,
with the bumps it adds up; beside it the largest error and its bound against the number of units. */
live("bumps", (picture) => {
  const { number, linspace } = live, I = 1920, X = linspace(0, 1, I + 1);
  const UNITS = [2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 24, 30, 32, 40, 48, 60, 64, 80, 96, 120, 128, 160]; // divide I
  const targets = { kink: ["kinks", (x) => Math.abs(Math.sin(6 * x - 3)) + 0.3 * (2 * x - 1)], sine: ["sine", (x) => 0.5 + 0.5 * Math.sin(2 * Math.PI * x)], root: ["root √x", Math.sqrt] };
  const which = picture.choice({ name: "f", label: "Function", options: Object.fromEntries(Object.entries(targets).map(([key, [words]]) => [key, words])) });
  const kind = picture.choice({ name: "kind", label: "Units", options: { steps: "sigmoids: a staircase", lines: "ReLU: straight lines" } });
  const width = picture.slider({ name: "n", label: "Units n", from: 0, to: UNITS.length - 1, step: 1, value: 6, show: (k) => String(UNITS[k]) });
  const steep = picture.slider({ name: "steep", label: "Steepness × spacing", from: 0.2, to: 80, step: 0.2, value: 80 });
  const panel = picture.panel({ title: "The function and the network", x: { from: 0, to: 1, label: "x" }, y: { from: -0.5, to: 1.5, label: "value; thin: the bumps" } });
  const bumps = panel.line("c5", { width: 1.1, opacity: 0.8 }), real = panel.line("ink", { width: 1.8, dash: "7 5" }), sum = panel.line("c1", { width: 2.4 }), worst = panel.line("acc", { width: 3 });
  const chart = picture.panel({ title: "Largest error and bound", x: { from: 2, to: 175, log: true, label: "units n", ticks: [2, 5, 10, 20, 40, 80, 160] }, y: { from: 1e-4, to: 3, log: true, label: "error on 1921 points" } });
  const bound = chart.line("ink2", { dash: "7 5", width: 1.8 }), errors = chart.line("c1"), dots = chart.dots("acc", { r: 5 });
  const words = [chart.text("ink2", { anchor: "end" }), chart.text("c1")];
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const network = (f, n) => {
    const at = linspace(0, 1, n + 1).map(f);
    if (kind.value === "lines") return X.map((x, i) => { const j = Math.min(Math.floor(i * n / I), n - 1); return at[j] + (at[j + 1] - at[j]) * (x * n - j); });
    return X.map((x) => at.reduce((s, v, j) => j ? s + (v - at[j - 1]) * sigmoid(steep.value * (x * n - j + 0.5)) : v, 0));
  };
  let known, values, omega, measured;
  picture.draw(() => {
    const f = targets[which.value][1], n = UNITS[width.value], key = [which.value, kind.value, steep.value].join();
    steep.input.parentElement.hidden = kind.value === "lines";
    const gaps = (y) => y.map((v, i) => Math.abs(v - values[i]));
    if (key !== known) {
      values = X.map(f);
      omega = [0]; // modulus of continuity: the largest difference over at most so many grid points
      for (let k = 1; k <= I; k++) {
        let most = omega[k - 1];
        for (let i = 0; i + k <= I; i++) most = Math.max(most, Math.abs(values[i + k] - values[i]));
        omega.push(most);
      }
      measured = UNITS.map((m) => Math.max(...gaps(network(f, m))));
      known = key;
    }
    const y = network(f, n), gap = gaps(y), error = measured[width.value], where = gap.indexOf(Math.max(...gap)), limits = UNITS.map((m) => omega[2 * I / m]), limit = limits[width.value];
    real.set(X, values);
    sum.set(X, y);
    worst.set([X[where], X[where]], [values[where], y[where]]);
    // Each bump is a difference of neighboring units; their sum is the network.
    const shape = (t) => kind.value === "lines" ? Math.max(1 - Math.abs(t), 0) : sigmoid(steep.value * (t + 0.5)) - sigmoid(steep.value * (t - 0.5));
    const around = linspace(-1.5, 1.5, 61);
    bumps.show(n <= 40);
    bumps.raw(n > 40 ? "" : linspace(0, 1, n + 1).map((c) => panel.path(around.map((t) => c + t / n), around.map((t) => f(c) * shape(t)))).join(""));
    bound.set(UNITS, limits);
    errors.set(UNITS, measured);
    dots.set([[n, error]]);
    words[0].set(155, limits[20] * 2.2, "bound ω(2/n)");
    words[1].set(2.2, measured[2] / 3.5, "largest error");
    const verdict = error <= limit ? `the bound ω(2/n) allows ${number(limit)}` : `that is above ω(2/n) = ${number(limit)}, which is promised to steep steps, not to these`;
    return {
      say: `At width ${n} the largest error is ${number(error)} at x = ${number(X[where])}; ${verdict}. With ${UNITS.at(-1)} units it is ${number(measured.at(-1))}.`,
      table: [["units", "largest error", "bound ω(2/n)"], ...UNITS.map((m, k) => [String(m), measured[k], limits[k]])],
    };
  });
});
