/* claim: C27
title: Backpropagation, node by node
alt: Computation graph of a loss with two weights. Stepping forward fills in values from left to right,
stepping on sends the derivative of the loss back from right to left. */
live("sweep", (picture) => {
  const { number, make } = live;
  // loss = (y - tanh(w x + b))² / 2: node -> [column, row, parents, value, local derivatives].
  const NODES = {
    x: [0, 0, [], (v, input) => input.x], w: [0, 1, [], (v, input) => input.w],
    b: [1, 2, [], (v, input) => input.b],
    p: [1, 0.5, ["w", "x"], (v) => v.w * v.x, (v) => [v.x, v.w], "p = w x"],
    z: [2, 1, ["p", "b"], (v) => v.p + v.b, () => [1, 1], "z = p + b"],
    a: [3, 1, ["z"], (v) => Math.tanh(v.z), (v) => [1 - v.a ** 2], "a = tanh z"],
    y: [3, 2, [], (v, input) => input.y],
    e: [4, 1.5, ["a", "y"], (v) => v.a - v.y, () => [1, -1], "e = a − y"],
    L: [5, 1.5, ["e"], (v) => v.e ** 2 / 2, (v) => [v.e], "ℒ = e² / 2"],
  };
  const names = Object.keys(NODES), inner = names.filter((n) => NODES[n][2].length), back = [...inner].reverse();
  const inputs = { x: 1.5, w: -0.8, b: 0.4, y: 0.9 };
  const sliders = Object.entries(inputs).map(([name, value]) => [name, picture.slider({ name, label: { x: "Input x", w: "Weight w", b: "Bias b", y: "Target y" }[name], from: -2, to: 2, step: 0.1, value })]);
  const last = inner.length + back.length;
  const step = picture.play({ to: last, value: last, seconds: 8, show: (t) => t === 0 ? "start" : t <= inner.length ? `forward ${t}` : `backward ${t - inner.length}` });
  const graph = picture.panel({ title: "Values go forward, derivatives come back", height: 250 });
  graph.svg.setAttribute("viewBox", "0 0 620 260");
  graph.svg.style.maxWidth = "760px";
  picture.stage.style.gridTemplateColumns = "minmax(0, 1fr)";
  graph.svg.querySelector("clipPath rect").setAttribute("width", 620);
  const place = (name) => [46 + NODES[name][0] * 105, 66 + NODES[name][1] * 78];
  const edges = [], parts = {};
  for (const name of inner) for (const parent of NODES[name][2]) {
    const [u, v] = place(parent), [s, t] = place(name), r = Math.hypot(s - u, t - v), cut = 27 / r;
    const from = [u + (s - u) * cut, v + (t - v) * cut], to = [s - (s - u) * cut, t - (t - v) * cut];
    const line = graph.arrow("ink3", 1.6);
    const label = make("text", { class: "tk", x: (from[0] + to[0]) / 2, y: (from[1] + to[1]) / 2 - 5, "text-anchor": "middle", style: "paint-order:stroke;stroke:var(--surface);stroke-width:4px;fill:var(--ref)" }, graph.svg);
    edges.push({ name, parent, from, to, line, label });
  }
  for (const name of names) {
    const [u, v] = place(name);
    const circle = make("circle", { cx: u, cy: v, r: 25, fill: "var(--surface)", stroke: "var(--ink2)", "stroke-width": 1.6 }, graph.svg);
    make("text", { class: "lb", x: u, y: v - 4, "text-anchor": "middle", style: "stroke:none" }, graph.svg, name === "L" ? "ℒ" : name);
    const value = make("text", { class: "tk", x: u, y: v + 12, "text-anchor": "middle", style: "fill:var(--ink)" }, graph.svg);
    const delta = make("text", { class: "lb", x: u, y: v + 41, "text-anchor": "middle", style: "fill:var(--ref)" }, graph.svg);
    parts[name] = { circle, value, delta };
  }
  picture.draw(() => {
    const given = Object.fromEntries(sliders.map(([name, s]) => [name, s.value])), t = step.value;
    const v = {}, delta = { L: 1 }, jacobians = {};
    for (const name of names) v[name] = NODES[name][3](v, given);
    for (const name of back) {
      jacobians[name] = NODES[name][4](v);
      NODES[name][2].forEach((parent, i) => { delta[parent] = (delta[parent] || 0) + delta[name] * jacobians[name][i]; });
    }
    const forward = inner.slice(0, t), backward = back.slice(0, Math.max(0, t - inner.length));
    const known = new Set([...names.filter((n) => !NODES[n][2].length), ...forward]);
    const told = new Set(backward.length ? ["L", ...backward.flatMap((n) => NODES[n][2])] : []);
    const current = t <= inner.length ? forward[forward.length - 1] : backward[backward.length - 1];
    for (const name of names) {
      parts[name].value.textContent = known.has(name) ? number(v[name]) : "?";
      parts[name].delta.textContent = told.has(name) ? `Δ = ${number(delta[name])}` : "";
      parts[name].circle.setAttribute("stroke", name === current ? "var(--acc)" : "var(--ink2)");
      parts[name].circle.setAttribute("stroke-width", name === current ? 4 : 1.6);
    }
    for (const edge of edges) {
      const sent = backward.includes(edge.name), i = NODES[edge.name][2].indexOf(edge.parent);
      edge.line.element.setAttribute("stroke", sent ? "var(--ref)" : "var(--ink3)");
      if (sent) edge.line.set(...edge.to, ...edge.from);
      else edge.line.set(...edge.from, ...edge.to);
      edge.label.textContent = sent ? "× " + number(jacobians[edge.name][i]) : "";
    }
    let say = "Values of the leaves are given; nothing is computed yet.";
    if (current && t <= inner.length) say = `Forward ${t} of ${inner.length}: ${NODES[current][5]} = ${number(v[current])}.`;
    else if (current) say = `Backward ${t - inner.length} of ${back.length}: ${current === "L" ? "ℒ" : current} has Δ = ∂ℒ/∂${current === "L" ? "ℒ" : current} = ${number(delta[current])} and sends ` + NODES[current][2].map((p, i) => `${number(delta[current])} × ${number(jacobians[current][i])} = ${number(delta[current] * jacobians[current][i])} to ${p}`).join(", ") + ".";
    if (t === last) say += ` Done: ∂ℒ/∂w = ${number(delta.w)}, ∂ℒ/∂b = ${number(delta.b)}. One sweep gave every derivative.`;
    return { say, table: [["node", "value", "derivative of the loss"], ...names.map((n) => [n === "L" ? "ℒ" : n, v[n], delta[n]])] };
  });
});
