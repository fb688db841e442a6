/* claim: C46
title: Correlated points, standardized or white
alt: A cloud of points of two correlated features with its ellipse, and the same cloud after batch
normalization or one of three whitenings; the ellipse becomes a circle only by whitening. */
live("whitening", (picture) => {
  const { number, linspace, random } = live, SAMPLES = 150, EPSILON = 1e-3, MEAN = [3, -1], ANGLES = linspace(0, 2 * Math.PI, 97);
  const methods = { none: "none, only centered", batch: "batch normalization", pca: "PCA whitening", zca: "ZCA whitening", cholesky: "Cholesky whitening" };
  const method = picture.choice({ name: "method", label: "Map", options: methods, value: "batch" });
  const rho = picture.slider({ name: "rho", label: "Correlation ρ", from: -0.99, to: 0.99, step: 0.01, value: 0.9 });
  const second = picture.slider({ name: "sigma", label: "Deviation of x₂", from: 0.02, to: 1, step: 0.01, value: 0.4 });
  const before = picture.panel({ title: "Two features", x: { from: -0.56, to: 6.56, label: "x₁" }, y: { from: -3, to: 1, label: "x₂" } });
  const after = picture.panel({ title: "After the map", x: { from: -5.35, to: 5.35, label: "z₁" }, y: { from: -3, to: 3, label: "z₂" } });
  // White in the sample itself, not only on average, by its own Cholesky factor.
  const { normal } = random(3), draws = [0, 1].map(() => Array.from({ length: SAMPLES }, normal));
  const dot = (a, b) => a.reduce((s, v, i) => s + v * b[i], 0) / SAMPLES, centered = draws.map((d) => { const m = d.reduce((s, v) => s + v, 0) / SAMPLES; return d.map((v) => v - m); });
  const unit = (v) => { const n = Math.sqrt(dot(v, v)); return v.map((c) => c / n); };
  const e1 = unit(centered[0]), slope = dot(e1, centered[1]), e2 = unit(centered[1].map((v, i) => v - slope * e1[i]));
  const layers = [before, after].map((panel) => ({
    circle: panel.line("ink", { width: 1.4, dash: "7 5" }), right: panel.dots("c1", { r: 3 }), left: panel.dots("c5", { r: 3 }),
    ellipse: panel.line("ink", { width: 2.2 }), axes: [panel.arrow("c1", 3), panel.arrow("c5", 3)],
  }));
  after.text("ink2", { anchor: "end" }).set(5.3, -2.8, "dashed: white");
  layers[1].circle.set(ANGLES.map((t) => 2 * Math.cos(t)), ANGLES.map((t) => 2 * Math.sin(t)));
  picture.draw(() => {
    const r = rho.value, s = second.value, c = Math.sqrt(1 - r * r);
    const root = [[1, 0], [r * s, c * s]], [a, b, d] = [1, r * s, s * s]; // covariance [[a, b], [b, d]]
    // Eigenvectors at the angle theta and across, larger eigenvalue first.
    const theta = Math.atan2(2 * b, a - d) / 2, gap = Math.hypot(a - d, 2 * b), values = [(a + d + gap) / 2, s * s * c * c / ((a + d + gap) / 2)];
    const [u, v] = [[Math.cos(theta), Math.sin(theta)], [-Math.sin(theta), Math.cos(theta)]], [p, q] = values.map((l) => 1 / Math.sqrt(l));
    const w = {
      none: [[1, 0], [0, 1]],
      batch: [[1 / Math.sqrt(a + EPSILON), 0], [0, 1 / Math.sqrt(d + EPSILON)]],
      pca: [u.map((k) => k * p), v.map((k) => k * q)],
      zca: [0, 1].map((i) => [0, 1].map((j) => u[i] * u[j] * p + v[i] * v[j] * q)),
      cholesky: [[1, 0], [-r / c, 1 / (s * c)]],
    }[method.value];
    const map = (m, [x, y]) => m.map((row) => row[0] * x + row[1] * y);
    const x = e1.map((_, i) => map(root, [e1[i], e2[i]])), z = x.map((k) => map(w, k));
    [[x, MEAN, [[1, 0], [0, 1]]], [z, [0, 0], w]].forEach(([points, [mx, my], m], i) => {
      const at = points.map(([k, l]) => [k + mx, l + my]), layer = layers[i];
      layer.right.set(at.filter((_, k) => x[k][0] >= 0));
      layer.left.set(at.filter((_, k) => x[k][0] < 0));
      const ring = ANGLES.map((t) => map(m, map(root, [2 * Math.cos(t), 2 * Math.sin(t)])));
      layer.ellipse.set(ring.map((k) => k[0] + mx), ring.map((k) => k[1] + my));
      [[1, 0], [0, s]].forEach((axis, k) => { const [ex, ey] = map(m, axis); layer.axes[k].set(mx, my, mx + ex, my + ey); });
    });
    const column = (k) => z.map((point) => point[k]), [z1, z2] = [column(0), column(1)], cov = [dot(z1, z1), dot(z1, z2), dot(z2, z2)].map((k) => Math.abs(k) < 1e-9 ? 0 : k);
    const off = Math.SQRT2 * Math.abs(cov[1]), miss = Math.hypot(cov[0] - 1, off, cov[2] - 1), name = method.value;
    const note = name === "batch" ? `Each variance is σ²/(σ² + ε) with ε = 10⁻³; the correlation is still ${number(r)}, so off the diagonal it misses I by ${number(off)}; √2 |ρ| is ${number(Math.SQRT2 * Math.abs(r))}.`
      : name === "none" ? "Nothing but the mean has changed." : { pca: "The new coordinates are the principal axes", zca: "It moves the points as little as a whitening can", cholesky: "z₁ is x₁ alone, and z₂ what x₁ does not explain" }[name] + "; each of the three whitenings gives I.";
    return {
      say: `After ${methods[name].replace(", only", ":")} the variances are ${number(cov[0])} and ${number(cov[2])}, the covariance ${number(cov[1])}; as a matrix that is ${miss < 1e-9 ? "I" : `${number(miss)} away from I`}. ${note}`,
      table: [["what", "x₁", "x₂", "z₁", "z₂"], ["W, row 1", ...w[0], "", ""], ["W, row 2", ...w[1], "", ""], ["covariance, row 1", a, b, cov[0], cov[1]], ["covariance, row 2", b, d, cov[1], cov[2]], ["first point", ...x[0].map((k, i) => k + MEAN[i]), ...z[0]]],
    };
  });
});
