// The optimiser explorer: a walk on the contours of a valley, its loss, and the walk before it.

import { makeControls, told } from "./controls.js";
import { element } from "./host.js";

const SPACE = "http://www.w3.org/2000/svg";
const [SIDE, LEFT, TOP, WIDE, HIGH] = [300, 44, 26, 420, 300];
const LEVELS = Array.from({ length: 13 }, (_, i) => 10 ** (-4 + i / 3));

function shape(name, attributes = {}, ...children) {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const label = (text, x, y, attributes = {}) => (
  shape("text", { x, y, "text-anchor": "middle", fill: "currentColor", ...attributes }, text));

/** A window in units of the data, y upwards, lines as thick as on the page. */
function pane(x, y, width, height, [left, right], [bottom, top]) {
  const inner = shape("g", { transform: "scale(1,-1)", fill: "none" });
  const node = shape("svg", {
    x, y, width, height, preserveAspectRatio: "none",
    viewBox: `${left} ${-top} ${right - left} ${top - bottom}`,
  }, inner);
  const line = (points, attributes) => inner.append(shape("polyline", {
    points: points.map((point) => point.join(",")).join(" "),
    "vector-effect": "non-scaling-stroke", ...attributes,
  }));
  const dots = (points, attributes) => inner.append(shape("path", {
    d: points.map(([a, b]) => `M${a},${b}h0`).join(""), "stroke-linecap": "round",
    "vector-effect": "non-scaling-stroke", ...attributes,
  }));
  return { node, line, dots };
}

/** Points of the ellipse ½ (x - bottom)ᵀ A (x - bottom) = level. */
function ellipse([[a, b], [, d]], bottom, level) {
  const root = [Math.sqrt(a), b / Math.sqrt(a), Math.sqrt(d - (b * b) / a)]; // A = RᵀR, R upper
  return Array.from({ length: 97 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 96;
    const [u, v] = [Math.cos(angle), Math.sin(angle)].map((x) => x * Math.sqrt(2 * level));
    const y = v / root[2];
    return [bottom[0] + (u - root[1] * y) / root[0], bottom[1] + y];
  });
}

const height = ([[a, b], [, d]], x, y) => 0.5 * (a * x * x + 2 * b * x * y + d * y * y);

const pairs = (flat) => flat.reduce((all, x, i) => (
  i % 2 ? [...all.slice(0, -1), [all.at(-1)[0], x]] : [...all, [x]]), []);

function ticks(low, high, count = 4) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((k) => k * power >= raw);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (
    Number(((first + i) * step).toPrecision(6))));
}

