/* claim: C33
title: Average the gradients: less noise, later
alt: A noisy gradient and its exponential average, which is smoother and lags behind, beside the share
of the noise's variance that is left, drawn against the lag. */
live("smoother", (picture) => {
  const { number, linspace, random } = live, T = 200, LONG = 100000, OMEGA = 4 * Math.PI / T, STEPS = linspace(1, T, T);
  const alpha = picture.slider({ name: "alpha", label: "Momentum α", from: 0, to: 0.99, step: 0.01, value: 0.9 });
  const noise = picture.slider({ name: "noise", label: "Noise σ", from: 0, to: 1, step: 0.05, value: 0.5 });
  const correct = picture.toggle({ name: "start", label: "divide by 1 − αᵗ" });
  let seed = 1;
  picture.button("New noise", () => { seed += 1; });
  picture.values.data = { get: () => String(seed), set: (v) => { seed = Math.max(1, Math.round(+v) || 1); } };
  const panel = picture.panel({ title: "A noisy gradient and its average", x: { from: 0, to: T, label: "step" }, y: { from: -2.5, to: 2.5, label: "gradient" } });
  const raw = panel.line("ink3", { width: 1, opacity: 0.8 }), signal = panel.line("ink", { width: 1.8, dash: "7 5" }), average = panel.line("m-mom", { width: 3 });
  const chart = picture.panel({ title: "What smoothing costs", x: { from: 0.1, to: 200, log: true, label: "lag α/(1 − α), steps" }, y: { from: 3e-3, to: 1, log: true, label: "share of the noise's variance left" } });
  const law = chart.line("ink", { width: 1.8, dash: "7 5" }), marks = chart.dots("ink2", { r: 3 }), here = chart.dots("m-mom", { r: 6 });
  const lags = linspace(-1, 2, 61).map((v) => 10 ** v);
  law.set(lags, lags.map((l) => 1 / (1 + 2 * l))); // (1 - a)/(1 + a) with a = l / (1 + l)
  const known = [0.5, 0.9, 0.99].map((a) => [a, a / (1 - a), (1 - a) / (1 + a)]);
  marks.set(known.map(([, l, v]) => [l, v]));
  known.forEach(([a, l, v], i) => chart.text("ink2", i ? { anchor: "end" } : {}).set(i ? l * 0.8 : l * 1.3, i ? v * 0.72 : v, "α = " + a));
  const wave = STEPS.map((t) => Math.sin(OMEGA * (t - 1)));
  signal.set(STEPS, wave);
  const smooth = (values, a) => { let mu = 0; return values.map((g) => mu = a * mu + (1 - a) * g); };
  let drawn, z, many;
  picture.draw(() => {
    const a = alpha.value;
    if (drawn !== seed) {
      const { normal } = random(seed);
      z = STEPS.map(normal);
      many = Float64Array.from({ length: LONG }, normal);
      drawn = seed;
    }
    const gradient = wave.map((s, i) => s + noise.value * z[i]), mu = smooth(gradient, a).map((v, i) => correct.value ? v / (1 - a ** (i + 1)) : v);
    raw.set(STEPS, gradient);
    average.set(STEPS, mu);
    let m = 0, sum = 0, square = 0;
    for (const v of many) { m = a * m + (1 - a) * v; sum += m * m; square += v * v; }
    const left = (1 - a) / (1 + a), measured = sum / square, lag = a / (1 - a);
    here.set([[a ? lag : NaN, measured]]);
    // The average of a wave is a wave: its height and delay are those of (1 - a)/(1 - a exp(-i omega)).
    const height = (1 - a) / Math.sqrt(1 - 2 * a * Math.cos(OMEGA) + a * a), late = Math.atan2(a * Math.sin(OMEGA), 1 - a * Math.cos(OMEGA)) / OMEGA;
    const percent = (v) => number(100 * v) + " %";
    return {
      say: `α = ${number(a)}: ${percent(left)} of the noise's variance is left, (1 − α)/(1 + α); over 100 000 steps of noise alone it was ${percent(measured)}. The price: a slow signal comes ${number(lag)} steps late, this wave ${number(late)} steps late and with ${percent(height)} of its height. ${correct.value ? "Divided by 1 − αᵗ, the average is of full size from the first step on." : `Started at zero, after 10 steps it holds ${percent(1 - a ** 10)} of a constant gradient.`}`,
      table: [["step", "gradient", "average", "signal"], ...[1, 2, 5, 10, 20, 50, 100, 200].map((t) => [String(t), gradient[t - 1], mu[t - 1], wave[t - 1]])],
    };
  });
});
