/* claim: C69
title: From residual layers to a flow
alt: Paths of nine starts through a field of slopes, in as many straight pieces as there are layers,
over the exact paths, which never cross; and the largest deviation against the number of layers. */
live("flow", (picture) => {
  const { number, linspace } = live, MOST = 6, TIMES = linspace(0, 1, 101), STARTS = linspace(-2, 2, 9);
  const layers = picture.slider({ name: "layers", label: "Layers L", from: 0, to: MOST, step: 1, value: 0, show: (k) => 2 ** k });
  const strength = picture.slider({ name: "a", label: "Slope a", from: 0.5, to: 6, step: 0.1, value: 3 });
  const solver = picture.choice({ name: "solver", label: "A layer is", options: { euler: "a residual layer (Euler)", midpoint: "a midpoint step", rk4: "a Runge–Kutta step" } });
  const panel = picture.panel({ title: "dz/dt = −a tanh z", x: { from: 0, to: 1, label: "depth t" }, y: { from: -4, to: 4, label: "state z" } });
  const field = panel.line("ink3", { width: 1, opacity: 0.7 }), exact = panel.line("ink", { width: 1.6, dash: "7 5" }), paths = panel.line("c1", { width: 2 }), dots = panel.dots("c1", { r: 3 }), own = panel.line("acc", { width: 3.2 });
  const start = picture.handle(panel, { name: "start", label: "Start z(0)", at: [0, 1.2], along: "y", within: { x: { from: 0, to: 1 }, y: { from: -2, to: 2 } } });
  const chart = picture.panel({ title: "The more layers, the closer", x: { from: 1, to: 64, log: true, label: "layers L", ticks: [1, 2, 4, 8, 16, 32, 64] }, y: { from: 1e-10, to: 10, log: true, label: "largest deviation" } });
  const guide = chart.line("ink2", { width: 1.4, dash: "7 5" }), curve = chart.line("c1", { width: 2.6 }), here = chart.dots("acc", { r: 5 }), word = chart.text("ink2", { anchor: "end" });
  const step = { // one layer of step h
    euler: (f, z, h) => z + h * f(z),
    midpoint: (f, z, h) => z + h * f(z + h / 2 * f(z)),
    rk4: (f, z, h) => { const a = f(z), b = f(z + h / 2 * a), c = f(z + h / 2 * b), d = f(z + h * c); return z + h / 6 * (a + 2 * b + 2 * c + d); },
  };
  const order = { euler: 1, midpoint: 2, rk4: 4 };
  picture.draw(() => {
    const a = strength.value, L = 2 ** layers.value, f = (z) => -a * Math.tanh(z), move = step[solver.value];
    const solution = (z, t) => Math.asinh(Math.sinh(z) * Math.exp(-a * t)); // sinh z falls as exp(-a t)
    const walk = (z, n) => { const path = [z]; for (let k = 0; k < n; k++) path.push(move(f, path[k], 1 / n)); return path; };
    const knots = linspace(0, 1, L + 1), walks = STARTS.map((z) => walk(z, L));
    const largest = (n) => Math.max(...STARTS.map((z) => Math.max(...walk(z, n).map((v, k) => Math.abs(v - solution(z, k / n))))));
    field.raw(linspace(0.05, 0.95, 10).map((t) => linspace(-3.6, 3.6, 10).map((z) => {
      const l = 0.028 / Math.hypot(1, f(z) * 0.07); // of one length on the screen
      return panel.path([t - l, t + l], [z - l * f(z), z + l * f(z)]);
    }).join("")).join(""));
    exact.raw(STARTS.map((z) => panel.path(TIMES, TIMES.map((t) => solution(z, t)))).join(""));
    paths.raw(walks.map((path) => panel.path(knots, path)).join(""));
    dots.set(L > 16 ? [] : walks.flatMap((path) => path.map((z, k) => [knots[k], z])));
    const z0 = start.value[1], mine = walk(z0, L);
    own.set(knots, mine);
    const counts = linspace(0, MOST, MOST + 1).map((k) => 2 ** k), errors = counts.map(largest), now = errors[layers.value], p = order[solver.value];
    curve.set(counts, errors.map((e) => Math.max(e, 1e-12)));
    here.set([[L, now]]);
    guide.set([4, 64], [errors[MOST] * 16 ** p, errors[MOST]]);
    word.set(60, Math.max(errors[MOST] * 6 ** p * 3, 1e-9), "dashed: L" + ["", "⁻¹", "⁻²", "", "⁻⁴"][p]);
    // Neighbors of the nine whose order is not that of their starts, at any layer.
    const crossed = STARTS.slice(1).filter((_, i) => walks[i].some((z, k) => z >= walks[i + 1][k])).length;
    return {
      say: `${L} layer${L > 1 ? "s" : ""}: the largest deviation from the exact paths (dashed) is ${number(now)}. ${crossed ? `${crossed} of 8 pairs of neighbors lose their order, which exact paths never do` : "No two of the nine paths cross, as no exact ones do"}. ${p > 1 ? "" : a / L > 1 ? `A layer z − (a/L) tanh z overshoots where a/L exceeds 1; here it is ${number(a / L)}. ` : `With a/L = ${number(a / L)}, at most 1, every layer keeps the order. `}The start ${number(z0)} ends at ${number(mine[L])}, exactly ${number(solution(z0, 1))}.`,
      table: [["layers", "largest deviation"], ...counts.map((n, k) => [String(n), errors[k]])],
    };
  });
});
