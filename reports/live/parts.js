// Parts of the live pictures. A file in `pictures/` calls `live(name, build)`; `build(picture)` makes
// panels and controls once, and hands `picture.draw` a function that redraws from their values:
//
//   live("name", (picture) => {
//     const rate = picture.slider({ name: "rate", label: "Learning rate", from: 0, to: 2, value: 1 });
//     const panel = picture.panel({ title: "...", x: { from: 0, to: 9 }, y: { from: 1e-3, to: 1, log: true } });
//     const line = panel.line("c1");
//     picture.draw(() => { line.set(xs, ys); return { say: "One sentence.", table: [head, ...rows] }; });
//   });
//
// Values live in native inputs and in draggable handles, so that keyboard, screen reader, and the
// page's address know them. Nothing here is evidence: verdicts come from the store.
const live = (() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 420, HEIGHT = 300, LEFT = 52, RIGHT = 412, TOP = 52, BOTTOM = 254;
  const FAR = 4000; // beyond the panel, where paths are cut
  const builders = {}, awake = {};

  // --- numbers ------------------------------------------------------------------------------

  const superscript = (k) => String(k).replace(/[-\d]/g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
  // A number in words: three digits, powers of ten where they are shorter.
  const number = (v, digits = 3) => {
    if (!Number.isFinite(v)) return v > 0 ? "∞" : v < 0 ? "−∞" : "undefined";
    if (v === 0) return "0";
    let power = Math.floor(Math.log10(Math.abs(v)));
    if (power >= -3 && power < 5) return String(+v.toPrecision(digits)).replace("-", "−");
    let mantissa = +(v / 10 ** power).toPrecision(digits);
    if (Math.abs(mantissa) >= 10) { mantissa /= 10; power += 1; }
    return (mantissa === 1 ? "" : String(mantissa).replace("-", "−") + "·") + "10" + superscript(power);
  };
  const linspace = (from, to, n) => Array.from({ length: n }, (_, i) => from + (to - from) * i / (n - 1));
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
  // Uniform and normal numbers from a seed: a picture is the same for every reader.
  const random = (seed) => {
    let state = seed >>> 0;
    const uniform = () => {
      state = state + 0x6d2b79f5 >>> 0; // mulberry32
      let t = Math.imul(state ^ state >>> 15, 1 | state);
      t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
      return ((t ^ t >>> 14) >>> 0) / 4294967296;
    };
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal };
  };

  // --- elements -----------------------------------------------------------------------------

  const make = (tag, attributes = {}, parent, text) => {
    const svg = parent && parent.namespaceURI === SVG || tag === "svg";
    const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) if (value != null) element.setAttribute(key, value);
    if (text != null) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };
  const color = (role) => role === "none" ? "none" : "var(--" + role + ")";
  const short = (v) => Math.round(clamp(v, -FAR, FAR) * 10) / 10;

  // --- panels -------------------------------------------------------------------------------

  const ticksOf = ({ from, to, log, ticks }) => {
    if (ticks) return ticks;
    if (log) {
      const first = Math.ceil(Math.log10(from) - 1e-9), last = Math.floor(Math.log10(to) + 1e-9);
      const step = Math.max(1, Math.ceil((last - first + 1) / 6));
      return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => 10 ** (first + i * step));
    }
    const raw = (to - from) / 5, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    const found = [];
    for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) found.push(i * step);
    return found;
  };
  const scaleOf = ({ from, to, log }, start, end) => {
    const u = log ? Math.log10 : (v) => v, back = log ? (v) => 10 ** v : (v) => v;
    const low = u(from), high = u(to);
    const scale = (v) => start + (u(log ? Math.max(v, 1e-300) : v) - low) / (high - low) * (end - start);
    scale.invert = (p) => back(low + (p - start) / (end - start) * (high - low));
    return scale;
  };

  // A chart. `x` and `y` are { from, to, log, label, ticks, names }; without `y` there are no axes,
  // and `x` and `y` are units of the panel, (0, 0) at the top left.
  const panelOf = (stage, { title, x, y, height = HEIGHT, left = LEFT, top = TOP, label }) => {
    const svg = make("svg", { class: "panel", viewBox: `0 0 ${WIDTH} ${height}`, role: "group", "aria-label": label || title }, stage);
    if (title) make("text", { class: "pt", x: 0, y: 16 }, svg, title);
    const bottom = height - (HEIGHT - BOTTOM);
    const sx = x ? scaleOf(x, left, RIGHT) : (v) => v, sy = y ? scaleOf(y, bottom, top) : (v) => v;
    if (x && y) {
      for (const t of ticksOf(y)) {
        if (y.grid !== false) make("path", { d: `M${left} ${short(sy(t))}H${RIGHT}`, stroke: color("grid"), fill: "none" }, svg);
        make("text", { class: "tk", x: left - 7, y: short(sy(t)) + 4, "text-anchor": "end" }, svg, y.names ? y.names(t) : number(t));
      }
      for (const t of ticksOf(x)) make("text", { class: "tk", x: short(sx(t)), y: bottom + 18, "text-anchor": "middle" }, svg, x.names ? x.names(t) : number(t));
      make("path", { d: `M${left} ${bottom}H${RIGHT}`, stroke: color("ink3"), fill: "none" }, svg);
      if (y.label) make("text", { class: "al", x: 0, y: 38 }, svg, y.label + (y.log ? " (log)" : ""));
      if (x.label) make("text", { class: "al", x: RIGHT, y: bottom + 38, "text-anchor": "end" }, svg, x.label + (x.log ? " (log)" : ""));
    }
    // Lines end at the frame, labels and handles may stand outside.
    const id = "clip-" + Math.round(performance.now() * 1000) + "-" + document.querySelectorAll("clipPath").length;
    make("rect", x && y ? { x: left, y: top - 6, width: RIGHT - left, height: bottom - top + 6 } : { x: 0, y: 22, width: WIDTH, height: height - 22 }, make("clipPath", { id }, make("defs", {}, svg)));
    const inside = make("g", { "clip-path": `url(#${id})` }, svg), above = make("g", {}, svg);
    const hidden = (element) => ({ element, show: (on) => { element.style.display = on ? "" : "none"; } });
    const path = (xs, ys) => {
      let d = "", down = false;
      for (let i = 0; i < xs.length; i++) {
        if (!Number.isFinite(xs[i]) || !Number.isFinite(ys[i])) { down = false; continue; }
        d += (down ? "L" : "M") + short(sx(xs[i])) + " " + short(sy(ys[i]));
        down = true;
      }
      return d;
    };
    const panel = {
      svg, sx, sy, path, x, y, stage: inside,
      bounds: { left, right: RIGHT, top, bottom },
      line: (role, { width = 2.2, dash, opacity, fill = "none" } = {}) => {
        const element = make("path", { stroke: color(role), "stroke-width": width, "stroke-dasharray": dash, "stroke-opacity": opacity, fill: color(fill), "fill-opacity": 0.18 }, inside);
        return { ...hidden(element), set: (xs, ys) => element.setAttribute("d", path(xs, ys)), raw: (d) => element.setAttribute("d", d) };
      },
      area: (role, opacity = 0.18) => {
        const element = make("path", { fill: color(role), "fill-opacity": opacity }, inside);
        return { ...hidden(element), set: (xs, low, high) => element.setAttribute("d", path(xs, low) + path([...xs].reverse(), [...high].reverse()).replace("M", "L") + "Z") };
      },
      bars: (role, width, opacity = 0.75) => {
        const element = make("path", { fill: color(role), "fill-opacity": opacity }, inside);
        const base = y && !y.log ? sy(Math.max(0, y.from)) : bottom;
        return { ...hidden(element), set: (xs, heights) => element.setAttribute("d", xs.map((v, i) => {
          const half = Math.abs(sx(v + width / 2) - sx(v - width / 2)) / 2;
          return `M${short(sx(v) - half)} ${short(base)}V${short(sy(heights[i]))}h${short(2 * half)}V${short(base)}Z`;
        }).join("")) };
      },
      dots: (role, { r = 4, stroke = "surface", opacity } = {}) => {
        const group = make("g", { fill: color(role), stroke: color(stroke), "fill-opacity": opacity }, inside);
        return { ...hidden(group), set: (points) => {
          while (group.childElementCount > points.length) group.lastChild.remove();
          while (group.childElementCount < points.length) make("circle", { r }, group);
          points.forEach(([u, v], i) => {
            const circle = group.children[i], there = Number.isFinite(u) && Number.isFinite(v);
            circle.setAttribute("cx", there ? short(sx(u)) : -FAR);
            circle.setAttribute("cy", there ? short(sy(v)) : -FAR);
          });
        } };
      },
      arrow: (role, width = 2.2) => {
        const element = make("path", { stroke: color(role), "stroke-width": width, fill: "none", "stroke-linecap": "round" }, inside);
        return { ...hidden(element), set: (u0, v0, u1, v1) => {
          const a = [sx(u0), sy(v0)], b = [sx(u1), sy(v1)], length = Math.hypot(b[0] - a[0], b[1] - a[1]);
          if (!(length > 0.5) || length > FAR) { element.setAttribute("d", ""); return; }
          const [ex, ey] = [(b[0] - a[0]) / length, (b[1] - a[1]) / length], head = Math.min(8, length / 2);
          const wing = (s) => `M${short(b[0])} ${short(b[1])}L${short(b[0] - head * (ex - s * ey / 2))} ${short(b[1] - head * (ey + s * ex / 2))}`;
          element.setAttribute("d", `M${short(a[0])} ${short(a[1])}L${short(b[0])} ${short(b[1])}` + wing(1) + wing(-1));
        } };
      },
      text: (role = "ink", { anchor = "start", className = "lb" } = {}) => {
        const element = make("text", { class: className, "text-anchor": anchor, style: `fill:${color(role)}` }, above);
        return { ...hidden(element), set: (u, v, words) => {
          const there = Number.isFinite(u) && Number.isFinite(v);
          element.setAttribute("x", there ? short(clamp(sx(u), 0, WIDTH)) : -FAR);
          element.setAttribute("y", there ? short(clamp(sy(v), y ? top - 10 : 30, height - 4)) : -FAR);
          if (words != null) element.textContent = words;
        } };
      },
      // A grid of values over the panel; `paint(value)` gives a role and an opacity.
      cells: (paint, { gap = 0 } = {}) => {
        const group = make("g", {}, inside);
        return { ...hidden(group), set: (rows, { left: first = left, top: upper = top, size = 20 } = {}) => {
          const n = rows.length * rows[0].length;
          while (group.childElementCount > n) group.lastChild.remove();
          while (group.childElementCount < n) make("rect", {}, group);
          let k = 0;
          rows.forEach((row, i) => row.forEach((value, j) => {
            const [role, opacity] = paint(value, i, j), cell = group.children[k++];
            const side = size - gap;
            for (const [key, v] of Object.entries({ x: short(first + j * size), y: short(upper + i * size), width: side, height: side, fill: color(role), "fill-opacity": Math.round(opacity * 100) / 100 })) cell.setAttribute(key, v);
          }));
        } };
      },
    };
    return panel;
  };

  // Contour lines of f by marching squares, as one path in the panel's units.
  const contour = (panel, f, levels, n = 60) => {
    const { sx, sy } = panel, xs = linspace(panel.x.from, panel.x.to, n), ys = linspace(panel.y.from, panel.y.to, n);
    const z = ys.map((v) => xs.map((u) => f(u, v)));
    return levels.map((level) => {
      let d = "";
      for (let i = 0; i < n - 1; i++) for (let j = 0; j < n - 1; j++) {
        const corners = [[xs[j], ys[i], z[i][j]], [xs[j + 1], ys[i], z[i][j + 1]], [xs[j + 1], ys[i + 1], z[i + 1][j + 1]], [xs[j], ys[i + 1], z[i + 1][j]]];
        const cuts = [];
        corners.forEach((a, k) => {
          const b = corners[(k + 1) % 4];
          if (a[2] < level === b[2] < level) return;
          const t = (level - a[2]) / (b[2] - a[2]);
          cuts.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
        });
        for (let k = 0; k + 1 < cuts.length; k += 2) d += `M${short(sx(cuts[k][0]))} ${short(sy(cuts[k][1]))}L${short(sx(cuts[k + 1][0]))} ${short(sy(cuts[k + 1][1]))}`;
      }
      return d;
    }).join("");
  };

  // --- pictures -----------------------------------------------------------------------------

  const still = matchMedia("(prefers-reduced-motion: reduce)");

  class Picture {
    constructor(figure) {
      this.name = figure.dataset.live;
      this.claim = figure.dataset.of;
      [this.controls, this.stage, this.read, this.numbers] = [".controls", ".panels", ".read", ".nums"].map((c) => figure.querySelector(c));
      this.values = {}; // name -> { get, set }, what the address remembers
      this.numbers.addEventListener("toggle", () => this.tabulate());
    }

    panel(options) { return panelOf(this.stage, options); }

    draw(render) { this.render = render; this.update(false); }

    // Redraw, read out, and remember the values in the address.
    update(remember = true) {
      if (!this.render) return;
      this.last = this.render() || {};
      if (this.last.say != null && this.read.textContent !== this.last.say) this.read.textContent = this.last.say;
      this.tabulate();
      if (!remember) return;
      clearTimeout(this.later);
      this.later = setTimeout(() => {
        const words = Object.entries(this.values).map(([name, { get }]) => `${this.name}.${name}=${encodeURIComponent(get())}`);
        try { history.replaceState(null, "", `#${this.claim}?${words.join("&")}`); } catch { /* opened from disk with a strict browser */ }
      }, 350);
    }

    tabulate() {
      const table = this.last && this.last.table;
      this.numbers.hidden = !table;
      if (!table || !this.numbers.open) return;
      const box = this.numbers.querySelector(".tw");
      box.textContent = "";
      const rows = make("table", {}, box);
      table.forEach((row, i) => {
        const tr = make("tr", {}, make(i ? "tbody" : "thead", {}, rows));
        row.forEach((value, j) => make(i && j ? "td" : "th", { scope: i ? j ? null : "row" : "col" }, tr, typeof value === "number" ? number(value) : value));
      });
    }

    // Native controls. Each returns { value, set(value) } and redraws when it changes.
    slider({ name, label, from, to, step = (to - from) / 100, value, show = (v) => number(v), unit = "" }) {
      const box = make("div", { class: "control" }, this.controls), id = `${this.name}-${name}`;
      make("label", { for: id }, box, label);
      const input = make("input", { type: "range", id, min: from, max: to, step }, box);
      const said = make("span", { class: "value", "aria-hidden": "true" }, box);
      const tell = () => { const words = show(+input.value) + unit; said.textContent = words; input.setAttribute("aria-valuetext", words); };
      return this.control(name, input, value, { read: () => +input.value, write: (v) => { input.value = v; tell(); }, tell });
    }

    choice({ name, label, options, value }) {
      const box = make("div", { class: "control" }, this.controls), id = `${this.name}-${name}`;
      make("label", { for: id }, box, label);
      const input = make("select", { id }, box);
      for (const [key, words] of Object.entries(options)) make("option", { value: key }, input, words);
      return this.control(name, input, value ?? Object.keys(options)[0], { read: () => input.value, write: (v) => { if (v in options) input.value = v; } });
    }

    toggle({ name, label, value = false }) {
      const box = make("label", { class: "control" }, this.controls), input = make("input", { type: "checkbox" }, box);
      make("span", {}, box, label);
      return this.control(name, input, value, { read: () => input.checked, write: (v) => { input.checked = v === true || v === "1" || v === "true"; } });
    }

    control(name, input, value, { read, write, tell = () => {} }) {
      write(value);
      input.addEventListener("input", () => { tell(); this.update(); });
      this.values[name] = { get: () => String(read()), set: write };
      // `put` changes the value from within a redraw, `set` starts one.
      return { get value() { return read(); }, put: write, set: (v) => { write(v); this.update(); }, input };
    }

    button(label, action) {
      const button = make("button", { type: "button", class: "b" }, this.controls, label);
      button.addEventListener("click", () => { action(); this.update(); });
      return button;
    }

    // A slider over steps with a button that runs through them; reduced motion goes to the end.
    play({ name = "step", label = "Step", from = 0, to, value = from, show, seconds = 6 }) {
      const slider = this.slider({ name, label, from, to, step: 1, value, show });
      const button = make("button", { type: "button", class: "b", "aria-pressed": "false" }, this.controls, "Play");
      let running = false;
      const stop = () => { running = false; button.textContent = "Play"; button.setAttribute("aria-pressed", "false"); };
      button.addEventListener("click", () => {
        if (running) { stop(); return; }
        const last = +slider.input.max;
        if (still.matches) { slider.set(last); return; }
        if (slider.value >= last) slider.set(from);
        running = true;
        button.textContent = "Pause";
        button.setAttribute("aria-pressed", "true");
        const began = performance.now(), first = slider.value;
        const frame = (now) => {
          if (!running) return;
          slider.set(Math.min(last, first + Math.floor((now - began) / 1000 / seconds * (last - from))));
          if (slider.value >= last) stop();
          else requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      slider.input.addEventListener("input", stop);
      return slider;
    }

    // A point to drag, or to move with the arrow keys, within the panel's axes or `within`.
    handle(panel, { name, label, at, along = "xy", role = "acc", within, step }) {
      const point = [...at], { sx, sy } = panel, frame = within || panel;
      const dot = make("circle", { class: "handle", r: 9, tabindex: 0, role: "slider", "aria-label": label, "aria-orientation": along === "y" ? "vertical" : "horizontal", fill: color(role) }, panel.svg);
      const limit = (v, axis) => clamp(v, frame[axis].from, frame[axis].to);
      const place = () => {
        dot.setAttribute("cx", short(sx(point[0])));
        dot.setAttribute("cy", short(sy(point[1])));
        const [main, axis] = along === "y" ? [point[1], "y"] : [point[0], "x"];
        for (const [key, v] of Object.entries({ valuemin: frame[axis].from, valuemax: frame[axis].to, valuenow: main })) dot.setAttribute("aria-" + key, v);
        dot.setAttribute("aria-valuetext", along === "xy" ? `${number(point[0])}, ${number(point[1])}` : number(main));
      };
      const move = (u, v) => {
        if (along !== "y") point[0] = limit(u, "x");
        if (along !== "x") point[1] = limit(v, "y");
        place();
      };
      const drag = (event) => {
        const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(panel.svg.getScreenCTM().inverse());
        move(sx.invert ? sx.invert(p.x) : p.x, sy.invert ? sy.invert(p.y) : p.y);
        this.update();
      };
      dot.addEventListener("pointerdown", (event) => { dot.setPointerCapture(event.pointerId); event.preventDefault(); dot.focus(); });
      dot.addEventListener("pointermove", (event) => { if (dot.hasPointerCapture(event.pointerId)) drag(event); });
      dot.addEventListener("keydown", (event) => {
        const sign = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
        if (!sign) return;
        event.preventDefault();
        const up = sy(1) > sy(0) ? -1 : 1; // on screen, up is up
        const by = (axis) => step || (frame[axis].to - frame[axis].from) / 50;
        move(point[0] + sign[0] * by("x"), point[1] + up * sign[1] * by("y"));
        this.update();
      });
      place();
      this.values[name] = { get: () => point.map((v) => +v.toPrecision(6)).join(","), set: (words) => {
        const [u, v] = String(words).split(",").map(Number);
        if (Number.isFinite(u) && Number.isFinite(v)) move(u, v);
      } };
      // `put` and `lift` move it from within a redraw, also across the direction it is dragged in.
      const put = (u, v) => { point[0] = u; point[1] = v; place(); };
      return { get value() { return [...point]; }, put, lift: (v) => put(point[0], v), element: dot };
    }
  }

  // --- waking -------------------------------------------------------------------------------

  const wake = (figure) => {
    const name = figure.dataset.live;
    if (!awake[name] && builders[name]) {
      awake[name] = new Picture(figure);
      builders[name](awake[name]);
    }
    return awake[name];
  };
  const figures = () => [...document.querySelectorAll("[data-live]")];
  const restore = () => {
    const found = /^#(\w+)\?(.+)$/.exec(location.hash);
    if (!found) return;
    const touched = new Set();
    for (const [key, value] of new URLSearchParams(found[2])) {
      const [name, field] = key.split(".");
      const figure = figures().find((f) => f.dataset.live === name);
      const picture = figure && wake(figure);
      if (picture && picture.values[field]) { picture.values[field].set(value); touched.add(picture); }
    }
    for (const picture of touched) picture.update(false);
    const folds = [...touched].map((picture) => picture.stage.closest("details")).filter(Boolean);
    for (const fold of folds) fold.open = true;
    const place = folds[0] || document.getElementById(found[1]);
    if (place) place.scrollIntoView({ behavior: "instant" }); // smooth would aim at where it was
  };
  addEventListener("DOMContentLoaded", () => {
    // A picture is built shortly before it is seen, so the page opens at once.
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) { near.unobserve(entry.target); wake(entry.target); }
    }, { rootMargin: "400px" });
    figures().forEach((figure) => near.observe(figure));
    // Who opens a fold looks at it, whether or not the browser has laid the card out by then.
    document.addEventListener("toggle", (event) => {
      if (event.target.open) event.target.querySelectorAll("[data-live]").forEach(wake);
    }, true);
    restore();
  });
  addEventListener("hashchange", restore);
  addEventListener("beforeprint", () => figures().filter((f) => !f.closest("details:not([open])")).forEach(wake));

  return Object.assign((name, build) => { builders[name] = build; }, { number, linspace, clamp, random, contour, make, color });
})();
