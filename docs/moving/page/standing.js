// Strengths from pairwise votes, as `nst_tutorial.league.bradley_terry`, which explains them.

const [ROUNDS, TOLERANCE] = [10000, 1e-10];

const square = (n) => Array.from({ length: n }, () => new Float64Array(n));

function inverse(matrix) {
  const n = matrix.length;
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => Number(i === j))]);
  for (let i = 0; i < n; i += 1) {
    const pivot = rows.slice(i).reduce((best, row, k) => (
      Math.abs(row[i]) > Math.abs(rows[best][i]) ? i + k : best), i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    const factor = rows[i][i];
    rows[i] = rows[i].map((x) => x / factor);
    rows.forEach((row, k) => {
      if (k !== i && row[i]) rows[k] = row.map((x, j) => x - row[i] * rows[i][j]);
    });
  }
  return rows.map((row) => row.slice(n));
}

/** Votes {first, second, winner} → {name, strength, error, seen}, the strongest first. */
export function ranking(votes, prior) {
  const names = [...new Set(votes.flatMap(({ first, second }) => [first, second]))].sort();
  const n = names.length;
  const [wins, met] = [new Float64Array(n), square(n)];
  for (const { first, second, winner } of votes) {
    const [a, b] = [names.indexOf(first), names.indexOf(second)];
    met[a][b] += 1;
    met[b][a] += 1;
    for (const i of [a, b]) wins[i] += winner === null ? 0.5 : Number(names[i] === winner);
  }
  let pi = new Float64Array(n).fill(1);
  for (let round = 0; round < ROUNDS; round += 1) {
    const last = pi;
    pi = last.map((p, i) => (wins[i] + prior)
      / (last.reduce((sum, q, j) => sum + met[i][j] / (p + q), 0) + (2 * prior) / (p + 1)));
    if (Math.max(...pi.map((p, i) => Math.abs(Math.log(p / last[i])))) < TOLERANCE) break;
  }
  const information = square(n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n; j += 1) {
      const weight = (met[i][j] * pi[i] * pi[j]) / (pi[i] + pi[j]) ** 2;
      information[i][j] -= weight;
      information[i][i] += weight;
    }
    information[i][i] += (2 * prior * pi[i]) / (pi[i] + 1) ** 2;
  }
  const covariance = inverse(information.map((row) => [...row]));
  const mean = (list) => list.reduce((sum, x) => sum + x, 0) / n;
  const rows = covariance.map(mean);
  const all = mean(rows);
  const logs = [...pi].map(Math.log);
  const middle = mean(logs);
  return names.map((name, i) => ({
    name,
    strength: logs[i] - middle,
    error: Math.sqrt(covariance[i][i] - 2 * rows[i] + all),
    seen: Math.round(met[i].reduce((sum, x) => sum + x, 0)),
  })).sort((a, b) => b.strength - a.strength || (a.name < b.name ? -1 : 1));
}
