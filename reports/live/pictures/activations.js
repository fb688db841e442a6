/* claim: C25
title: Activations and their slopes
alt: Curve of one activation function and of its derivative, with a point that can be moved along it,
and the distribution that comes out when standard normal numbers go in. */
live("activations", (picture) => {
  const { number, linspace } = live, XS = linspace(-5, 5, 401);
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const erf = (x) => { // Abramowitz & Stegun 7.1.26, off by at most 1.5e-7
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-x * x);
    return Math.sign(x) * (1 - tail);
  };
  const phi = (x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI), Phi = (x) => (1 + erf(x / Math.SQRT2)) / 2;
  const functions = { // name: [f, f', what to know]
    sigmoid: ["sigmoid", sigmoid, (x) => sigmoid(x) * sigmoid(-x), "Its slope is at most ¼, and its output has a mean of ½."],
    tanh: ["tanh", Math.tanh, (x) => 1 - Math.tanh(x) ** 2, "Slope 1 at zero: near it a layer stays linear."],
    relu: ["ReLU", (x) => Math.max(x, 0), (x) => x > 0 ? 1 : 0, "Half of all inputs have no slope at all, the others slope 1."],
    leaky: ["leaky ReLU", (x) => x > 0 ? x : a.value * x, (x) => x > 0 ? 1 : a.value, "With a slope left of zero no unit is ever dead."],
    elu: ["ELU", (x) => x > 0 ? x : Math.expm1(x), (x) => x > 0 ? 1 : Math.exp(x), "Smooth at zero, and bounded below by −1."],
    softplus: ["softplus", (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), sigmoid, "A smooth ReLU whose slope is the sigmoid."],
    silu: ["SiLU (swish)", (x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * sigmoid(-x)), "Not monotone: it dips below zero at about −1.28."],
    gelu: ["GELU", (x) => x * Phi(x), (x) => Phi(x) + x * phi(x), "The input times the share of a normal distribution below it."],
  };
  const which = picture.choice({ name: "f", label: "Activation", options: Object.fromEntries(Object.entries(functions).map(([key, [name]]) => [key, name])), value: "tanh" });
  const a = picture.slider({ name: "a", label: "Left slope a", from: 0, to: 1, step: 0.01, value: 0.2 });
  const spread = picture.slider({ name: "spread", label: "Input's standard deviation", from: 0.1, to: 5, step: 0.1, value: 1 });
  const panel = picture.panel({ title: "Function and slope", x: { from: -5, to: 5, label: "input z" }, y: { from: -1.5, to: 3, label: "f(z), and f′(z) dashed" } });
  const value = panel.line("c1"), slope = panel.line("c5", { dash: "7 5" }), tangent = panel.line("ink2", { width: 1.2 });
  const labels = [panel.text("c1"), panel.text("c5")];
  const at = picture.handle(panel, { name: "z", label: "Input", at: [1, 0], along: "x", role: "c1" });
  const out = picture.panel({ title: "What comes out of normal inputs", x: { from: -3, to: 3, label: "f(z)" }, y: { from: 0, to: 0.5, label: "share a bin" } });
  const bars = out.bars("c1", 0.19);
  const N = 4000, normal = live.random(7).normal, draws = Array.from({ length: N }, normal);
  picture.draw(() => {
    const [name, f, g, note] = functions[which.value], z = at.value[0];
    a.input.parentElement.hidden = which.value !== "leaky";
    value.set(XS, XS.map(f));
    slope.set(XS, XS.map(g));
    tangent.set([z - 1, z + 1], [f(z) - g(z), f(z) + g(z)]);
    labels[0].set(3.1, Math.min(f(3.1) + 0.15, 2.85), "f");
    labels[1].set(4.3, g(4.3) + 0.12, "f′");
    at.lift(f(z));
    const y = draws.map((u) => f(u * spread.value)), bins = linspace(-2.9, 2.9, 30), counts = bins.map(() => 0);
    let mean = 0, second = 0, gain = 0;
    y.forEach((v, i) => {
      const k = Math.round((Math.min(Math.max(v, -2.95), 2.95) + 2.9) / 0.2);
      counts[Math.min(Math.max(k, 0), 29)] += 1 / N;
      mean += v / N;
      second += v * v / N;
      gain += g(draws[i] * spread.value) ** 2 / N;
    });
    bars.set(bins, counts.map((c) => Math.min(c, 0.5)));
    return {
      say: `${name} at z = ${number(z)}: value ${number(f(z))}, slope ${number(g(z))}. ${note} Normal inputs of standard deviation ${number(spread.value)} leave it with mean ${number(mean)} and mean square ${number(second)}; the mean squared slope, by which gradients shrink a layer, is ${number(gain)}.`,
      table: [["z", "f(z)", "f′(z)"], ...linspace(-4, 4, 9).map((x) => [number(x), f(x), g(x)])],
    };
  });
});
