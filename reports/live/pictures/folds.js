/* claim: C58
title: Hold-out, K folds, and folds in folds
alt: Rows of data, one a split: which samples train, which choose, which test. Below, how the estimated
error of one model scatters over repetitions for hold-out and for K folds. */
live("folds", (picture) => {
  const { number, linspace, random } = live, N = 30, REPEATS = 300;
  const scheme = picture.choice({ name: "scheme", label: "Scheme", options: { holdout: "hold-out (the slide)", kfold: "K-fold", nested: "nested K-fold" }, value: "kfold" });
  const folds = picture.slider({ name: "k", label: "Folds K", from: 2, to: 10, step: 1, value: 5 });
  const step = picture.play({ name: "split", label: "Split", to: 10, value: 10, seconds: 4 });
  const diagram = picture.panel({ title: "Who trains, who is scored", height: 300 });
  const ROLE = { train: ["c1", 0.35], choose: ["c5", 0.9], test: ["c6", 0.9], idle: ["grid", 0.6] };
  const cells = diagram.cells((state) => ROLE[state], { gap: 2 });
  const key = ["c1", "c5", "c6"].map((role) => diagram.text(role));
  const said = [["trains", 0], ["scores, and so chooses", 70], ["tests the choice, once", 235]];
  const chart = picture.panel({ title: "The estimate over 300 data sets", height: 300, x: { from: 0, to: 0.25, label: "estimated squared error" }, y: { from: 0, to: 0.6, label: "share" } });
  const bars = { holdout: chart.bars("c5", 0.0115, 0.55), kfold: chart.bars("c1", 0.0115, 0.55) };
  const words = { holdout: chart.text("c5", { anchor: "end" }), kfold: chart.text("c1", { anchor: "end" }) };
  const order = (() => { // a shuffled order of the samples
    const { uniform } = random(3), list = Array.from({ length: N }, (_, i) => i);
    for (let i = N - 1; i > 0; i--) { const j = Math.floor(uniform() * (i + 1)); [list[i], list[j]] = [list[j], list[i]]; }
    return list;
  })();
  const fold = (i, k) => Math.floor(order[i] * k / N);
  const rowsOf = (kind, k) => kind === "holdout"
    ? [Array.from({ length: N }, (_, i) => fold(i, k) === k - 1 ? "choose" : "train")]
    : Array.from({ length: k }, (_, split) => Array.from({ length: N }, (_, i) => {
      if (fold(i, k) === split) return kind === "nested" ? "test" : "choose";
      return kind === "nested" && fold(i, k) === (split + 1) % k ? "choose" : "train";
    }));
  // The error of a cubic fitted to 30 noisy samples of a cubic, as each scheme estimates it.
  const estimates = (k) => {
    const truth = (x) => 1.5 * x ** 3 - x, found = { holdout: [], kfold: [] };
    const fit = (xs, ys) => { // least squares by Gaussian elimination on the normal equations
      const a = Array.from({ length: 4 }, (_, i) => Array.from({ length: 5 }, (_, j) => xs.reduce((s, x, n) => s + x ** i * (j < 4 ? x ** j : ys[n]), 0)));
      for (let i = 0; i < 4; i++) for (let r = i + 1; r < 4; r++) { const m = a[r][i] / a[i][i]; for (let j = i; j < 5; j++) a[r][j] -= m * a[i][j]; }
      const w = [0, 0, 0, 0];
      for (let i = 3; i >= 0; i--) w[i] = (a[i][4] - w.reduce((s, v, j) => s + (j > i ? a[i][j] * v : 0), 0)) / a[i][i];
      return (x) => w.reduce((s, v, j) => s + v * x ** j, 0);
    };
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const { uniform, normal } = random(100 + repeat), xs = order.map(() => 2 * uniform() - 1), ys = xs.map((x) => truth(x) + 0.2 * normal());
      const scores = Array.from({ length: k }, (_, split) => {
        const out = order.map((_, i) => fold(i, k) === split);
        const f = fit(xs.filter((_, i) => !out[i]), ys.filter((_, i) => !out[i]));
        const errors = xs.map((x, i) => (f(x) - ys[i]) ** 2).filter((_, i) => out[i]);
        return errors.reduce((s, e) => s + e, 0) / errors.length;
      });
      found.holdout.push(scores[k - 1]);
      found.kfold.push(scores.reduce((s, v) => s + v, 0) / k);
    }
    return found;
  };
  const median = (v) => [...v].sort((a, b) => a - b)[v.length >> 1];
  const middle = (v) => { const s = [...v].sort((a, b) => a - b); return s[Math.floor(0.75 * s.length)] - s[Math.floor(0.25 * s.length)]; };
  let known, found;
  picture.draw(() => {
    const k = folds.value;
    if (known !== k) { found = estimates(k); known = k; step.input.max = k; step.put(Math.min(step.value, k)); }
    const rows = rowsOf(scheme.value, k).map((row, split) => split < step.value || scheme.value === "holdout" ? row : row.map(() => "idle"));
    cells.set(rows, { left: 2, top: 60, size: 13.8 });
    said.forEach(([words, x], i) => { key[i].set(x, 46, words); key[i].show(i < 2 || scheme.value === "nested"); });
    const bins = linspace(0.005, 0.245, 25);
    for (const name of ["holdout", "kfold"]) {
      const counts = bins.map(() => 0);
      for (const v of found[name]) counts[Math.min(Math.floor(v / 0.01), 24)] += 1 / REPEATS;
      bars[name].set(bins, counts.map((c) => Math.min(c, 0.6)));
    }
    words.kfold.set(0.24, 0.52, `${k}-fold: half lie within ${number(middle(found.kfold), 2)}`);
    words.holdout.set(0.24, 0.45, `hold-out: half lie within ${number(middle(found.holdout), 2)}`);
    const meaning = {
      holdout: `One split: ${Math.round(N / k)} of ${N} samples score, ${N - Math.round(N / k)} train. This is what the slide calls cross-validation.`,
      kfold: `${k} splits: every sample scores once. The score that chose the model is still flattered by the choice.`,
      nested: `${k} outer splits: the fold that tests takes no part in the choice, which inner folds make (one of them is shown).`,
    };
    return {
      say: `${meaning[scheme.value]} Estimated error of one model: median ${number(median(found.holdout), 2)} by hold-out, ${number(median(found.kfold), 2)} by ${k} folds, which scatter ${number(middle(found.holdout) / middle(found.kfold), 2)} times less.`,
      table: [["scheme", "median", "interquartile range"], ["hold-out", median(found.holdout), middle(found.holdout)], [`${k}-fold`, median(found.kfold), middle(found.kfold)]],
    };
  });
});
