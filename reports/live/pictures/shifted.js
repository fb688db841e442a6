/* claim: C64
title: Push a digit by a pixel, and see what pooling keeps
alt: A digit on a grid, its feature map behind a convolution, and the pooled map. The digit can be
shifted; numbers say how much each map changed against the digit at its first place. */
live("shifted", (picture) => {
  const { number, make } = live, SIDE = 14;
  const shape = ["..####..", ".##..##.", "......#.", "....##..", "......#.", "......##", ".##..##.", "..####.."];
  const size = picture.choice({ name: "window", label: "Window", options: { 1: "none", 2: "2 × 2", 4: "4 × 4", 12: "global" }, value: 2 });
  const kind = picture.choice({ name: "kind", label: "Pooling", options: { max: "maximum", mean: "average", stride: "stride alone" } });
  const canvas = picture.panel({ title: "The digit: drag it" }), maps = picture.panel({ title: "Feature map, and what is left of it" });
  const cell = 17, LEFT = 60 + 4 * cell, TOP = 40 + 4 * cell; // middle of the digit at (0, 0)
  const grey = (v) => ["ink", 0.05 + Math.max(0, Math.min(1, v)) * 0.8];
  const pixels = canvas.cells(grey, { gap: 1 }), features = maps.cells((v) => ["c1", 0.05 + Math.min(1, v / 3) * 0.9], { gap: 1 }), pooled = maps.cells((v) => ["c6", 0.05 + Math.min(1, v / 3) * 0.9], { gap: 1 });
  const captions = [maps.text("c1"), maps.text("c6")];
  const handle = picture.handle(canvas, { name: "at", label: "Place of the digit", step: cell, at: [LEFT + 3 * cell, TOP + 3 * cell], within: { x: { from: LEFT, to: LEFT + 6 * cell }, y: { from: TOP, to: TOP + 6 * cell } } });
  handle.element.setAttribute("fill-opacity", 0.55);
  const digit = (dx, dy) => Array.from({ length: SIDE }, (_, i) => Array.from({ length: SIDE }, (_, j) => (shape[i - dy] || "")[j - dx] === "#" ? 1 : 0));
  const KERNEL = [[1, 1, 0], [1, 0, -1], [0, -1, -1]];
  const convolve = (image) => Array.from({ length: SIDE - 2 }, (_, i) => Array.from({ length: SIDE - 2 }, (_, j) => {
    let sum = 0;
    KERNEL.forEach((r, a) => r.forEach((w, b) => { sum += w * image[i + a][j + b]; }));
    return Math.max(sum, 0);
  }));
  const pool = (map, p, how) => Array.from({ length: map.length / p }, (_, i) => Array.from({ length: map.length / p }, (_, j) => {
    const block = map.slice(i * p, i * p + p).flatMap((r) => r.slice(j * p, j * p + p));
    return how === "max" ? Math.max(...block) : how === "mean" ? block.reduce((s, v) => s + v, 0) / block.length : block[0];
  }));
  const change = (a, b) => {
    const u = a.flat(), v = b.flat(), norm = Math.hypot(...v);
    return norm > 0 ? Math.hypot(...u.map((x, i) => x - v[i])) / norm : NaN;
  };
  const [dx0, dy0] = [3, 3];
  picture.draw(() => {
    const [u, v] = handle.value, dx = Math.round((u - LEFT) / cell), dy = Math.round((v - TOP) / cell);
    const p = +size.value, how = kind.value, image = digit(dx, dy), map = convolve(image), small = pool(map, p, how);
    const first = convolve(digit(dx0, dy0)), firstSmall = pool(first, p, how);
    handle.put(LEFT + dx * cell, TOP + dy * cell);
    pixels.set(image, { left: 60, top: 40, size: cell });
    features.set(map, { left: 4, top: 50, size: 15 });
    pooled.set(small, { left: 226, top: 50, size: 15 * p });
    captions[0].set(4, 44, "convolution and ReLU");
    captions[1].set(226, 44, p === 1 ? "no pooling" : `${how === "stride" ? "every" : how === "max" ? "maximum of" : "average of"} ${p} × ${p}${how === "stride" ? "th" : ""}`);
    const moved = [dx - dx0, dy - dy0], a = change(map, first), b = change(small, firstSmall);
    const exact = moved.every((m) => m % p === 0) && p < 12;
    return {
      say: `Moved by (${moved.map((m) => number(m)).join(", ")}) pixels: the map before pooling changed by ${number(100 * a)} % of its norm, the map after it by ${number(100 * b)} %. ` + (p === 12 && how !== "stride" ? "Global pooling forgets the place: nothing changes while the digit stays on the canvas." : exact && (moved[0] || moved[1]) ? `The shift is a multiple of the window, so the pooled map is the old one, moved by ${moved.map((m) => number(m / p)).join(" and ")}.` : "Pooling is exactly equivariant only to shifts by multiples of its window."),
      table: [["map", "entries", "change"], ["before pooling", String(map.length ** 2), a], ["after pooling", String(small.length ** 2), b]],
    };
  });
});
