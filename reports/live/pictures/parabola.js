/* claim: C13
title: A parabola that touches the loss, and a step to its bottom
alt: Logistic loss of one weight with a parabola that touches it at a point which can be dragged; a
button moves the point to the parabola's bottom. Beside it the distance from the minimum by step. */
live("parabola", (picture) => {
  const { number, linspace, clamp } = live, W = linspace(-7, 7, 281), STEPS = 10;
  const share = picture.slider({ name: "share", label: "Share of ones", from: 0.1, to: 0.9, step: 0.02, value: 0.7 });
  picture.button("Step to its bottom", () => { if (!lost()) path.push(bottom(path.at(-1))); });
  picture.button("Back to the start", () => { path = [path[0]]; });
  const panel = picture.panel({ title: "The loss and its quadratic model", x: { from: -7, to: 7, label: "weight w" }, y: { from: 0, to: 4, label: "loss, and the model dashed" } });
  const loss = panel.line("ink", { width: 2.4 }), model = panel.line("m-newt", { dash: "7 5" }), drop = panel.line("m-newt", { width: 1.2 }), foot = panel.dots("m-newt", { r: 4.5 }), lowest = panel.dots("ink", { r: 3.5 });
  const tip = picture.handle(panel, { name: "w", label: "Weight", at: [2.4, 0], along: "x", role: "m-newt", step: 0.1 });
  const chart = picture.panel({ title: "Distance from the minimum", x: { from: 0, to: STEPS, label: "step" }, y: { from: 1e-16, to: 1e4, log: true, label: "|w − w*|" } });
  const curve = chart.line("m-newt"), dots = chart.dots("m-newt", { r: 4.5 });
  const sigmoid = (z) => 1 / (1 + Math.exp(-z));
  let q = share.value, path = [tip.value[0]], seen = path[0];
  // Samples with input 1, a share q of them labeled 1: log(1 + e^w) - q w, least at log(q / (1 - q)).
  const f = (w) => Math.max(w, 0) + Math.log1p(Math.exp(-Math.abs(w))) - q * w;
  const slope = (w) => (1 - q) * sigmoid(w) - q * sigmoid(-w), bend = (w) => sigmoid(w) * sigmoid(-w);
  const bottom = (w) => w - slope(w) / bend(w), lost = () => Math.abs(path.at(-1)) > 30;
  picture.draw(() => {
    if (share.value !== q || tip.value[0] !== seen) path = [tip.value[0] !== seen ? tip.value[0] : path[0]];
    q = share.value;
    const w = path.at(-1), best = Math.log(q / (1 - q)), [l, g, h] = [f(w), slope(w), bend(w)], next = bottom(w);
    const parabola = (x) => l + g * (x - w) + h * (x - w) ** 2 / 2;
    tip.put(clamp(w, -7, 7), clamp(f(clamp(w, -7, 7)), 0, 4));
    seen = tip.value[0];
    loss.set(W, W.map(f));
    model.set(W, W.map(parabola));
    drop.set([next, next], [parabola(next), f(next)]);
    foot.set([[next, parabola(next)]]);
    lowest.set([[best, f(best)]]);
    const gaps = path.map((x) => Math.max(Math.abs(x - best), 1e-16));
    curve.set(path.map((_, t) => t), gaps);
    dots.set(gaps.map((gap, t) => [t, gap]));
    // What undamped steps would come to from here.
    let at = w, k = 0;
    while (Math.abs(at - best) > 1e-8 && Math.abs(at) < 30 && k < 200) { at = bottom(at); k += 1; }
    const fate = Math.abs(at - best) > 1e-8 ? "From here such steps run away: the model is right near its point only, and its bottom lies too far out"
      : k ? `From here ${k} such ${k === 1 ? "step comes" : "steps come"} within 10⁻⁸ of the minimum` : "This is the minimum to eight digits";
    return {
      say: `Step ${path.length - 1}: at w = ${number(w)} the loss is ${number(l)}. ` + (lost() ? "The steps have run away, far outside of the picture; go back to the start, nearer to the minimum." : `The model's bottom lies at ${number(next)} and promises ${number(parabola(next))}; the loss there is ${number(f(next))}. ${fate}.`),
      table: [["step", "w", "loss", "slope", "curvature", "|w − w*|"], ...path.map((x, t) => [String(t), x, f(x), slope(x), bend(x), Math.abs(x - best)])],
    };
  });
});
