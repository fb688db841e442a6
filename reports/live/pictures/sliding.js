/* claim: C60
title: A kernel slides; its row of the matrix moves along
alt: An image of eight by eight pixels with a kernel over it, the output it makes, and the matrix of the
same linear map, in which each output is one row with the kernel's weights. */
live("sliding", (picture) => {
  const { number, make } = live, SIDE = 8;
  const KERNELS = {
    edge: ["edge, left to right", [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]],
    nine: ["nine different weights", [[1, -2, 0.5], [3, -1, 2], [-0.5, 1.5, -3]]],
    corner: ["corner, not symmetric", [[2, 1, 0], [1, 0, -1], [0, 0, -1]]],
    blur: ["blur", [[1, 2, 1], [2, 4, 2], [1, 2, 1]].map((r) => r.map((v) => v / 16))],
    point: ["one pixel, off center", [[0, 0, 1], [0, 0, 0], [0, 0, 0]]],
  };
  const which = picture.choice({ name: "kernel", label: "Kernel", options: Object.fromEntries(Object.entries(KERNELS).map(([k, [n]]) => [k, n])), value: "nine" });
  const stride = picture.slider({ name: "stride", label: "Stride", from: 1, to: 3, step: 1, value: 1 });
  const flip = picture.toggle({ name: "flip", label: "flip it: true convolution" });
  const step = picture.play({ name: "output", label: "Output", to: 35, value: 14, seconds: 9, show: (t) => `number ${t + 1}` });
  const random = live.random(5);
  const image = Array.from({ length: SIDE }, (_, i) => Array.from({ length: SIDE }, (_, j) => // a bent stroke, with a little noise
    Math.max(0, Math.min(1, Math.exp(-((j - 2 - i * i / 14) ** 2)) + Math.exp(-((i - 5) ** 2) - ((j - 5) ** 2) / 6) + 0.06 * random.normal()))));
  const maps = picture.panel({ title: "Image and output" }), matrix = picture.panel({ title: "The same as a matrix: one row an output" });
  const grey = (v) => ["ink", Math.max(0, Math.min(1, v)) * 0.85];
  const signed = (v) => [v < 0 ? "c5" : "c1", Math.min(1, Math.abs(v) / 3)];
  const pixels = maps.cells(grey, { gap: 1 }), outputs = maps.cells(signed, { gap: 1 }), weights = matrix.cells(signed, { gap: 0.5 });
  const windowed = make("rect", { fill: "none", stroke: "var(--acc)", "stroke-width": 3 }, maps.svg), marked = make("rect", { fill: "none", stroke: "var(--acc)", "stroke-width": 3 }, maps.svg);
  const row = make("rect", { fill: "none", stroke: "var(--acc)", "stroke-width": 1.6 }, matrix.svg);
  const frame = make("rect", { fill: "none", stroke: "var(--line)", x: 8, y: 40, width: 400 }, matrix.svg);
  const note = maps.text("ink2");
  picture.draw(() => {
    const n = stride.value, out = Math.floor((SIDE - 3) / n) + 1, outs = out * out;
    step.input.max = outs - 1;
    step.put(Math.min(step.value, outs - 1));
    let kernel = KERNELS[which.value][1];
    if (flip.value) kernel = kernel.map((r) => [...r].reverse()).reverse();
    const rows = Array.from({ length: outs }, (_, k) => {
      const [i, j] = [Math.floor(k / out) * n, k % out * n], line = new Array(SIDE * SIDE).fill(0);
      kernel.forEach((r, a) => r.forEach((w, b) => { line[(i + a) * SIDE + j + b] = w; }));
      return line;
    });
    const flat = image.flat(), result = rows.map((line) => line.reduce((s, w, i) => s + w * flat[i], 0));
    const k = step.value, [i, j] = [Math.floor(k / out), k % out];
    pixels.set(image, { left: 4, top: 40, size: 27 });
    outputs.set(Array.from({ length: out }, (_, r) => result.slice(r * out, (r + 1) * out)), { left: 250, top: 40, size: 27 });
    const put = (rect, x, y, w, h) => Object.entries({ x, y, width: w, height: h }).forEach(([key, v]) => rect.setAttribute(key, v));
    put(windowed, 4 + j * n * 27, 40 + i * n * 27, 80, 80);
    put(marked, 250 + j * 27, 40 + i * 27, 26, 26);
    const size = 400 / (SIDE * SIDE);
    weights.set(rows, { left: 8, top: 40, size });
    frame.setAttribute("height", outs * size);
    put(row, 8, 40 + k * size - 0.5, 400, size + 1);
    note.set(4, 282, `${SIDE} × ${SIDE} in, ${out} × ${out} out`);
    const nonzero = rows.flat().filter((v) => v !== 0).length;
    const sum = kernel.flat().map((w, m) => [w, image[i * n + Math.floor(m / 3)][j * n + m % 3]]).filter(([w]) => w !== 0);
    return {
      say: `Output ${k + 1} = ${sum.slice(0, 4).map(([w, x]) => `${number(w, 2)} · ${number(x, 2)}`).join(" + ")}${sum.length > 4 ? " + …" : ""} = ${number(result[k])}. As a matrix: ${outs} × ${SIDE * SIDE} entries, ${nonzero} of them not zero, and only ${new Set(kernel.flat().filter((v) => v !== 0)).size} different weights. ${flip.value ? "With the kernel flipped this is the convolution of mathematics." : "Without flipping, as on the slide, it is a cross-correlation."}`,
      table: [["output", "value"], ...result.map((v, m) => [String(m + 1), v])],
    };
  });
});
