// Bicubic with antialiasing, as `torch.nn.functional.interpolate(..., antialias=True)`.

const A = -0.5;

function cubic(x) {
  const t = Math.abs(x);
  if (t < 1) return ((A + 2) * t - (A + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * A;
  return 0;
}

/** For each of `to` places: the first of `from` places that counts, and the weights from there. */
function taps(from, to) {
  const scale = from / to;
  const wide = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = Math.max(0, Math.trunc(centre - 2 * wide + 0.5));
    const end = Math.min(from, Math.trunc(centre + 2 * wide + 0.5));
    const weights = Array.from({ length: end - first }, (_n, k) => (
      cubic((first + k - centre + 0.5) / wide)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return [first, weights.map((w) => w / sum)];
  });
}

/** Planes (3, H, W), one after the other in a Float32Array, at another size. */
export function resize(planes, [height, width], [rows, columns]) {
  if (height === rows && width === columns) return planes;
  const across = taps(width, columns);
  const down = taps(height, rows);
  const narrow = new Float32Array(3 * height * columns);
  for (let y = 0; y < 3 * height; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const [first, weights] = across[x];
      let sum = 0;
      for (let k = 0; k < weights.length; k += 1) sum += weights[k] * planes[y * width + first + k];
      narrow[y * columns + x] = sum;
    }
  }
  const small = new Float32Array(3 * rows * columns);
  for (let c = 0; c < 3; c += 1) {
    for (let y = 0; y < rows; y += 1) {
      const [first, weights] = down[y];
      for (let k = 0; k < weights.length; k += 1) {
        const from = (c * height + first + k) * columns;
        const to = (c * rows + y) * columns;
        for (let x = 0; x < columns; x += 1) small[to + x] += weights[k] * narrow[from + x];
      }
    }
  }
  return small;
}
