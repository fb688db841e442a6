/* claim: C65
title: Unroll the cell: one weight, a gradient from every step
alt: A recurrent cell of one unit, folded with a loop or unrolled into a chain of equal cells, beside
bars of what each step's copy of a weight adds to its gradient, and their sum. */
live("unrolled", (picture) => {
  const { number, make, linspace } = live, MOST = 8;
  const X = [0.6, -0.5, 0.4, 0.7, -0.6, 0.5, -0.3, 0.4], Y = [0.5, -0.4, 0.6, 0.3, -0.5, -0.5, 0.4, -0.6], WX = 0.7, B = 0.1;
  const open = picture.toggle({ name: "open", label: "unrolled in time", value: true });
  const steps = picture.slider({ name: "steps", label: "Steps T", from: 1, to: MOST, step: 1, value: 6 });
  const recurrent = picture.slider({ name: "w", label: "Recurrent weight", from: -1.2, to: 1.2, step: 0.05, value: 0.8 });
  const losses = picture.choice({ name: "loss", label: "Loss", options: { last: "at the last step", every: "at every step" } });
  const which = picture.choice({ name: "weight", label: "Gradient of", options: { h: "W_h, recurrent", x: "W_x, of the input" } });
  const net = picture.panel({ title: "h ← tanh(W_h h + W_x x + b)", label: "Diagram of the cell" });
  const panel = picture.panel({ title: "What every copy adds to the gradient", x: { from: 0.3, to: MOST + 1.7, label: "step t", ticks: linspace(1, MOST + 1, MOST + 1), names: (t) => t > MOST ? "sum" : String(t) }, y: { from: -4, to: 4, label: "∂L/∂(copy of the weight)" } });
  const bars = panel.bars("c1", 0.7), total = panel.bars("ink", 0.7), zero = panel.line("ink3", { width: 1 });
  zero.set([0, 10], [0, 0]);
  const group = make("g", { fill: "none", stroke: "var(--ink2)", "stroke-width": 2 }, net.svg), letters = make("g", {}, net.svg);
  const write = (x, y, words, className = "tk") => make("text", { class: className, x, y, "text-anchor": "middle", style: "stroke:none" }, letters, words);
  const arrow = (x0, y0, x1, y1) => {
    const l = Math.hypot(x1 - x0, y1 - y0), [ex, ey] = [(x1 - x0) / l * 6, (y1 - y0) / l * 6];
    make("path", { d: `M${x0} ${y0}L${x1} ${y1}M${x1 - ex - ey / 2} ${y1 - ey + ex / 2}L${x1} ${y1}L${x1 - ex + ey / 2} ${y1 - ey - ex / 2}` }, group);
  };
  const cell = (x, words) => {
    make("circle", { cx: x, cy: 150, r: 17, fill: "var(--c1)", "fill-opacity": 0.2 }, group);
    if (words) write(x, 154, words);
  };
  const diagram = (T, h, counted) => {
    group.textContent = letters.textContent = "";
    if (!open.value) {
      arrow(210, 222, 210, 168); arrow(210, 132, 210, 84);
      make("path", { d: "M227 146C300 110 300 190 228 155M236 150L228 155L237 160" }, group);
      cell(210, "h"); write(236, 200, "W_x"); write(300, 154, "W_h"); write(210, 238, "x₁, x₂, …, one a step"); write(210, 72, "loss L");
      return;
    }
    const gap = Math.min(90, 372 / T), at = (t) => 24 + gap * t;
    cell(at(0), "0");
    for (let t = 1; t <= T; t++) {
      arrow(at(t - 1) + 17, 150, at(t) - 18, 150); arrow(at(t), 212, at(t), 168);
      if (counted(t)) { arrow(at(t), 132, at(t), 92); write(at(t), 84, "L" + "₀₁₂₃₄₅₆₇₈"[t]); }
      cell(at(t)); write(at(t), 154, (Math.round(h[t] * 10) / 10 || 0).toFixed(1).replace("-", "−")); write(at(t), 228, String(X[t - 1]).replace("-", "−"));
    }
    write(at(0), 228, "x:"); write(at(0), 190, "h₀");
    write(210, 262, `W_h, W_x, b: the same in ${T === 1 ? "the one cell" : `all ${T} cells`}`);
  };
  picture.draw(() => {
    const T = steps.value, w = recurrent.value, h = [0], counted = (t) => losses.value === "every" || t === T;
    for (let t = 1; t <= T; t++) h.push(Math.tanh(w * h[t - 1] + WX * X[t - 1] + B));
    const enters = (t) => ({ h: h[t - 1], x: X[t - 1] })[which.value], slope = (t) => 1 - h[t] ** 2;
    const parts = [];
    for (let t = T, back = 0; t >= 1; t--) { // back: dL/dh_t, what comes from later steps and its own loss
      back += counted(t) ? h[t] - Y[t - 1] : 0;
      parts[t - 1] = back * slope(t) * enters(t);
      back *= slope(t) * w;
    }
    const sum = parts.reduce((s, v) => s + v, 0);
    let tangent = 0, forward = 0; // the same derivative, carried forward with the state
    for (let t = 1; t <= T; t++) {
      tangent = slope(t) * (enters(t) + w * tangent);
      if (counted(t)) forward += (h[t] - Y[t - 1]) * tangent;
    }
    diagram(T, h, counted);
    bars.show(open.value);
    bars.set(parts.map((_, t) => t + 1), parts);
    total.set([MOST + 1], [sum]);
    const name = { h: "W_h", x: "W_x" }[which.value], size = parts.map(Math.abs), largest = size.indexOf(Math.max(...size)) + 1, clean = (v) => Math.abs(v) < 1e-15 ? 0 : v;
    return {
      say: open.value ? `Unrolled over ${T} step${T > 1 ? "s" : ""}, the copies of ${name} add to the gradient ${parts.map((v) => number(clean(v), 2)).join(", ")}${T > 1 && size[largest - 1] > 0 ? `; the one of step ${largest} is the largest in size` : ""}. Their sum is ${number(clean(sum), 4)}, and the derivative carried forward through the recursion is ${number(clean(forward), 4)}.`
        : `Folded, there is one ${name} and one gradient, ${number(clean(forward), 4)}: the sum of what ${T === 1 ? "the one step adds" : `${T} steps add`}.`,
      table: [["step", "input x", "target y", "state h", "adds"], ...parts.map((v, t) => [String(t + 1), X[t], Y[t], h[t + 1], v]), ["sum", "", "", "", sum]],
    };
  });
});
