/* claim: C19
title: How far is a point from the boundary?
alt: A plane cut by a straight boundary with the weights as its normal; a point that can be dragged
is joined to its foot on the boundary. Beside it the probability against the signed distance. */
live("distance", (picture) => {
  const { number, linspace } = live, D = linspace(-5, 5, 301), sigmoid = (z) => 1 / (1 + Math.exp(-z));
  const angle = picture.slider({ name: "angle", label: "Direction of w", from: 0, to: 355, step: 5, value: 30, unit: "°" });
  const norm = picture.slider({ name: "norm", label: "Length ‖w‖", from: 0.2, to: 4, step: 0.1, value: 1.2 });
  const bias = picture.slider({ name: "b", label: "Bias b", from: -3, to: 3, step: 0.1, value: -0.6 });
  const map = picture.panel({ title: "The plane, and the side that is class 1 (shaded)", x: { from: -3.2, to: 3.2, label: "x₁" }, y: { from: -1.8, to: 1.8, label: "x₂", grid: false } });
  const side = map.line("none", { fill: "c1" }), boundary = map.line("ink", { width: 2.4 }), normal = map.arrow("c1", 2.8), leg = map.line("c5", { dash: "6 4" }), corner = map.line("c5", { width: 1.2 }), feet = map.dots("c5", { r: 4.5 });
  const words = [map.text("c1", { anchor: "middle" }), map.text("c5", { anchor: "middle" })];
  const tip = picture.handle(map, { name: "x", label: "Point x", at: [1.9, 0.9] });
  const chart = picture.panel({ title: "Probability by signed distance", x: { from: -5, to: 5, label: "signed distance (w·x + b) / ‖w‖" }, y: { from: 0, to: 1, label: "probability of class 1" } });
  const curve = chart.line("c1", { width: 2.6 }), here = chart.dots("acc", { r: 5.5 }), at = chart.line("c5", { dash: "6 4", width: 1.4 });
  picture.draw(() => {
    const turn = angle.value * Math.PI / 180, w = norm.value, b = bias.value, [x, y] = tip.value;
    const n = [Math.cos(turn), Math.sin(turn)], z = w * (n[0] * x + n[1] * y) + b, d = z / w, none = Math.abs(z) < 1e-12;
    const foot = [x - d * n[0], y - d * n[1]], start = [-b / w * n[0], -b / w * n[1]]; // feet of x and of the origin
    const corners = [[0, -30], [0, 30], [30, 30], [30, -30]].map(([s, t]) => [start[0] + s * n[0] - t * n[1], start[1] + s * n[1] + t * n[0]]);
    side.set(corners.map((c) => c[0]), corners.map((c) => c[1]));
    boundary.set(corners.slice(0, 2).map((c) => c[0]), corners.slice(0, 2).map((c) => c[1]));
    // The normal stands on the boundary, in the middle of what is seen of it.
    const stand = start.every((c, i) => Math.abs(c) < [3.2, 1.8][i]) ? start : foot;
    normal.set(...stand, stand[0] + w / 2 * n[0], stand[1] + w / 2 * n[1]);
    words[0].set(stand[0] + w / 4 * n[0] - 0.3 * n[1], stand[1] + w / 4 * n[1] + 0.2 * n[0] - 0.06, "w / 2");
    leg.set([x, foot[0]], [y, foot[1]]);
    const s = Math.min(0.16, Math.abs(d)) * Math.sign(d), a = 0.16;
    corner.set([foot[0] + s * n[0], foot[0] + s * n[0] - a * n[1], foot[0] - a * n[1]], [foot[1] + s * n[1], foot[1] + s * n[1] + a * n[0], foot[1] + a * n[0]]);
    feet.set([foot]);
    words[1].set((x + foot[0]) / 2 + 0.3 * n[1], (y + foot[1]) / 2 - 0.2 * n[0] - 0.06, number(none ? 0 : d));
    curve.set(D, D.map((t) => sigmoid(w * t)));
    here.set([[d, sigmoid(z)]]);
    at.set([d, d], [0, sigmoid(z)]);
    const rule = none ? "On the boundary p is ½, and the rule p > ½ says class 0" : z > 0 ? "It lies on the side to which w points, class 1" : "It lies on the side away from w, class 0";
    return {
      say: `x = (${number(x)}, ${number(y)}): score w·x + b = ${number(none ? 0 : z)}, p = ${number(sigmoid(z))}, signed distance ${number(none ? 0 : d)}, foot at (${number(foot[0])}, ${number(foot[1])}). ${rule}. Dividing by the length of (w, b) instead would say ${number(none ? 0 : z / Math.hypot(w, b))}: the bias is no part of the normal.`,
      table: [["quantity", "first", "second"], ["w", w * n[0], w * n[1]], ["x", x, y], ["foot", ...foot], ["score, distance", z, d], ["distance of the origin, p at x", b / w, sigmoid(z)]],
    };
  });
});
