/* claim: B4
title: Rotate, then convolve; convolve, then rotate
alt: A square of four maps. Two ways lead from an image to a feature map: rotating first and convolving
then, or the other way round. Their difference is zero where the layer knows the rotation. */
live("square", (picture) => {
  const { number, make } = live, SIDE = 9;
  const layer = picture.choice({ name: "layer", label: "Layer", options: { p4: "p4 lifting, all four orientations", pooled: "p4, largest orientation", plain: "plain convolution", blur: "plain, symmetric kernel" } });
  const turn = picture.choice({ name: "turn", label: "Act by", options: { 1: "rotation by 90°", 2: "rotation by 180°", shift: "shift by a pixel" } });
  const board = picture.panel({ title: "Two ways around the square", height: 330 });
  board.svg.setAttribute("viewBox", "0 0 640 330");
  board.svg.style.maxWidth = "760px";
  board.svg.querySelector("clipPath rect").setAttribute("width", 640);
  picture.stage.style.gridTemplateColumns = "minmax(0, 1fr)";
  const grey = (v) => ["ink", 0.04 + Math.max(0, Math.min(1, v)) * 0.85], blue = (v) => ["c1", 0.04 + Math.min(1, Math.abs(v) / 4) * 0.9];
  const cells = { image: board.cells(grey, { gap: 0.6 }), turned: board.cells(grey, { gap: 0.6 }), map: board.cells(blue, { gap: 0.4 }), mapTurned: board.cells(blue, { gap: 0.4 }), turnedMap: board.cells(blue, { gap: 0.4 }) };
  const caption = (x, y, words, anchor = "start") => make("text", { class: "tk", x, y, "text-anchor": anchor }, board.svg, words);
  const arrow = (...p) => board.arrow("ink2", 1.8).set(...p);
  caption(0, 42, "image"); caption(0, 207, "acted on"); caption(190, 42, "layer's maps"); caption(190, 207, "acted on, then the layer"); caption(430, 207, "the layer, then acted on");
  arrow(112, 96, 170, 96); arrow(112, 262, 170, 262); arrow(50, 152, 50, 190); arrow(352, 130, 430, 196);
  const equal = make("text", { class: "pt", x: 392, y: 268, "text-anchor": "middle" }, board.svg);
  const shape = [".........", "..##.....", "..##.....", "..#......", "..#......", "..####...", ".....#...", ".........", "........."];
  const image = shape.map((r) => [...r].map((c) => +(c === "#")));
  const rotate = (m) => m[0].map((_, j) => m.map((r) => r[m[0].length - 1 - j])); // counterclockwise
  const times = (f, k, m) => k ? times(f, k - 1, f(m)) : m;
  const shift = (m) => m.map((r) => [0, ...r.slice(0, -1)]);
  const SKEW = [[1, 2, 0], [0, 1, -1], [0, -1, -1]], SOFT = [[1, 2, 1], [2, 4, 2], [1, 2, 1]].map((r) => r.map((v) => v / 4));
  const correlate = (m, k) => m.map((r, i) => r.map((_, j) => { // zero padding
    let s = 0;
    k.forEach((row, a) => row.forEach((w, b) => { s += w * ((m[i + a - 1] || [])[j + b - 1] || 0); }));
    return Math.max(s, 0);
  }));
  const apply = (kind, m) => {
    if (kind === "plain") return [correlate(m, SKEW)];
    if (kind === "blur") return [correlate(m, SOFT)];
    const maps = [0, 1, 2, 3].map((r) => correlate(m, times(rotate, r, SKEW)));
    return kind === "p4" ? maps : [maps[0].map((row, i) => row.map((_, j) => Math.max(...maps.map((q) => q[i][j]))))];
  };
  // How the group acts on the output: each map turns, and the four orientations move on by one.
  const act = (kind, how, maps) => {
    if (how === "shift") return maps.map(shift);
    const turned = maps.map((m) => times(rotate, +how, m));
    return kind === "p4" ? turned.map((_, r) => turned[(r - how + 4) % 4]) : turned;
  };
  // Four maps stand two by two.
  const tile = (maps) => maps.length === 1 ? maps[0] : [0, 2].flatMap((k) => maps[k].map((row, i) => [...row, ...maps[k + 1][i]]));
  picture.draw(() => {
    const kind = layer.value, how = turn.value, turned = how === "shift" ? shift(image) : times(rotate, +how, image);
    const maps = apply(kind, image), one = apply(kind, turned), other = act(kind, how, maps);
    const size = maps.length === 1 ? 11 : 6.5;
    cells.image.set(image, { left: 0, top: 48, size: 11 });
    cells.turned.set(turned, { left: 0, top: 213, size: 11 });
    cells.map.set(tile(maps), { left: 190, top: 48, size });
    cells.mapTurned.set(tile(one), { left: 190, top: 213, size });
    cells.turnedMap.set(tile(other), { left: 430, top: 213, size });
    const a = one.flat(2), b = other.flat(2), difference = Math.max(...a.map((v, i) => Math.abs(v - b[i])));
    equal.textContent = difference < 1e-12 ? "=" : "≠";
    equal.style.fill = difference < 1e-12 ? "var(--sup)" : "var(--ref)";
    const reason = { p4: "Rotating the image rotates each of the four maps and passes them on in a circle.", pooled: "The largest of the four orientations rotates with the image.", plain: how === "shift" ? "A convolution commutes with shifts (the digit stays clear of the border)." : "A plain convolution with an asymmetric kernel does not know rotations.", blur: "A kernel that is symmetric itself commutes with the rotation, but sees no direction." };
    return {
      say: `Largest difference between the two ways: ${difference < 1e-12 ? "0" : number(difference)}. ${reason[kind]}`,
      table: [["way", "sum of the maps", "largest entry"], ["acted on, then the layer", a.reduce((s, v) => s + v, 0), Math.max(...a)], ["the layer, then acted on", b.reduce((s, v) => s + v, 0), Math.max(...b)]],
    };
  });
});
