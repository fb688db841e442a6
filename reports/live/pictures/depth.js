/* claim: C39
title: Turn the gain, watch a signal grow or die with depth
alt: Logarithm of the mean square of a signal against depth, for fifty random networks, with the law of
the average network and that of the typical one. */
live("depth", (picture) => {
  const { number, linspace } = live, DEPTH = 60, NETS = 50, LAYERS = linspace(0, DEPTH, DEPTH + 1);
  const width = picture.choice({ name: "width", label: "Width n", options: { 4: "4", 16: "16", 64: "64", 256: "256" }, value: 16 });
  const gain = picture.slider({ name: "gain", label: "Gain nτ²", from: 0.5, to: 1.5, step: 0.005, value: 1, show: (v) => number(v) });
  const activation = picture.choice({ name: "activation", label: "Activation", options: { linear: "linear", relu: "ReLU", leaky: "leaky ReLU, slope 0.2", tanh: "tanh" } });
  const draw = picture.button("New networks", () => { seed += 1; });
  draw.title = "Other random weights";
  const panel = picture.panel({ title: "Fifty networks, layer by layer", x: { from: 0, to: DEPTH, label: "layer" }, y: { from: 1e-10, to: 1e10, log: true, label: "mean square of the signal" } });
  const nets = panel.line("c1", { width: 0.7, opacity: 0.55 }), median = panel.line("c1", { width: 3 });
  const average = panel.line("ref", { dash: "0.1 5", width: 3 }), typical = panel.line("ink", { dash: "7 5", width: 1.8 });
  average.element.setAttribute("stroke-linecap", "round");
  const words = [panel.text("ref"), panel.text("ink")];
  const ends = picture.panel({ title: "Where they end", x: { from: -10, to: 10, label: "log₁₀ of the mean square, last layer" }, y: { from: 0, to: 0.5, label: "share of networks" } });
  const bars = ends.bars("c1", 0.95);
  const digamma = (x) => x < 8 ? digamma(x + 1) - 1 / x : Math.log(x) - 1 / (2 * x) - 1 / (12 * x ** 2) + 1 / (120 * x ** 4);
  let seed = 1, known = "", unit = [];
  // One layer with Gaussian weights of gain 1 maps a vector of mean square q to independent normals of
  // variance q, exactly; so a layer is n normal numbers and no matrix. The gain enters through f.
  const walk = (n, f, g, random) => {
    let q = 1;
    const path = [1];
    for (let layer = 0; layer < DEPTH; layer++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += f(Math.sqrt(g * q) * random.normal()) ** 2;
      q = sum / n;
      path.push(q);
    }
    return path;
  };
  const functions = { linear: (z) => z, relu: (z) => Math.max(z, 0), leaky: (z) => z > 0 ? z : 0.2 * z, tanh: Math.tanh };
  const factor = { linear: 1, relu: 0.5, leaky: 0.52 }; // E f(z)² / V z, for functions without scale
  picture.draw(() => {
    const n = +width.value, g = gain.value, f = functions[activation.value], scaled = activation.value === "tanh";
    const wanted = [n, activation.value, seed, scaled ? g : ""].join();
    if (wanted !== known) { // without a scale of its own the gain is a factor g ** layer
      const random = live.random(seed);
      unit = Array.from({ length: NETS }, () => walk(n, f, scaled ? g : 1, random));
      known = wanted;
    }
    const paths = unit.map((path) => path.map((q, layer) => scaled ? q : q * g ** layer));
    nets.raw(paths.map((path) => panel.path(LAYERS, path.map((q) => Math.max(q, 1e-40)))).join(""));
    const middle = LAYERS.map((_, layer) => {
      const sorted = paths.map((path) => path[layer]).sort((a, b) => a - b);
      return Math.sqrt(sorted[24] * sorted[25]);
    });
    median.set(LAYERS, middle);
    const law = !scaled, mean = law ? factor[activation.value] * g : NaN;
    // Typical linear network: E log of a chi-square variable with n degrees of freedom, over n.
    const each = activation.value === "linear" ? Math.log(g) + digamma(n / 2) + Math.log(2 / n) : NaN;
    average.set(LAYERS, LAYERS.map((layer) => mean ** layer));
    typical.set(LAYERS, LAYERS.map((layer) => Math.exp(layer * each)));
    const limit = (v) => Math.min(Math.max(v, 2e-10), 3e9);
    words[0].set(law ? 2 : NaN, limit(mean ** 12) * (mean < 1 ? 40 : 40), "average network, the slide's law");
    words[1].set(activation.value === "linear" ? 14 : NaN, limit(Math.exp(34 * each)) / 60, "typical network");
    const last = paths.map((path) => Math.log10(path[DEPTH])), bins = linspace(-9.5, 9.5, 20), counts = bins.map(() => 0);
    for (const v of last) counts[Math.min(Math.max(Math.floor(v + 10), 0), 19)] += 1 / NETS;
    bars.set(bins, counts.map((c) => Math.min(c, 0.5)));
    const shrunk = paths.filter((path) => path[DEPTH] < 1).length;
    const tail = activation.value === "linear"
      ? ` The average over all networks is ${number(g ** DEPTH)}; the typical network keeps its scale at nτ² = ${number(Math.exp(-digamma(n / 2) - Math.log(2 / n)), 4)}.`
      : law ? ` The average is ${number(mean ** DEPTH)}: this activation keeps ${number(factor[activation.value])} of the mean square, so the average stands still at nτ² = ${number(1 / factor[activation.value], 4)}.` : " tanh bounds its output, so nothing explodes; with a small gain it is linear.";
    return {
      say: `Width ${n}, gain ${number(g)}: after ${DEPTH} layers the median of ${NETS} networks is ${number(middle[DEPTH])}, and ${shrunk} of them shrank.${tail}`,
      table: [["layer", "median", "average by theory"], ...LAYERS.filter((layer) => layer % 10 === 0).map((layer) => [String(layer), middle[layer], law ? mean ** layer : "none"])],
    };
  });
});
