// Runs networks beside the page, so that it stays responsive; one thread, no special headers.

import { generator } from "./random.js";
import { resize } from "./resize.js";
import * as ort from "./runtime/ort.wasm.bundle.min.mjs";

const HERE = new URL(".", import.meta.url);
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("runtime/ort-wasm-simd-threaded.wasm", HERE).href };
ort.env.logLevel = "error";

const sessions = new Map();

function session(name) {
  if (!sessions.has(name)) {
    const address = new URL(`networks/${name}.onnx`, HERE).href;
    sessions.set(name, ort.InferenceSession.create(address, { executionProviders: ["wasm"] }));
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
