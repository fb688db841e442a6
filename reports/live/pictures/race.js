/* claim: C37
title: Race them yourself: drag the start, set the rates
alt: Contours of a surface with the paths of gradient descent, momentum, RMSprop and Adam from a
start that can be dragged, and their loss step by step. */
live("race", (picture) => {
  const { number, linspace, contour } = live, STEPS = 400, SHOWN = linspace(0, STEPS, STEPS + 1);
  const surfaces = {
    beale: {
      name: "Beale's function", x: { from: -2, to: 4.5 }, y: { from: -2, to: 2.5 }, start: [1, -1.5],
      levels: [0.2, 1, 3, 8, 20, 60, 200, 800], minimum: [3, 0.5], goal: "reach a loss of 0.0001", done: (w, f) => f < 1e-4,
      value: ([u, v]) => (1.5 - u + u * v) ** 2 + (2.25 - u + u * v * v) ** 2 + (2.625 - u + u * v ** 3) ** 2,
      gradient: ([u, v]) => {
        const a = 1.5 - u + u * v, b = 2.25 - u + u * v * v, c = 2.625 - u + u * v ** 3;
        return [2 * (a * (v - 1) + b * (v * v - 1) + c * (v ** 3 - 1)), 2 * u * (a + 2 * b * v + 3 * c * v * v)];
      },
    },
    saddle: {
      name: "Saddle", x: { from: -1.5, to: 1.5 }, y: { from: -1.5, to: 1.5 }, start: [1.2, 0.01],
      levels: [-1.6, -0.8, -0.2, 0, 0.2, 0.8, 1.6], goal: "leave the saddle, |w₂| > 1", done: (w) => Math.abs(w[1]) > 1,
      value: ([u, v]) => u * u - v * v, gradient: ([u, v]) => [2 * u, -2 * v],
    },
    ravine: {
      name: "Ravine", x: { from: -4, to: 4 }, y: { from: -2, to: 2 }, start: [-3.5, 1.2],
      levels: [0.1, 0.5, 2, 5, 10, 20, 40], minimum: [0, 0], goal: "reach a loss of 0.0001", done: (w, f) => f < 1e-4,
      value: ([u, v]) => (u * u + 30 * v * v) / 2, gradient: ([u, v]) => [u, 30 * v],
    },
  };
  // Each makes a step from gradient g, learning rate and step number; `s` is its memory.
  const methods = {
    "Gradient descent": ["m-gd", -2, (g, rate) => rate * g],
    Momentum: ["m-mom", -2, (g, rate, s) => rate * (s[0] = 0.9 * s[0] + g)],
    RMSprop: ["m-rms", -2, (g, rate, s) => { s[1] = 0.9 * s[1] + 0.1 * g * g; return rate * g / Math.sqrt(s[1] + 1e-7); }],
    Adam: ["m-adam", -1, (g, rate, s, t) => {
      s[0] = 0.9 * s[0] + 0.1 * g;
      s[1] = 0.999 * s[1] + 0.001 * g * g;
      return rate * (s[0] / (1 - 0.9 ** t)) / (Math.sqrt(s[1] / (1 - 0.999 ** t)) + 1e-7);
    }],
  };
  const surface = picture.choice({ name: "surface", label: "Surface", options: Object.fromEntries(Object.entries(surfaces).map(([key, s]) => [key, s.name])) });
  const rates = Object.entries(methods).map(([name, [, exponent]], i) => picture.slider({ name: "rate" + i, label: name, from: -4, to: 0, step: 0.1, value: exponent, show: (v) => "η = " + number(10 ** v, 2) }));
  const step = picture.play({ to: STEPS, value: STEPS, show: (t) => `${t} of ${STEPS}` });
  const names = Object.keys(methods);
  let key, map, chart, parts, start;
  const stand = () => { // a new surface has new axes
    key = surface.value;
    picture.stage.textContent = "";
    const s = surfaces[key];
    map = picture.panel({ title: "Paths over the contours", x: { ...s.x, label: "w₁" }, y: { ...s.y, label: "w₂", grid: false } });
    map.line("ink3", { width: 1, opacity: 0.5 }).raw(contour(map, (u, v) => s.value([u, v]), s.levels));
    if (s.minimum) map.text("ink2", { anchor: "middle" }).set(s.minimum[0], s.minimum[1], "×");
    const saddle = key === "saddle";
    chart = picture.panel({ title: saddle ? "Distance from the ridge" : "The loss", x: { from: 0, to: STEPS, label: "step" }, y: saddle ? { from: 1e-6, to: 10, log: true, label: "|w₂|" } : { from: 1e-12, to: 1e4, log: true, label: "loss" } });
    parts = names.map((name) => ({ path: map.line(methods[name][0], { width: 2 }), head: map.dots(methods[name][0], { r: 5 }), curve: chart.line(methods[name][0]), label: chart.text(methods[name][0], { anchor: "end" }) }));
    start = picture.handle(map, { name: "start", label: "Start", at: s.start });
  };
  picture.draw(() => {
    if (surface.value !== key) stand();
    const s = surfaces[key], said = [], table = [["method", "learning rate", "steps to the goal", "loss at the end"]];
    names.forEach((name, i) => {
      const update = methods[name][2], rate = 10 ** rates[i].value, memory = [[0, 0], [0, 0]];
      const w = start.value, points = [[...w]], curve = [];
      let first = -1;
      for (let t = 0; t <= STEPS; t++) {
        const value = s.value(w);
        curve.push(key === "saddle" ? Math.abs(w[1]) : Math.max(value, 1e-30));
        if (first < 0 && s.done(w, value)) first = t;
        const g = s.gradient(w);
        for (let j = 0; j < 2; j++) w[j] -= update(g[j], rate, memory[j], t + 1);
        if (!(Math.hypot(...w) < 1e6)) break; // diverged
        points.push([...w]);
      }
      const n = Math.min(step.value, points.length - 1), { path, head, curve: line, label } = parts[i];
      path.set(points.slice(0, n + 1).map((p) => p[0]), points.slice(0, n + 1).map((p) => p[1]));
      head.set([points[n]]);
      line.set(SHOWN.slice(0, n + 1), curve.slice(0, n + 1));
      label.set(STEPS, 10 ** (Math.log10(chart.y.to) - 0.9 - i * 0.075 * Math.log10(chart.y.to / chart.y.from)), name);
      const lost = points.length <= STEPS && first < 0;
      const words = lost ? "diverges" : first < 0 ? `not within ${STEPS}` : String(first);
      said.push(`${name} ${words}`);
      table.push([name, number(rate, 2), words, lost ? "∞" : number(s.value(points[points.length - 1]))]);
    });
    return { say: `Steps to ${s.goal}: ${said.join(", ")}. One start on one surface, so no evidence for any of them.`, table };
  });
});
