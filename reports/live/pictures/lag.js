/* claim: C66
title: How a gradient grows or fades on its way back
alt: Norm of a gradient against the steps it went back through one recurrent matrix, with the law of the
spectral radius, and its growth from step to step, which settles at that radius. */
live("lag", (picture) => {
  const { number, linspace, random } = live, N = 16, SHOWN = 100, FIRST = 100, LAST = 500, CLIP = 10, LAGS = linspace(0, SHOWN, SHOWN + 1);
  const radius = picture.slider({ name: "rho", label: "Spectral radius ρ", from: 0.8, to: 1.2, step: 0.01, value: 0.9 });
  const kind = picture.choice({ name: "matrix", label: "Matrix W", options: { gaussian: "Gaussian", symmetric: "symmetric", orthogonal: "orthogonal", leaning: "non-normal" } });
  const clip = picture.toggle({ name: "clip", label: "clip at norm " + CLIP });
  let seed = 1;
  picture.button("New matrix", () => { seed += 1; });
  picture.values.data = { get: () => String(seed), set: (v) => { seed = Math.max(1, Math.round(+v) || 1); } };
  const panel = picture.panel({ title: "The gradient, step by step back", x: { from: 0, to: SHOWN, label: "lag t, steps back" }, y: { from: 1e-10, to: 1e10, log: true, label: "norm of (Wᵀ)ᵗ v" } });
  const edge = panel.line("ink3", { width: 1 }), fresh = panel.line("c5", { width: 1.8, dash: "2 4" }), curve = panel.line("c1", { width: 3 }), law = panel.line("ink", { width: 1.8, dash: "7 5" }), cut = panel.line("c3", { width: 3 });
  const words = [panel.text("ink", { anchor: "end" }), panel.text("c5", { anchor: "end" }), panel.text("c3", { anchor: "end" })];
  const chart = picture.panel({ title: "Its growth a step", x: { from: 0, to: SHOWN, label: "lag t, steps back" }, y: { from: 0, to: 2, label: "norm at t over norm at t − 1" } });
  const ratio = chart.line("c1"), settled = chart.line("ink", { width: 1.8, dash: "7 5" });
  const dot = (a, b) => a.reduce((s, v, i) => s + v * b[i], 0), norm = (v) => Math.sqrt(dot(v, v));
  const times = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((s, v, k) => s + v * b[k][j], 0)));
  const scaled = (a, c) => a.map((row) => row.map((v) => v * c)), size = (a) => norm(a.flat());
  // Matrices with n tau^2 near 1, as in the experiment of this claim.
  const draw = (name, { normal }) => {
    const g = Array.from({ length: N }, () => Array.from({ length: N }, () => normal() / 4));
    if (name === "symmetric") return g.map((row, i) => row.map((v, j) => (v + g[j][i]) / Math.SQRT2));
    if (name === "leaning") return g.map((row, i) => row.map((v, j) => i === j ? (v < 0 ? -1 : 1) * (1 - i / (N - 1) / 2) : j > i ? 1.2 * v : 0));
    if (name === "orthogonal") g.forEach((row, i) => {
      for (let pass = 0; pass < 2; pass++) for (let k = 0; k < i; k++) { const s = dot(g[k], row); row.forEach((_, j) => { row[j] -= s * g[k][j]; }); }
      const l = norm(row);
      row.forEach((_, j) => { row[j] /= l; });
    });
    return g;
  };
  // The largest modulus of an eigenvalue is the limit of |W^m|^(1/m); m doubles 40 times.
  const largest = (w) => {
    let a = w, log = 0;
    for (let k = 0; k <= 40; k++) {
      const s = size(a);
      log += Math.log(s) / 2 ** k;
      a = scaled(a, 1 / s);
      if (k < 40) a = times(a, a);
    }
    return Math.exp(log);
  };
  let known, logs, tau;
  picture.draw(() => {
    const name = kind.value, rho = radius.value, key = name + seed;
    if (key !== known) { // of radius 1; the slider's is a factor rho^t
      const numbers = random(seed), w = draw(name, numbers), one = scaled(w, 1 / largest(w)), back = one[0].map((_, j) => one.map((row) => row[j]));
      let v = Array.from({ length: N }, numbers.normal), l = norm(v);
      logs = [0];
      for (let t = 1; t <= LAST; t++) { v = back.map((row) => dot(row, v) / l); l = norm(v); logs.push(logs[t - 1] + Math.log(l)); }
      tau = size(one) / Math.sqrt(N); // sqrt(n tau^2)
      known = key;
    }
    const norms = LAGS.map((t) => Math.exp(logs[t] + t * Math.log(rho)));
    curve.set(LAGS, norms); law.set(LAGS, LAGS.map((t) => rho ** t)); fresh.set(LAGS, LAGS.map((t) => (tau * rho) ** t));
    edge.set([0, SHOWN], [1, 1]);
    cut.show(clip.value); words[2].show(clip.value);
    cut.set(LAGS, norms.map((v) => Math.min(v, CLIP)));
    const inside = (v) => Math.min(Math.max(v, 1e-9), 1e6);
    words[0].set(98, 1.2e9, "dashed: ρᵗ");
    words[1].set(98, 2.5e7, "dots: fresh matrices, (nτ²)^(t/2)");
    words[2].set(98, inside(Math.min(norms[80], CLIP) / 200), "clipped");
    ratio.set(LAGS.slice(1), LAGS.slice(1).map((t) => norms[t] / norms[t - 1]));
    settled.set([0, SHOWN], [rho, rho]);
    // Slope by regression after the transient, lags 100 to 500.
    let above = 0, below = 0;
    for (let t = FIRST; t <= LAST; t++) { const d = t - (FIRST + LAST) / 2; above += d * logs[t]; below += d * d; }
    const slope = above / below + Math.log(rho), peak = Math.max(...norms), over = norms.findIndex((v) => v > CLIP);
    return {
      say: `ρ = ${number(rho)}: the logarithm of the norm changes by ${number(Math.abs(slope) < 1e-12 ? 0 : slope, 4)} a step over lags ${FIRST} to ${LAST}, and ln ρ is ${number(Math.log(rho), 4)}, while fresh independent entries of this size would change its root mean square by ${number(Math.abs(tau * rho - 1) < 1e-12 ? 0 : Math.log(tau * rho), 3)}. ${SHOWN} steps back a gradient of norm 1 has norm ${number(norms[SHOWN])}${peak > 1.05 && rho < 1 ? `, though on the way it grew to ${number(peak)}` : ""}. ${!clip.value ? "" : over < 0 ? "Nothing is clipped: clipping does not help a gradient that fades." : `Clipping shortens it from lag ${over} on, wherever it is longer than ${CLIP}, and keeps its direction.`}`.trim(),
      table: [["lag", "norm", "ρᵗ", "growth a step", "clipped"], ...LAGS.filter((t) => t % 10 === 0).map((t) => [String(t), norms[t], rho ** t, t ? norms[t] / norms[t - 1] : "none", Math.min(norms[t], CLIP)])],
    };
  });
});
