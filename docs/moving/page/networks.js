// The page's side of a network: pictures to numbers and back, and one worker for all.

const HERE = import.meta.url;

let worker = null;
let count = 0;
const waiting = new Map();

function start() {
  worker = globalThis.nstWorker ?? new Worker(new URL("worker.js", HERE), { type: "module" });
  delete globalThis.nstWorker;
  worker.addEventListener("message", ({ data }) => {
    if (!waiting.has(data.id)) return; // begin.js asked
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) reject(new Error(data.error));
    else resolve(data);
  });
  worker.addEventListener("error", (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message ?? "not loaded"));
    waiting.clear();
    worker = null;
  });
}

function ask(kind, job) {
  if (!worker) start();
  const id = count += 1;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ ...job, kind, id });
  });
}

/** Run a network; {network, shape, content, seed, strengths} → {picture, height, width, …}. */
export const run = (job) => ask("run", job);

/** Load the runtime and a network before they are asked for, unless the visitor saves data.
 * Returns whether they are there. */
export async function warm(network) {
  const { saveData, effectiveType } = navigator.connection ?? {};
  if (saveData || /2g$/.test(effectiveType)) return false;
  try {
    await ask("warm", { network });
    return true;
  } catch {
    return false; // who asks for a picture asks for the same files, and is told why there is none
  }
}

/** A canvas's colours as planes (3, H, W), 0..1. */
export function planesOf(canvas) {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const size = width * height;
  const planes = new Float32Array(3 * size);
  for (let i = 0; i < size; i += 1) {
    for (let c = 0; c < 3; c += 1) planes[c * size + i] = data[4 * i + c] / 255;
  }
  return planes;
}

/** Planes (3, H, W), 0..1, on a canvas of their size. */
export function paintOn(canvas, { picture, height, width }) {
  Object.assign(canvas, { width, height });
  const size = width * height;
  const pixels = new ImageData(width, height);
  for (let i = 0; i < size; i += 1) {
    for (let c = 0; c < 3; c += 1) pixels.data[4 * i + c] = 255 * picture[c * size + i] + 0.5;
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}
