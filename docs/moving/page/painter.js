// A visitor's photograph, repainted in the page: picked or dropped, compared, saved.

import compare from "./compare_view.js";
import { makeControls } from "./controls.js";
import { Model, bytesOf, element } from "./host.js";
import { paintOn, planesOf, run, warm } from "./networks.js";
import picker from "./picture_picker.js";

const LIMIT = 50e6; // bytes of a file
const TYPES = { PNG: "image/png", JPEG: "image/jpeg" };
const SUFFIXES = { PNG: "png", JPEG: "jpg" };

/** A picture on a canvas, its longer side `size` pixels. */
async function photograph(blob, size) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  const scale = size / Math.max(bitmap.width, bitmap.height);
  const canvas = element("canvas", {
    width: Math.max(16, Math.round(bitmap.width * scale)),
    height: Math.max(16, Math.round(bitmap.height * scale)),
  });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas;
}

export async function render({ place, content, folder }) {
  const loaded = warm(content.networks[0]);
  const files = new Map(); // name → the bytes of a photograph
  const file = async (name, part = "") => {
    if (files.has(name)) return files.get(name);
    const answer = await fetch(new URL(`${name}${part}.webp`, folder));
    return answer.blob();
  };
  const status = element("p", { class: "nst-words", "aria-live": "polite" });
  const painted = element("canvas");

  const { node, byName } = makeControls([
    {
      name: "network", kind: "choice", label: "painter", tip: "which style it was trained for",
      labels: content.networks.map(({ label }) => label), index: 0,
    },
    {
      name: "size", kind: "slider", label: "size, pixels", tip: "of the longer side",
      labels: content.sizes.map(String), index: 0,
    },
  ], {}, () => {
    if (asked) paint();
    else warm(content.networks[byName.network.index]);
  });

  const choose = new Model({
    label: "Your photograph: drop it here, or take one of these", options: content.examples,
    value: content.examples[0], limit: LIMIT, accept: "image/*",
  }, async (message, buffers) => {
    if (message.kind === "look") {
      const blobs = await Promise.all(message.names.map((name) => file(name, "_small")));
      const looks = await Promise.all(blobs.map((blob) => blob.arrayBuffer()));
      choose.tell({ kind: "pictures", names: message.names }, looks);
      return;
    }
    choose.tell({ kind: "taken" });
    if (message.kind === "too large") status.textContent = `${message.name} is larger than 50 MB`;
    else if (message.kind === "unread") status.textContent = `${message.name}: ${message.why}`;
    else take(message.name, new Blob(buffers));
  });
  const view = new Model({
    before: null, after: null, alt_before: "the photograph", alt_after: "the photograph, repainted",
    width: 3, height: 2, position: 0, finished: false, filmed: false,
  }, async (message) => {
    if (message.kind !== "download") return;
    const { format } = message;
    const type = TYPES[format];
    const answer = { kind: type ? "file" : "none", view: message.view, format };
    if (!type) { view.tell(answer); return; }
    view.tell({ ...answer, name: `repainted.${SUFFIXES[format]}` }, [await bytesOf(painted, type)]);
  });
  const go = element("button", { type: "button", class: "nst-go" }, "Paint");
  const [pick, shown] = [element("div"), element("div")];
  let asked = false;
  let turn = 0;

  const take = async (name, blob) => {
    try {
      (await createImageBitmap(blob)).close();
    } catch {
      status.textContent = `${name} is no picture that this browser can read`;
      return;
    }
    files.set(name, blob);
    if (!choose.get("options").includes(name)) choose.set("options", [...choose.get("options"), name]);
    if (choose.get("value") === name) paint();
    else choose.set("value", name); // and so it is painted
  };

  const paint = async () => {
    asked = true;
    const mine = turn += 1;
    const begin = performance.now();
    const network = content.networks[byName.network.index];
    place.setAttribute("aria-busy", "true");
    status.textContent = "painting … (the first time 5.5 MB are loaded)";
    try {
      const name = choose.get("value");
      const canvas = await photograph(await file(name), content.sizes[byName.size.index]);
      const before = bytesOf(canvas);
      const { width, height } = canvas;
      const answer = await run({
        network, shape: [height, width], content: planesOf(canvas), seed: 0,
        strengths: Array(network.scales).fill(1),
      });
      if (mine !== turn) return;
      paintOn(painted, answer);
      view.set("before", await before);
      view.set("after", await bytesOf(painted));
      view.set("width", width);
      view.set("height", height);
      view.set("alt_before", `the photograph ${name}`);
      view.set("alt_after", `${name}, repainted: ${network.label}`);
      view.set("finished", true);
      const all = (performance.now() - begin) / 1000;
      status.textContent = `${width} × ${height} pixels, painted on this computer: the network took `
        + `${(answer.milliseconds / 1000).toFixed(2)} s, everything ${all.toFixed(2)} s. `
        + "Drag the divider to compare. The photograph has not left this computer.";
      place.dataset.shown = mine;
    } catch (error) {
      if (mine === turn) status.textContent = `This could not be painted: ${error.message}`;
    } finally {
      if (mine === turn) place.removeAttribute("aria-busy");
    }
  };

  go.addEventListener("click", paint);
  choose.on("change:value", paint);
  picker.render({ model: choose, el: pick });
  compare.render({ model: view, el: shown });
  node.append(go);
  status.textContent = "Choose or drop a photograph, or press Paint: the network runs in this page. "
    + "Nothing is sent anywhere; 5.5 MB are loaded once.";
  place.replaceChildren(pick, node, status, shown);
  const first = await file(content.examples[0]);
  const { width, height } = await createImageBitmap(first);
  view.set("width", width);
  view.set("height", height);
  view.set("after", new Uint8Array(await first.arrayBuffer()));
  view.set("alt_after", `the photograph ${content.examples[0]}`);
  loaded.then((there) => { if (there && !asked) paint(); }); // something to see, at once
}