export function render({ place, content }) {
  const words = element("p", { class: "nst-words", "aria-live": "polite" });
  const shown = element("div", { class: "nst-shown nst-walks" });
  let [last, now] = [null, null];

  const present = () => {
    const marks = content.names.map((name) => {
      const { input, spec, index } = byName[name];
      return input.disabled ? spec.index : index;
    });
    const at = (name) => marks[content.names.indexOf(name)];
    const key = marks.join(",");
    const [path, losses, text] = content.walks[key];
    return { key, valley: at("valley"), walls: at("walls"), path: pairs(path), losses, text };
  };

  const show = () => {
    const walk = present();
    if (!now || now.key !== walk.key) [last, now] = [now, walk];
    const both = byName.before.index === 1 && last && last.valley === now.valley;
    const walks = both ? [["now", now], ["before", last]] : [["now", now]];
    words.innerHTML = now.text;
    shown.replaceChildren(valley(walks), race(walks));
    place.dataset.shown = now.key;
  };

  const legend = (walks, x, y) => walks.map(([name], i) => shape("g", {},
    shape("line", {
      x1: x, x2: x + 18, y1: y + 16 * i, y2: y + 16 * i, stroke: content.colors[i], "stroke-width": 2,
    }),
    label(name, x + 24, y + 4 + 16 * i, { "text-anchor": "start" })));

  const valley = (walks) => {
    const A = content.valleys[now.valley];
    const [m, n] = content.bottom;
    const walled = walks.some(([, { walls }]) => walls !== content.free);
    const [low, high] = content.box;
    const corners = walled ? [[low, low], [high, high], [low, high], [high, low]] : [];
    const all = [...walks.flatMap(([, { path }]) => path), ...corners];
    const reach = 1.15 * Math.max(...all.flatMap(([x, y]) => [Math.abs(x - m), Math.abs(y - n)]));
    const most = Math.max(height(A, reach, reach), height(A, reach, -reach));
    const [xs, ys] = [[m - reach, m + reach], [n - reach, n + reach]];
    const view = pane(LEFT, TOP, SIDE, SIDE, xs, ys);
    for (const level of LEVELS) {
      view.line(ellipse(A, [m, n], level * most), { stroke: "#999", "stroke-width": 0.8 });
    }
    if (walled) {
      view.line([[low, low], [high, low], [high, high], [low, high], [low, low]],
        { stroke: "currentColor", "stroke-dasharray": "5 4" });
    }
    walks.map((each, i) => [each, i]).reverse().forEach(([[name, { path }], i]) => {
      view.line(path, { stroke: content.colors[i], "stroke-width": 1.6, class: "nst-walk", "data-walk": name });
      view.dots(path, { stroke: content.colors[i], "stroke-width": 6 });
    });
    view.dots([[m, n]], { stroke: "currentColor", "stroke-width": 9 });
    const across = (x) => LEFT + (SIDE * (x - xs[0])) / (xs[1] - xs[0]);
    const up = (y) => TOP + (SIDE * (ys[1] - y)) / (ys[1] - ys[0]);
    const title = `${byName.valley.spec.labels[now.valley]} valley`;
    return shape("svg", {
      viewBox: `0 0 ${SIDE + LEFT + 10} ${SIDE + TOP + 40}`, role: "img", class: "nst-drawing",
      "aria-label": `${title}: ${walks.map(([name, { path }]) => `${name}, ${path.length - 1} steps`)
        .join("; ")}; ${told(byName)}`,
    }, label(title, LEFT + SIDE / 2, 16), view.node,
    shape("rect", { x: LEFT, y: TOP, width: SIDE, height: SIDE, fill: "none", stroke: "currentColor" }),
    ...ticks(...xs).map((x) => label(String(x), across(x), TOP + SIDE + 15)),
    ...ticks(...ys).map((y) => label(String(y), LEFT - 5, up(y) + 4, { "text-anchor": "end" })),
    label("x₁", LEFT + SIDE / 2, TOP + SIDE + 34),
    label("x₂", 10, TOP + SIDE / 2),
    ...legend(walks, LEFT + 10, TOP + 14));
  };

  const race = (walks) => {
    const curves = walks.map(([, { losses }]) => losses.map((x) => Math.max(x, content.floor)));
    const [least, most] = [Math.min(...curves.flat()), Math.max(...curves.flat())];
    const ys = [Math.log10(least / 1.3), Math.log10(Math.min(most * 1.5, least * 1e6))];
    const long = Math.max(...curves.map((curve) => curve.length), 2);
    const xs = [1 - 0.05 * (long - 1), long + 0.05 * (long - 1)];
    const left = LEFT + 8;
    const view = pane(left, TOP, WIDE, HIGH, xs, ys);
    curves.map((curve, i) => [curve, i]).reverse().forEach(([curve, i]) => {
      view.line(curve.map((value, k) => [k + 1, Math.log10(value)]), {
        stroke: content.colors[i], "stroke-width": 1.8, class: "nst-loss", "data-walk": walks[i][0],
      });
    });
    const across = (x) => left + (WIDE * (x - xs[0])) / (xs[1] - xs[0]);
    const up = (y) => TOP + (HIGH * (ys[1] - y)) / (ys[1] - ys[0]);
    const title = `The loss on the way (drawn no lower than ${content.floor.toExponential()})`;
    const powers = ticks(...ys).filter((y) => Number.isInteger(y));
    const marks = powers.length ? powers : [ys[0] + 0.1, ys[1] - 0.1];
    return shape("svg", {
      viewBox: `0 0 ${WIDE + left + 12} ${HIGH + TOP + 40}`, role: "img", class: "nst-drawing",
      "aria-label": `${title}: ${walks.map(([name, { losses }]) => (
        `${name}, from ${losses[0].toPrecision(3)} to ${Math.min(...losses).toPrecision(3)}`)).join("; ")}`,
    }, label(title, left + WIDE / 2, 16), view.node,
    shape("rect", { x: left, y: TOP, width: WIDE, height: HIGH, fill: "none", stroke: "currentColor" }),
    ...ticks(1, long, 6).filter((x) => Number.isInteger(x))
      .map((x) => label(String(x), across(x), TOP + HIGH + 15)),
    ...marks.map((y) => label(
      Number((10 ** y).toPrecision(2)).toString(), left - 5, up(y) + 4, { "text-anchor": "end" },
    )),
    label("evaluations of loss and gradient", left + WIDE / 2, TOP + HIGH + 34),
    ...legend(walks, left + WIDE - 80, TOP + 14));
  };

  const { node, byName } = makeControls(content.controls, content.off, show);
  place.replaceChildren(node, words, shown);
  show();
}
