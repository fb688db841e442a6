/* claim: C67
title: The gates of an LSTM, and what a cell remembers
alt: Diagram of an LSTM cell of one unit with the values of its gates, and its memory over time after a
single input, beside the share of the gradient that reaches back. */
live("gates", (picture) => {
  const { number, linspace, make } = live, T = 100, TIMES = linspace(0, T, T + 1), sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const forget = picture.slider({ name: "forget", label: "Forget bias", from: -3, to: 7, step: 0.1, value: 1 });
  const input = picture.slider({ name: "input", label: "Input bias", from: -5, to: 5, step: 0.1, value: 0 });
  const output = picture.slider({ name: "output", label: "Output bias", from: -5, to: 5, step: 0.1, value: 0 });
  const recurrent = picture.slider({ name: "u", label: "Recurrent weight", from: -2, to: 2, step: 0.05, value: 0 });
  const step = picture.play({ name: "t", label: "Time", to: T, value: 1, show: (t) => "t = " + t });
  const cell = picture.panel({ title: "One unit at this time" });
  const memory = picture.panel({ title: "After one input at t = 1", x: { from: 0, to: T, label: "time" }, y: { from: -1, to: 1, label: "memory c, output h" } });
  const reach = picture.panel({ title: "How much of a gradient reaches back", x: { from: 0, to: T, label: "steps back" }, y: { from: 1e-20, to: 100, log: true, label: "|∂c_T / ∂c_t|" } });
  const c = memory.line("c1", { width: 2.6 }), h = memory.line("c5", { dash: "7 5" }), now = memory.dots("acc", { r: 5 });
  const labels = [memory.text("c1"), memory.text("c5")];
  const back = reach.line("c1", { width: 2.6 }), direct = reach.line("ink", { dash: "7 5", width: 1.6 });
  const word = [reach.text("c1", { anchor: "end" }), reach.text("ink", { anchor: "end" })];
  // The diagram: the memory runs along the top; gates open and close on it.
  const wire = (d) => make("path", { d, fill: "none", stroke: "var(--ink2)", "stroke-width": 2 }, cell.svg);
  wire("M0 80H420M400 74L412 80L400 86"); wire("M60 196V80M170 196V150M250 196V150M170 150H210V80M250 150H210M330 196V180M330 80V180H420");
  const gate = {};
  [["f", 60, "forget f"], ["i", 170, "input i"], ["g", 250, "candidate g"], ["o", 330, "output o"]].forEach(([name, x, words]) => {
    const box = make("rect", { x: x - 38, y: 196, width: 76, height: 48, rx: 8, stroke: "var(--ink2)" }, cell.svg);
    make("text", { class: "tk", x, y: 214, "text-anchor": "middle" }, cell.svg, words);
    gate[name] = [box, make("text", { class: "lb", x, y: 234, "text-anchor": "middle", style: "stroke:none" }, cell.svg)];
  });
  const sign = (x, y, s) => { make("circle", { cx: x, cy: y, r: 12, fill: "var(--surface)", stroke: "var(--ink2)", "stroke-width": 2 }, cell.svg); make("text", { class: "lb", x, y: y + 5, "text-anchor": "middle", style: "stroke:none" }, cell.svg, s); };
  sign(60, 80, "×"); sign(210, 150, "×"); sign(210, 80, "+"); sign(330, 180, "×");
  make("text", { class: "tk", x: 338, y: 130 }, cell.svg, "tanh");
  const state = [make("text", { class: "lb", x: 0, y: 66 }, cell.svg), make("text", { class: "lb", x: 420, y: 66, "text-anchor": "end" }, cell.svg), make("text", { class: "lb", x: 420, y: 172, "text-anchor": "end" }, cell.svg), make("text", { class: "tk", x: 0, y: 280 }, cell.svg)];
  picture.draw(() => {
    const u = recurrent.value, cs = [0], hs = [0], rows = [{ f: sigmoid(forget.value), i: sigmoid(input.value), g: 0, o: sigmoid(output.value) }], slopes = [1];
    let dh = 0; // ∂h_t / ∂c_t, by which the last output enters the next gates
    for (let t = 1; t <= T; t++) {
      const x = t === 1 ? 2 : 0, [f, i, o] = [forget, input, output].map((b) => sigmoid(u * hs[t - 1] + b.value)), g = Math.tanh(x + u * hs[t - 1]);
      cs.push(f * cs[t - 1] + i * g);
      hs.push(o * Math.tanh(cs[t]));
      rows.push({ f, i, g, o });
      // total derivative of c_t to c_{t-1}: the direct path, and that through h_{t-1}
      slopes.push(f + dh * u * (f * (1 - f) * cs[t - 1] + i * (1 - i) * g + i * (1 - g * g)));
      dh = o * (1 - Math.tanh(cs[t]) ** 2);
    }
    const k = step.value, row = rows[k];
    for (const name of ["f", "i", "g", "o"]) {
      gate[name][1].textContent = number(row[name]);
      gate[name][0].setAttribute("fill", row[name] < 0 ? "var(--c5)" : "var(--c1)");
      gate[name][0].setAttribute("fill-opacity", (0.06 + 0.3 * Math.abs(row[name])).toFixed(2));
    }
    state[0].textContent = `c before: ${number(k ? cs[k - 1] : 0)}`;
    state[1].textContent = `c = ${number(cs[k])}`;
    state[2].textContent = `h = ${number(hs[k])}`;
    state[3].textContent = `t = ${k}, input x = ${k === 1 ? 2 : 0}, h before: ${number(k ? hs[k - 1] : 0)}`;
    c.set(TIMES, cs); h.set(TIMES, hs); now.set([[k, cs[k]]]);
    labels[0].set(60, Math.min(cs[60] + 0.12, 0.95), "memory c");
    labels[1].set(30, hs[30] - 0.14, "output h");
    const product = [1], straight = [1];
    for (let s = 1; s <= T; s++) { product.push(product[s - 1] * Math.abs(slopes[T + 1 - s])); straight.push(straight[s - 1] * rows[T + 1 - s].f); }
    back.set(TIMES, product.map((v) => Math.max(v, 1e-40)));
    direct.set(TIMES, straight);
    word[0].set(98, 1.5e1, "through the whole cell");
    word[1].set(98, 3e-1, "dashed: product of forget gates");
    const f = sigmoid(forget.value), half = Math.log(0.5) / Math.log(f);
    return {
      say: `At rest the forget gate lets ${number(f)} of the memory through: half of it is gone after ${number(half)} steps, and over ${T} steps ${number(f ** T)} is left. ${half < 10 ? "This LSTM forgets as fast as a plain recurrent network; the bias decides, not the architecture." : half < 60 ? "It bridges some tens of steps." : "It holds its memory over the whole sequence."}`,
      table: [["time", "memory c", "output h", "forget gate"], ...TIMES.filter((t) => t % 10 === 0).map((t) => [String(t), cs[t], hs[t], rows[t].f])],
    };
  });
});
