// An explorer with stored answers: controls above, words and pictures below.

import compare from "./compare_view.js";
import { makeControls, told } from "./controls.js";
import { Model, bytesOf, element } from "./host.js";
import { isDark, onTheme } from "./picture_row.js";

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;

/** The two stored marks around a mark, and how far it is on its way to the second, 0..1. */
export function around(mark, stored) {
  if (!stored || stored.includes(mark)) return [mark, mark, 0];
  const next = stored.findIndex((each) => each > mark);
  const [a, b] = [stored[next - 1], stored[next]];
  return [a, b, (mark - a) / (b - a)];
}

/** Two texts that differ in their numbers, with numbers between; other texts: the nearer one. */
export function between(a, b, share) {
  if (share === 0 || a.replace(NUMBER, "") !== b.replace(NUMBER, "")) return share < 0.5 ? a : b;
  const others = b.match(NUMBER) ?? [];
  let i = 0;
  return a.replace(NUMBER, (one) => {
    const other = others[i];
    i += 1;
    if (one === other) return one;
    const digits = Math.max(...[one, other].map((text) => (text.split(".")[1] ?? "").length));
    return ((1 - share) * Number(one) + share * Number(other)).toFixed(Math.min(digits, 20));
  });
}

function loader(folder, files) {
  const known = new Map();
  return (number, dark) => {
    const [light, , , other] = files[number];
    const file = (dark && other) || light;
    if (!known.has(file)) {
      known.set(file, fetch(new URL(file, folder))
        .then((answer) => answer.blob()).then((blob) => createImageBitmap(blob)));
    }
    return known.get(file);
  };
}

export function render({ place, content, folder }) {
  const load = loader(folder, content.pictures);
  const words = element("p", { class: "nst-words", "aria-live": "polite" });
  const [width, ...others] = content.compares ? content.widths : [null, ...content.widths];
  const view = width && comparison(width);
  const canvases = others.map((basis) => {
    const canvas = element("canvas", { role: "img", class: "nst-picture" });
    canvas.style.flexBasis = basis;
    return canvas;
  });
  const shownOn = view ? [...view.canvases, ...canvases] : canvases;
  let turn = 0;
  let dark = null;

  const keyOf = (change = {}) => content.controls.map(({ name, index }) => {
    if (byName[name].input.disabled) return index;
    return change[name] ?? byName[name].index;
  }).join(",");

  /** The stored answers that the present setting lies between, with the share of each. */
  const parts = () => {
    let corners = [[{}, 1]];
    for (const [name, stored] of Object.entries(content.sparse)) {
      if (byName[name].input.disabled) continue;
      const [a, b, share] = around(byName[name].index, stored);
      corners = corners.flatMap(([change, weight]) => [
        [{ ...change, [name]: a }, weight * (1 - share)], [{ ...change, [name]: b }, weight * share],
      ]).filter(([, weight]) => weight > 0);
    }
    return corners.map(([change, weight]) => [content.answers[keyOf(change)], weight]);
  };

  const show = async () => {
    const mine = turn += 1;
    const corners = parts();
    dark = isDark(place);
    const shown = await Promise.all(
      shownOn.map((_, i) => Promise.all(corners.map(([answer]) => (
        answer[i + 1] === undefined ? null : load(answer[i + 1], dark))))),
    );
    if (mine !== turn) return; // a later setting has come meanwhile
    let [text, sum] = [corners[0][0][0], corners[0][1]];
    for (const [answer, weight] of corners.slice(1)) {
      sum += weight;
      text = between(text, answer[0], weight / sum);
    }
    words.innerHTML = text + (corners.length > 1 ? " <i>(between stored answers)</i>" : "");
    shownOn.forEach((canvas, i) => {
      canvas.hidden = shown[i].some((bitmap) => !bitmap);
      if (canvas.hidden) return;
      draw(canvas, shown[i], corners.map(([, weight]) => weight));
      const which = shownOn.length > 1 ? `, picture ${i + 1}` : "";
      canvas.setAttribute("aria-label", `${content.what}${which}; ${told(byName)}`);
    });
    if (view) await view.show(told(byName));
    if (mine === turn) place.dataset.shown = mine;
  };

  const { node, byName } = makeControls(content.controls, content.off, show);
  const pictures = view ? [view.node, ...canvases] : canvases;
  place.replaceChildren(node, words, element("div", { class: "nst-shown" }, ...pictures));
  onTheme(() => { if (isDark(place) !== dark) show(); });
  return show();
}

/** Two pictures in one place, with a divider between, as the notebooks show them. */
function comparison(width) {
  const [node, ...canvases] = [element("div"), element("canvas"), element("canvas")];
  node.style.flexBasis = width;
  const view = new Model({
    before: null, after: null, width: 3, height: 2, position: 50, finished: false, filmed: false,
    alt_before: "before", alt_after: "after",
  });
  compare.render({ model: view, el: node });
  const show = async (settings) => {
    const [before, after] = await Promise.all(canvases.map((canvas) => bytesOf(canvas)));
    const changes = {
      before, after, width: canvases[1].width, height: canvases[1].height,
      alt_before: "before", alt_after: `after; ${settings}`,
    };
    for (const [name, value] of Object.entries(changes)) view.set(name, value);
  };
  return { node, canvases, show };
}

/** Draw the weighted mean of pictures of one size. */
export function draw(canvas, bitmaps, weights) {
  const [{ width, height }] = bitmaps;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  let sum = 0;
  bitmaps.forEach((bitmap, i) => {
    sum += weights[i];
    context.globalAlpha = weights[i] / sum;
    context.drawImage(bitmap, 0, 0);
  });
}
