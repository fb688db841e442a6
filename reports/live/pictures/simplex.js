/* claim: C08
title: Three logits, one point of the simplex
alt: A triangle whose corners are the classes. Its point has the three probabilities as distances from
the sides and can be dragged; bars show logits and probabilities. */
live("simplex", (picture) => {
  const { number, clamp } = live, CLASSES = ["a", "b", "c"], ROLES = ["c1", "c5", "c6"];
  const CORNERS = [[60, 268], [360, 268], [210, 268 - 130 * Math.sqrt(3)]];
  const logits = CLASSES.map((name, i) => picture.slider({ name: "z" + name, label: `Logit of ${name}`, from: -4, to: 4, step: 0.05, value: [1, 0, -0.5][i], show: (v) => number(v) }));
  const temperature = picture.slider({ name: "temperature", label: "Temperature", from: -1, to: 1, step: 0.05, value: 0, show: (v) => number(10 ** v, 2) });
  const triangle = picture.panel({ title: "Probabilities are a point of the simplex" });
  triangle.line("ink2", { width: 1.4 }).raw(`M${CORNERS.map((c) => c.join(" ")).join("L")}Z`);
  for (const share of [0.25, 0.5, 0.75]) CORNERS.forEach((corner, i) => {
    const [p, q] = [1, 2].map((k) => CORNERS[(i + k) % 3]).map((other) => corner.map((v, j) => share * v + (1 - share) * other[j]));
    triangle.line("grid", { width: 1 }).raw(`M${p.join(" ")}L${q.join(" ")}`);
  });
  CORNERS.forEach((corner, i) => triangle.text(ROLES[i], { anchor: "middle" }).set(corner[0], corner[1] + (i < 2 ? 22 : -10), `class ${CLASSES[i]}`));
  const place = (p) => [0, 1].map((j) => p.reduce((sum, share, i) => sum + share * CORNERS[i][j], 0));
  const frame = { x: { from: 60, to: 360 }, y: { from: CORNERS[2][1], to: 268 } };
  const point = picture.handle(triangle, { name: "point", label: "Probabilities", at: place([0.5, 0.3, 0.2]), within: frame });
  delete picture.values.point; // the logits say it all
  const bars = picture.panel({ title: "Softmax of the logits", x: { from: -0.6, to: 2.6, ticks: [0, 1, 2], names: (i) => CLASSES[i] }, y: { from: 0, to: 1, label: "probability" } });
  const bar = ROLES.map((role) => bars.bars(role, 0.6)), words = ROLES.map((role) => bars.text(role, { anchor: "middle" }));
  // Where a place in the triangle came from: its probabilities, pulled off the border.
  const probabilities = ([u, v]) => {
    const c = clamp((268 - v) / (268 - CORNERS[2][1]), 0, 1), b = clamp((u - 60 - c * 150) / 300, 0, 1 - c);
    const p = [1 - b - c, b, c].map((share) => Math.max(share, 1e-3));
    return p.map((share) => share / (p[0] + p[1] + p[2]));
  };
  let last = point.value;
  picture.draw(() => {
    const scale = 10 ** temperature.value, now = point.value;
    if (now[0] !== last[0] || now[1] !== last[1]) { // dragged: the logits follow, their mean stays
      const logs = probabilities(now).map((share) => scale * Math.log(share)), mean = (logs[0] + logs[1] + logs[2]) / 3;
      const kept = logits.reduce((sum, z) => sum + z.value, 0) / 3;
      logits.forEach((z, i) => { z.put(clamp(logs[i] - mean + kept, -4, 4)); });
      last = now;
    }
    const z = logits.map((logit) => logit.value), top = Math.max(...z);
    const e = z.map((v) => Math.exp((v - top) / scale)), sum = e[0] + e[1] + e[2], p = e.map((v) => v / sum);
    const [u, v] = place(p);
    last = [u, v];
    point.put(u, v);
    p.forEach((share, i) => { bar[i].set([i], [share]); words[i].set(i, share + 0.03, number(share, 2)); });
    const entropy = -p.reduce((s, share) => s + (share > 0 ? share * Math.log2(share) : 0), 0);
    return {
      say: `softmax(${z.map((x) => number(x)).join(", ")}) = (${p.map((share) => number(share)).join(", ")}): all positive, with sum 1. Adding a constant to all logits changes nothing; entropy ${number(entropy)} of at most ${number(Math.log2(3))} bits.`,
      table: [["class", "logit", "probability"], ...CLASSES.map((name, i) => [name, z[i], p[i]])],
    };
  });
});
