// Exercises whose answer is numbers: the rules of `nst_tutorial.check`, hint by hint.

const CLOSE = 1e-3;

class Wrong extends Error {
  constructor(hint, more = "") { super(hint); this.more = more; }
}

function expect(holds, hint, more) { if (!holds) throw new Wrong(hint, more); }

const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;

function close(a, b) {
  const [one, other] = [[a].flat(), [b].flat()];
  const scale = Math.max(1e-12, ...[...one, ...other].map(Math.abs));
  return Math.max(...one.map((x, i) => Math.abs(x - other[i]))) <= CLOSE * scale;
}

/** A number as Python's `f"{value:.3g}"` writes it. */
export function general(value, digits) {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  if (power < -4 || power >= digits) {
    const size = String(Math.abs(power)).padStart(2, "0");
    return `${Number(mantissa)}e${power < 0 ? "-" : "+"}${size}`;
  }
  return String(Number(Number(value).toPrecision(digits)));
}

const moment = (z, k) => mean(z.map((x) => (x - mean(z)) ** k));

function skewedPair(x, y) {
  for (const [z, name] of [[x, "x"], [y, "y"]]) {
    expect(z.length >= 2 && z.every((value) => typeof value === "number"),
      `${name} should be a list of at least two numbers`);
  }
  expect(close(mean(x), mean(y)),
    `the means differ: ${general(mean(x), 4)} and ${general(mean(y), 4)}`,
    "add a constant to all values of one sample: its other central moments stay");
  const [first, second] = [moment(x, 2), moment(y, 2)];
  expect(first > 0 && second > 0,
    "a sample of equal values has no third moment: give it some spread");
  expect(close(first, second),
    `the variances differ: ${general(first, 4)} and ${general(second, 4)}`,
    "multiply the distances from the mean by a factor: the variance goes with its square");
  const [third, other] = [moment(x, 3), moment(y, 3)];
  expect(Math.abs(third - other) > 0.05 * first ** 1.5,
    `the third central moments agree, too: ${general(third, 3)} and ${general(other, 3)}`,
    "one sample should lean: many values a little below the mean, a few far above it");
  return `means and variances agree, third central moments are ${general(third, 3)} and `
    + `${general(other, 3)}`;
}

function blindSpot(x, y) {
  for (const [z, name] of [[x, "x"], [y, "y"]]) {
    expect(z.length && z.every((point) => Array.isArray(point) && point.length === 2),
      `${name} should be a list of points`, "one row a point, two channels");
  }
  const average = (z, value) => mean(z.map(value));
  const [means, squares, products] = [
    (z) => [0, 1].map((i) => average(z, (a) => a[i])),
    (z) => [0, 1].map((i) => average(z, (a) => a[i] ** 2)),
    (z) => average(z, (a) => a[0] * a[1]),
  ];
  expect(!close(means(x), means(y)),
    "the means agree, so the linear kernel does not see a difference either",
    "what does the sign of a do to a aᵀ?");
  const told = (z) => squares(z).map((value) => general(value, 3)).join(", ");
  expect(close(squares(x), squares(y)),
    `the mean squares of the channels differ: ${told(x)} and ${told(y)}`,
    "turn the sign of some points: squares do not change");
  expect(close([...squares(x), products(x)], [...squares(y), products(y)]),
    "the diagonals of G agree, but the means of the product of both channels do not",
    "turn the sign of both channels of a point together");
  return "the Gram matrix takes them for one and the same; the mean does not";
}

const RULES = { skewed_pair: skewedPair, blind_spot: blindSpot };

/** Judge an answer: {right, said, more}, `more` being a plainer hint for the second time. */
export function judge(rule, x, y) {
  try {
    return { right: true, said: `✔ right: ${RULES[rule](x, y)}`, more: "" };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { right: false, said: `not right yet: ${error.message}`, more: error.more };
  }
}
