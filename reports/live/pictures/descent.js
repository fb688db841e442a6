/* claim: C11
title: One step of gradient descent after the other
alt: Contours of a bowl that is steeper along one axis. A path leads from a point that can be
dragged towards the minimum: straight, in zigzags, or outwards, depending on the learning rate. */
live("descent", (picture) => {
  const { number, linspace, contour } = live, STEPS = 40;
  const ratio = picture.slider({ name: "kappa", label: "Condition number κ", from: 1, to: 20, step: 1, value: 8 });
  // In units of the largest stable rate 2 / L, so that 1 is the edge for every bowl.
  const rate = picture.slider({ name: "rate", label: "Learning rate × L / 2", from: 0.02, to: 1.1, step: 0.01, value: 0.9 });
  const step = picture.play({ to: STEPS, value: STEPS, show: (t) => `${t} of ${STEPS}` });
  const map = picture.panel({ title: "The path over the contours of the loss", x: { from: -3, to: 3, label: "w₁" }, y: { from: -2, to: 2, label: "w₂", grid: false } });
  const bowl = map.line("ink3", { width: 1, opacity: 0.55 }), path = map.line("m-gd"), dots = map.dots("m-gd", { r: 3 });
  const start = picture.handle(map, { name: "start", label: "Start", at: [-2.6, 1.2] });
  const chart = picture.panel({ title: "The loss, step by step", x: { from: 0, to: STEPS, label: "step" }, y: { from: 1e-10, to: 1e4, log: true, label: "loss" } });
  const curve = chart.line("m-gd"), here = chart.dots("m-gd", { r: 5 });
  const bound = chart.line("ink2", { dash: "7 5", width: 1.6 });
  let drawn;
  picture.draw(() => {
    const kappa = ratio.value, eta = rate.value * 2 / kappa; // curvatures 1 and kappa
    const loss = (u, v) => (u * u + kappa * v * v) / 2;
    if (drawn !== kappa) {
      bowl.raw(contour(map, loss, [0.05, 0.25, 1, 2.5, 5, 10, 20, 40].map((c) => c * Math.sqrt(kappa) / 2)));
      drawn = kappa;
    }
    const points = [start.value];
    for (let t = 0; t < STEPS; t++) {
      const [u, v] = points[t];
      points.push([u - eta * u, v - eta * kappa * v]);
    }
    const shown = points.slice(0, step.value + 1), losses = points.map(([u, v]) => loss(u, v)), steps = linspace(0, STEPS, STEPS + 1);
    path.set(shown.map((p) => p[0]), shown.map((p) => p[1]));
    dots.set(shown.slice(1));
    curve.set(steps, losses);
    here.set([[step.value, losses[step.value]]]);
    const factor = Math.max(Math.abs(1 - eta), Math.abs(1 - eta * kappa));
    bound.set(steps, steps.map((t) => losses[0] * factor ** (2 * t)));
    const verdict = factor < 1 - 1e-9 ? `The loss falls by at least the factor ${number(factor ** 2)} a step (dashed)`
      : factor < 1 + 1e-9 ? "At the edge 2 / L one direction neither shrinks nor grows" : "Beyond 2 / L the steep direction grows and the loss diverges";
    return {
      say: `κ = ${kappa}, learning rate ${number(eta)} = ${number(rate.value)} · 2 / L: after ${step.value} steps the loss went from ${number(losses[0])} to ${number(losses[step.value])}. ${verdict}.`,
      table: [["step", "w₁", "w₂", "loss"], ...points.map(([u, v], t) => [String(t), u, v, losses[t]]).filter((_, t) => t % 5 === 0)],
    };
  });
});
