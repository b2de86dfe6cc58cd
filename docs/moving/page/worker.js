// Runs networks beside the page, so that it stays responsive; one thread, no special headers.

import { generator } from "./random.js";
import { resize } from "./resize.js";
import * as ort from "./runtime/ort.wasm.bundle.min.mjs";

const HERE = new URL(".", import.meta.url);
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** A file beside this one, unpacked, unless the host has done so on the way. */
async function unpacked(path) {
  const answer = await fetch(new URL(path, HERE));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const sessions = new Map();
let runtime = null;

/** A network ready to run; asked for again, the same one. What could not be loaded is tried anew. */
function session(name) {
  if (!sessions.has(name)) {
    runtime ??= unpacked("runtime/ort-wasm-simd-threaded.wasm.gz").then((bytes) => {
      ort.env.wasm.wasmBinary = bytes.buffer;
    });
    const loaded = Promise.all([unpacked(`networks/${name}.onnx.gz`), runtime])
      .then(([model]) => ort.InferenceSession.create(model, { executionProviders: ["wasm"] }));
    loaded.catch(() => { sessions.delete(name); runtime = null; });
    sessions.set(name, loaded);
  }
  return sessions.get(name);
}

/** Sizes of the noise, coarse to fine: each half of the next, rounded up, 2 at least. */
function pyramid([height, width], scales) {
  return Array.from({ length: scales }, (_, i) => {
    const part = 2 ** (scales - 1 - i);
    return [Math.max(2, Math.ceil(height / part)), Math.max(2, Math.ceil(width / part))];
  });
}

const tensor = (data, ...dims) => new ort.Tensor("float32", data, dims);

function feeds({ network, shape, content, seed, strengths }) {
  if (!network.scales) return { content: tensor(content, 1, 3, ...shape) };
  const draw = generator(seed);
  const all = { strengths: tensor(Float32Array.from(strengths), strengths.length) };
  pyramid(shape, network.scales).forEach((size, k) => {
    const count = network.depth * size[0] * size[1];
    all[`noise_${k}`] = tensor(draw(count), 1, network.depth, ...size);
    if (!network.stylizes) return;
    all[`content_${k}`] = tensor(resize(content, shape, size), 1, 3, ...size);
  });
  return all;
}

self.addEventListener("message", async ({ data: job }) => {
  try {
    const running = await session(job.network.name);
    const begin = performance.now();
    const { picture } = await running.run(feeds(job));
    const [, , height, width] = picture.dims;
    const milliseconds = performance.now() - begin;
    self.postMessage({ id: job.id, picture: picture.data, height, width, milliseconds });
  } catch (error) {
    self.postMessage({ id: job.id, error: String(error?.message ?? error) });
  }
});
