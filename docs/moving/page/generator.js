// A texture network under a hand: each setting is a pass of the network, in the page.

import { makeControls, told } from "./controls.js";
import { element } from "./host.js";
import { paintOn, planesOf, run } from "./networks.js";

async function bitmapOf(address) {
  const answer = await fetch(address);
  return createImageBitmap(await answer.blob());
}

export async function render({ place, content, folder }) {
  const words = element("p", { class: "nst-words", "aria-live": "polite" });
  const canvas = element("canvas", { role: "img", class: "nst-picture" });
  canvas.style.width = "24em";
  const pass = element("canvas");
  let photograph = null;
  let turn = 0;
  let running = false;
  let held = false; // while several controls are set

  const value = (name) => content.values[name][byName[name].index];
  const scales = content.controls.map(({ name }) => name).filter((name) => /^scale_/.test(name));

  const contentOf = async () => {
    if (!photograph) {
      const bitmap = await bitmapOf(new URL("content.webp", folder));
      photograph = element("canvas", { width: bitmap.width, height: bitmap.height });
      photograph.getContext("2d", { willReadFrequently: true }).drawImage(bitmap, 0, 0);
    }
    return photograph;
  };

  /** The present setting; while a pass runs, only the last one asked for waits. */
  const show = async () => {
    turn += 1;
    if (running || held) return;
    running = true;
    let mine;
    do {
      mine = turn;
      await once(mine);
    } while (mine !== turn);
    running = false;
  };

  const once = async (mine) => {
    const name = value("generator");
    const network = { name, ...content.networks[name] };
    if (!place.dataset.shown) words.textContent = "loading the network … (4 MB, once)";
    try {
      let shape = [value("size"), value("size")];
      let planes = null;
      if (network.stylizes) {
        const picture = await contentOf();
        shape = [picture.height, picture.width];
        planes = planesOf(picture);
      }
      const answer = await run({
        network, shape, content: planes, seed: value("seed"), strengths: scales.map(value),
      });
      paintOn(pass, answer);
      tile(value("tiled") ? 2 : 1);
      words.textContent = `${canvas.width} × ${canvas.height} pixels; the pass took `
        + `${answer.milliseconds.toFixed(0)} ms`;
      canvas.setAttribute("aria-label", `${content.what}; ${told(byName)}`);
      place.dataset.shown = mine;
    } catch (error) {
      words.textContent = `This could not be painted: ${error.message}`;
    }
  };

  const tile = (copies) => {
    Object.assign(canvas, { width: copies * pass.width, height: copies * pass.height });
    const context = canvas.getContext("2d");
    for (let y = 0; y < copies; y += 1) {
      for (let x = 0; x < copies; x += 1) context.drawImage(pass, x * pass.width, y * pass.height);
    }
  };

  const { node, byName } = makeControls(content.controls, {}, show);
  const reset = element("button", { type: "button" }, "all scales to 1");
  reset.addEventListener("click", () => {
    held = true;
    for (const name of scales) byName[name].place(content.values[name].indexOf(1));
    held = false;
    show();
  });
  node.append(reset);
  place.replaceChildren(node, words, element("div", { class: "nst-shown" }, canvas));
  const [file, width, height] = content.pictures[0];
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").drawImage(await bitmapOf(new URL(file, folder)), 0, 0);
  canvas.setAttribute("aria-label", `${content.what}; ${told(byName)}`);
  words.textContent = "Move a control: the network is loaded (4 MB, once) and runs in this page.";
}
