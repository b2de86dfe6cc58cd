// Runs networks beside the page, so that it stays responsive; one thread, no special headers. What
// it imports is imported when it runs: at its start the page, which has other work, would load it.

const HERE = new URL(".", import.meta.url);

// Rewriting the network's graph takes longer than it saves.
const OPTIONS = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled" };

/** A file beside this one, unpacked, unless the host has done so on the way. */
async function unpacked(path) {
  const answer = await fetch(new URL(path, HERE));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The runtime, its script and its machine code loaded side by side. */
async function load() {
  const [ort, code] = await Promise.all([
    import("./runtime/ort.wasm.bundle.min.mjs"),
    unpacked("runtime/ort-wasm-simd-threaded.wasm.gz"),
  ]);
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: code.buffer });
  ort.env.logLevel = "error";
  return ort;
}

let runtime = null;
const runtimeOnce = () => {
  runtime ??= load().catch((error) => { runtime = null; throw error; });
  return runtime;
};
const sessions = new Map();

/** The runtime, and a network ready to run; asked for again, the same ones. What could not be
 * loaded is tried anew. */
function session(name) {
  if (!sessions.has(name)) {
    const loaded = Promise.all([runtimeOnce(), unpacked(`networks/${name}.onnx.gz`)])
      .then(async ([ort, model]) => (
        [ort, await ort.InferenceSession.create(model, OPTIONS)]));
    loaded.catch(() => { sessions.delete(name); });
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

async function feeds(ort, { network, shape, content, seed, strengths }) {
  const tensor = (data, ...dims) => new ort.Tensor("float32", data, dims);
  if (!network.scales) return { content: tensor(content, 1, 3, ...shape) };
  const [{ generator }, { resize }] = await Promise.all([
    import("./random.js"), import("./resize.js"),
  ]);
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

/** Load a network before a picture is asked for. */
async function warm({ network }) {
  await session(network.name);
  return {};
}

async function run(job) {
  const [ort, running] = await session(job.network.name);
  const inputs = await feeds(ort, job);
  const begin = performance.now();
  const { picture } = await running.run(inputs);
  const [, , height, width] = picture.dims;
  return { picture: picture.data, height, width, milliseconds: performance.now() - begin };
}

const KINDS = { warm, run };

self.addEventListener("message", async ({ data: { id, kind, ...job } }) => {
  try {
    self.postMessage({ id, ...await KINDS[kind](job) });
  } catch (error) {
    self.postMessage({ id, error: String(error?.message ?? error) });
  }
});
