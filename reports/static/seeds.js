// Every seed of a claim: a row a cell, a dot a seed, and one seed marked in all rows at once. The
// values come with the card as 16-bit codes, which reports/seeds.py explains.
(() => {
  const { number, clamp } = live;
  const LINE = 15, DOTS = 22; // units of the panel: a line of words, and the dots below it
  const LETTERS = 46; // of a line, as wide as phones draw them

  // Words in at most two lines, broken between levels.
  const linesOf = (words) => {
    const lines = [""];
    for (const part of words) {
      const last = lines[lines.length - 1], longer = last ? `${last}, ${part}` : part;
      if (longer.length <= LETTERS || !last) lines[lines.length - 1] = longer;
      else {
        lines[lines.length - 1] += ",";
        lines.push(part);
      }
    }
    const two = lines.length > 2 ? [lines[0], lines.slice(1).join(" ")] : lines;
    return two.map((line) => line.length > LETTERS ? line.slice(0, LETTERS - 1) + "…" : line);
  };

  const decode = (start, step, log, data, n) => {
    if (!data) return Array(n).fill(start);
    const bytes = atob(data);
    return Array.from({ length: n }, (_, i) => {
      const code = bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8;
      if (code < 3) return [undefined, NaN, 0][code]; // no such trial, diverged, exactly zero
      const value = start + step * (code - 3);
      return log ? Math.exp(value) : value;
    });
  };
  const read = (metric, cells, n) => ({ ...metric, rows: metric.rows.map(([cell, role, trials, lost, mean, low, high, theory, start, step, log, data]) => ({
    label: cells[cell], role, trials, lost, mean, low, high, theory, values: decode(start, step, log, data, n),
  })) });

  // An axis that holds all values, with ticks that tell them apart.
  const axisOf = ({ rows, log, label, unit }) => {
    const every = rows.flatMap((row) => [...row.values, row.mean, row.low, row.high, row.theory]).filter((v) => Number.isFinite(v) && !(log && v <= 0));
    let from = Infinity, to = -Infinity;
    for (const v of every) { from = Math.min(from, v); to = Math.max(to, v); }
    if (from > to) [from, to] = [0, 1];
    const words = label + (unit ? ` (${unit})` : ""), axis = { words, label: words.length < 46 ? words : unit || "value", digits: 3 };
    if (log && to / from > 3) {
      const air = (to / from) ** 0.04, low = Math.floor(Math.log10(from)) - 1;
      const round = Array.from({ length: 12 }, (_, i) => [1, 2, 5][i % 3] * 10 ** (low + Math.floor(i / 3)));
      return { ...axis, from: from / air, to: to * air, log, ticks: to / from < 100 ? round.filter((t) => t >= from / air && t <= to * air) : undefined };
    }
    const size = Math.max(Math.abs(from), Math.abs(to)), air = to > from ? (to - from) * 0.04 : size / 10 || 1;
    const digits = clamp(3 + Math.floor(Math.log10(size / (to - from || size) || 1)), 3, 7);
    return { ...axis, digits, from: from - air, to: to + air, log: false, names: (t) => number(t, digits) };
  };

  const build = (picture) => {
    const figure = picture.stage.closest("figure"), found = JSON.parse(figure.querySelector("script").textContent);
    const seeds = Array.isArray(found.seeds) ? found.seeds : Array.from({ length: found.seeds }, (_, i) => i);
    const metrics = Object.fromEntries(found.metrics.map((metric) => [metric.name, read(metric, found.cells, seeds.length)])), names = Object.keys(metrics);
    const which = names.length > 1 && picture.choice({ name: "metric", label: "Metric", options: Object.fromEntries(names.map((name) => [name, metrics[name].label])) });
    const seed = picture.slider({ name: "seed", label: "Seed", from: 0, to: seeds.length - 1, step: 1, value: 0, show: (i) => String(seeds[i]) });
    const apart = seeds.map((s) => s * 0.618034 % 1 - 0.5); // golden ratio: neighbors lie apart
    let drawn, panel, axis, trace, marks, middle, row = 0;

    const place = (i, k) => {
      const value = drawn.rows[i].values[k];
      return [axis.log && value <= 0 ? axis.from : value, i + middle + apart[k] * (1 - middle)]; // what a log axis lacks stands at its edge
    };
    const draw = (metric) => {
      drawn = metric;
      axis = axisOf(metric);
      row = 0;
      const { rows } = metric;
      picture.stage.textContent = "";
      if (axis.label !== axis.words && !which) figure.querySelector("h4").textContent = axis.words;
      const heads = rows.map((r) => {
        const low = axis.log ? r.values.filter((v) => v <= 0).length : 0;
        const notes = [r.lost ? `${r.lost} of ${r.trials} diverged` : "", low ? `${low} at zero or below` : ""];
        return linesOf([...r.label.split(", "), ...notes].filter(Boolean));
      });
      const words = LINE * Math.max(...heads.map((lines) => lines.length)), height = words + DOTS;
      middle = (words + DOTS / 2) / height;
      panel = picture.panel({ label: `${metric.label}: a row a cell, a dot a seed`, left: 8, top: 4, height: rows.length * height + 50, x: axis, y: { from: rows.length, to: 0, ticks: rows.map((_, i) => i + 1), names: () => "" } });
      const { sx, sy } = panel, all = [...seeds.keys()];
      const at = (i, k) => { const [u, v] = place(i, k); return Number.isFinite(u) && `${sx(u).toFixed(1)} ${sy(v).toFixed(1)}`; };
      panel.line("ink3", { width: 0.8, opacity: 0.4 }).raw(metric.linked.flatMap((i) => all.map((k) => [at(i, k), at(i + 1, k)])).filter(([a, b]) => a && b).map(([a, b]) => `M${a}L${b}`).join(""));
      rows.forEach((r, i) => {
        panel.dots(r.role, { r: 3, stroke: "none", opacity: 0.6 }).set(all.map((k) => place(i, k)));
        const inside = (v) => sx(clamp(v, axis.from, axis.to)).toFixed(1), at = sy(i + middle).toFixed(1);
        if (r.low != null) panel.line("ink", { width: 3 }).raw(`M${inside(r.low)} ${at}H${inside(r.high)}`);
        if (r.mean != null) panel.line("ink", { width: 2 }).raw(`M${inside(r.mean)} ${at}m0 -8v16`);
        if (r.theory != null) panel.line("ink", { width: 1.6, dash: "4 3" }).raw(`M${inside(r.theory)} ${at}m0 -11v22`);
        heads[i].forEach((line, j) => panel.text("ink").set(axis.from, i + (LINE * (j + 1) - 2) / height, line));
      });
      trace = panel.line("acc", { width: 1.2, opacity: 0.7 });
      marks = panel.dots("acc", { r: 5.5 });
      // Pointing marks the nearest seed; a click also keeps it in the address.
      const point = (event) => {
        const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(panel.svg.getScreenCTM().inverse());
        const i = clamp(Math.floor(sy.invert(p.y)), 0, rows.length - 1);
        let nearest = -1, least = 24;
        for (const k of all) {
          const [u, v] = place(i, k), distance = Math.hypot(sx(u) - p.x, sy(v) - p.y);
          if (distance < least) [nearest, least] = [k, distance];
        }
        if (nearest < 0) return;
        row = i;
        seed.put(nearest);
        picture.update(event.type === "pointerdown");
      };
      panel.svg.addEventListener("pointermove", point);
      panel.svg.addEventListener("pointerdown", point);
    };

    picture.draw(() => {
      const metric = metrics[which ? which.value : names[0]];
      if (metric !== drawn) draw(metric);
      const { rows, unit } = metric, k = seed.value;
      const there = rows.map((_, i) => place(i, k)).filter(([u]) => Number.isFinite(u));
      trace.set(there.map(([u]) => u), there.map(([, v]) => v));
      marks.set(there);
      const said = (v) => v === undefined ? "not run" : Number.isNaN(v) ? "diverged" : number(v, axis.digits) + (unit ? " " + unit : "");
      const order = [row, ...rows.keys()].filter((i, j, list) => list.indexOf(i) === j);
      const words = order.slice(0, 4).map((i) => said(rows[i].values[k]) + (rows[i].label ? ` in ${rows[i].label}` : ""));
      const more = rows.length - words.length;
      const mean = (r) => r.mean == null ? "none" : number(r.mean, axis.digits) + (r.low == null ? " (no interval)" : ` [${number(r.low, axis.digits)}, ${number(r.high, axis.digits)}]`);
      return {
        say: `Seed ${seeds[k]}: ${words.join("; ")}${more ? `; and ${more} more ${more > 1 ? "rows" : "row"} in the table` : ""}.`,
        table: [["cell", "seeds", "diverged", "mean [99 %]", `seed ${seeds[k]}`], ...rows.map((r) => [r.label || "all", String(r.trials), String(r.lost), mean(r), said(r.values[k])])],
      };
    });
  };

  for (const figure of document.querySelectorAll('[data-live^="seeds-"]')) live(figure.dataset.live, build);
})();
