/* claim: C70
title: Messages on a graph: drag its nodes, pass them on
alt: A small graph whose nodes carry a number, shown as color. Each round every node mixes its number with
those of its neighbors; a chart shows how the numbers become alike. */
live("messages", (picture) => {
  const { number, linspace, make } = live, ROUNDS = 30;
  const ring = (n, r = 1) => Array.from({ length: n }, (_, i) => [210 + r * 110 * Math.cos(2 * Math.PI * i / n - 1.2), 160 + r * 95 * Math.sin(2 * Math.PI * i / n - 1.2)]);
  const GRAPHS = {
    friends: { name: "two groups of friends", at: [[60, 80], [120, 60], [70, 160], [150, 140], [110, 230], [270, 120], [340, 80], [380, 160], [300, 210], [370, 240]], edges: [[0, 1], [0, 2], [1, 3], [2, 3], [2, 4], [3, 4], [0, 3], [3, 5], [5, 6], [6, 7], [5, 8], [7, 8], [7, 9], [8, 9], [5, 7]] },
    hexagon: { name: "a ring of six", at: ring(6), edges: [0, 1, 2, 3, 4, 5].map((i) => [i, (i + 1) % 6]) },
    triangles: { name: "two triangles", at: [[90, 90], [170, 160], [80, 220], [330, 90], [250, 160], [340, 220]], edges: [[0, 1], [1, 2], [2, 0], [3, 4], [4, 5], [5, 3]] },
    star: { name: "a star", at: [[210, 160], ...ring(7)], edges: [1, 2, 3, 4, 5, 6, 7].map((i) => [0, i]) },
  };
  const which = picture.choice({ name: "graph", label: "Graph", options: Object.fromEntries(Object.entries(GRAPHS).map(([k, g]) => [k, g.name])) });
  const how = picture.choice({ name: "rule", label: "Messages", options: { gcn: "averaged (GCN)", sum: "summed, then scaled", max: "largest wins" } });
  const begin = picture.choice({ name: "start", label: "Start", options: { one: "one node knows", all: "all the same", random: "random" } });
  const round = picture.play({ name: "round", label: "Round", to: ROUNDS, value: 2, seconds: 8 });
  const board = picture.panel({ title: "The graph: moving a node changes nothing" }), chart = picture.panel({ title: "The nodes' numbers, round by round", x: { from: 0, to: ROUNDS, label: "round" }, y: { from: -1, to: 1.5, label: "number of each node" } });
  const links = board.line("ink3", { width: 1.6 }), lines = chart.line("c1", { width: 1.2, opacity: 0.8 }), cursor = chart.line("ink2", { width: 1, dash: "3 4" });
  let key, nodes = [], words = [];
  const stand = () => {
    key = which.value;
    nodes.forEach((node) => node.element.remove());
    words.forEach((word) => word.element.remove());
    const g = GRAPHS[key];
    nodes = g.at.map((at, i) => picture.handle(board, { name: "n" + i, label: `Node ${i + 1}`, at, within: { x: { from: 20, to: 400 }, y: { from: 45, to: 280 } } }));
    nodes.forEach((node, i) => { node.element.setAttribute("r", 17); node.element.style.stroke = "var(--ink2)"; delete picture.values["n" + i]; });
    words = g.at.map(() => { const text = make("text", { class: "num", "text-anchor": "middle", "pointer-events": "none" }, board.svg); return { element: text }; });
  };
  picture.draw(() => {
    if (which.value !== key) stand();
    const { edges } = GRAPHS[key], n = nodes.length, random = live.random(4);
    const a = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => i === j || edges.some(([p, q]) => p === i && q === j || p === j && q === i) ? 1 : 0));
    const degree = a.map((r) => r.reduce((s, v) => s + v, 0));
    const first = Array.from({ length: n }, (_, i) => begin.value === "one" ? +(i === 0) : begin.value === "all" ? 1 : random.normal() / 2);
    const rounds = [first];
    for (let t = 0; t < ROUNDS; t++) {
      const x = rounds[t];
      let y = a.map((r, i) => how.value === "max" ? Math.max(...x.filter((_, j) => r[j])) : r.reduce((s, w, j) => s + w * x[j] / (how.value === "gcn" ? Math.sqrt(degree[i] * degree[j]) : 1), 0));
      if (how.value === "sum") { const norm = Math.max(...y.map(Math.abs)); y = y.map((v) => norm > 0 ? v / norm : 0); }
      rounds.push(y);
    }
    const now = rounds[round.value];
    links.raw(edges.map(([i, j]) => `M${nodes[i].value.join(" ")}L${nodes[j].value.join(" ")}`).join(""));
    nodes.forEach((node, i) => {
      const [u, v] = node.value;
      node.element.style.fill = `color-mix(in srgb, var(${now[i] < 0 ? "--c5" : "--c1"}) ${Math.round(Math.min(Math.abs(now[i]), 1) * 70 + 6)}%, var(--surface))`;
      node.element.setAttribute("aria-label", `Node ${i + 1}, number ${number(now[i], 2)}`);
      words[i].element.setAttribute("x", u);
      words[i].element.setAttribute("y", v + 4);
      words[i].element.textContent = number(now[i], 2);
    });
    lines.raw(first.map((_, i) => chart.path(linspace(0, ROUNDS, ROUNDS + 1), rounds.map((r) => r[i]))).join(""));
    cursor.set([round.value, round.value], [-1, 1.5]);
    const apart = (r) => { const scaled = how.value === "gcn" ? r.map((v, i) => v / Math.sqrt(degree[i])) : r; return Math.max(...scaled) - Math.min(...scaled); };
    const reached = now.filter((v) => Math.abs(v) > 1e-9).length;
    const twin = (key === "hexagon" || key === "triangles") && begin.value === "all" ? " The ring of six and the two triangles give the same numbers: messages cannot tell them apart." : "";
    const alike = how.value === "gcn" ? ` Divided by √degree the nodes differ by ${number(apart(now), 2)} (${number(apart(first), 2)} at first): after many rounds they all say the same, which is over-smoothing.` : "";
    return {
      say: `After ${round.value} rounds ${reached} of ${n} nodes have a number: news travels one edge a round.${alike}${twin}`,
      table: [["node", "neighbors", "number"], ...now.map((v, i) => [String(i + 1), String(degree[i] - 1), v])],
    };
  });
});
