// The layer explorer: the strongest unit's field on the picture, and the map of one channel.

import { makeControls } from "./controls.js";
import { element } from "./host.js";

const SCALE = 2; // pixels on the page for one of the picture

function once(load) {
  const known = new Map();
  return (name) => {
    if (!known.has(name)) known.set(name, load(name));
    return known.get(name);
  };
}

export function render({ place, content, folder }) {
  const bitmap = once(async (path) => {
    const answer = await fetch(new URL(path, folder));
    return createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
  });
  const channelsOf = once(async (picture) => {
    const answer = await fetch(new URL(`${picture}/channels.json`, folder));
    return answer.json();
  });
  const words = element("p", { class: "nst-words", "aria-live": "polite" });
  const views = ["where the channel responds most", "the channel's map"].map((title) => {
    const canvas = element("canvas", { role: "img" });
    const caption = element("figcaption", {}, title);
    return { canvas, caption, figure: element("figure", {}, canvas, caption) };
  });
  let turn = 0;
  let deep = null; // the layer that the slider of channels is made for

  const show = async () => {
    const mine = turn += 1;
    const picture = byName.picture.spec.labels[byName.picture.index];
    const [layer, count, step, beyond] = content.layers[byName.layer.index];
    if (deep !== layer) {
      deep = layer;
      const before = byName.channel.index;
      if (before >= count) byName.channel.place(count - 1);
      byName.channel.relabel(Array.from({ length: count }, (_, i) => String(i)));
    }
    const rank = Math.min(byName.channel.index, count - 1);
    const [channels, photograph, sheet] = await Promise.all([
      channelsOf(picture), bitmap(`${picture}/picture.webp`), bitmap(`${picture}/${layer}.webp`),
    ]);
    if (mine !== turn) return;
    const { order, peak, place: places, active } = channels[layer];
    const channel = byName.order.index === content.by_number ? rank : order[rank];
    const { height, width } = content.pictures[picture];
    const [rows, columns] = [Math.floor(height / step), Math.floor(width / step)];
    const [row, column] = [Math.floor(places[channel] / columns), places[channel] % columns];
    const side = step + 2 * beyond;
    boxed(photograph, row * step - beyond, column * step - beyond, side);
    map(sheet, layer, channel, rows, columns, width / height);
    const told = active[channel] === "0%" && peak[channel] === "0"
      ? "Inactive on this whole picture."
      : `Active at ${active[channel]} of the places; strongest, ${peak[channel]}, in row ${row}, `
        + `column ${column}.`;
    words.innerHTML = `<b>${layer}, channel ${channel}</b>: ${columns} × ${rows} places, ${step} px `
      + `apart; each sees ${side} × ${side} px. ${told}`;
    views[0].canvas.setAttribute("aria-label", `${picture}, with the field of the strongest unit`);
    views[1].canvas.setAttribute("aria-label", `Map of ${layer}, channel ${channel}, on ${picture}`);
    views[0].caption.textContent = `Where the channel responds most: its field, ${side} × ${side}`;
    views[1].caption.textContent = `${layer}, channel ${channel}`;
    Object.assign(place.dataset, { shown: mine, field: [row, column, side].join(",") });
  };

  const boxed = (photograph, top, left, side) => {
    const { canvas } = views[0];
    const [width, height] = [SCALE * photograph.width, SCALE * photograph.height];
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(photograph, 0, 0, width, height);
    context.strokeStyle = content.box;
    context.lineWidth = 4;
    context.strokeRect(SCALE * left, SCALE * top, SCALE * side, SCALE * side);
  };

  const map = (sheet, layer, channel, rows, columns, shape) => {
    const cell = content.cells[layer];
    const [high, wide] = [rows, columns].map((length) => Math.ceil(length / cell) * cell);
    const small = element("canvas", { width: columns, height: rows });
    const context = small.getContext("2d", { willReadFrequently: true });
    const [x, y] = [channel % content.across, Math.floor(channel / content.across)];
    context.drawImage(sheet, x * wide, y * high, columns, rows, 0, 0, columns, rows);
    const pixels = context.getImageData(0, 0, columns, rows);
    for (let i = 0; i < pixels.data.length; i += 4) {
      const grey = 3 * pixels.data[i];
      for (let c = 0; c < 3; c += 1) pixels.data[i + c] = content.colors[grey + c];
    }
    context.putImageData(pixels, 0, 0);
    const { canvas } = views[1];
    const larger = Math.max(1, Math.round((SCALE * Math.sqrt(65536 * shape)) / columns));
    Object.assign(canvas, { width: larger * columns, height: larger * rows });
    const large = canvas.getContext("2d");
    large.imageSmoothingEnabled = false;
    large.drawImage(small, 0, 0, canvas.width, canvas.height);
  };

  const controls = content.controls.map((control) => (
    control.looks ? { ...control, looks: control.looks.map((path) => new URL(path, folder)) } : control));
  const { node, byName } = makeControls(controls, {}, show);
  place.replaceChildren(
    node, words, element("div", { class: "nst-shown" }, ...views.map(({ figure }) => figure)),
  );
  return show();
}
