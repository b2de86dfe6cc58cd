"""The time until ours is as good as what pastiche has after 200 steps, by pastiche's objective.

    python benchmarks/time_to_loss.py [--size 512] [--pairs 0 1] [--content-weights 1.3]
        [--coarse 60] [--history 50]

Both start from the content and use the same layers, weights and pictures. pastiche's 200 L-BFGS
steps come in slices, alternating with ours in one run. Three marks are measured, with C and S the
content and style loss as pastiche weighs them:

* total: C + S at or below pastiche's;
* style: S at or below pastiche's;
* both: C at or below pastiche's, and S too.

Two optimisers take different ways along the trade-off of C and S, so that ours may have much less
S and a little more C for the same total. To reach *both*, ours may weigh content by another factor
(`--content-weights`); C and S are reported as pastiche weighs them all the same. With `--coarse`
ours begins with so many evaluations at half the size, as `stylize` does; their time counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

from peers import PAIRS, STYLE_LAYERS, Pastiche, headline, same_objective

import nst_tutorial as nst
from nst_tutorial.machine.malloc import keep_freed_memory
from nst_tutorial.optimize.loop import minimize
from nst_tutorial.optimize.methods import LBFGS
from nst_tutorial.optimize.parametrization import Fourier
from nst_tutorial.vgg.calibration import fastest

STEPS, SLICE = 200, 20


def coarse_start(model, content, style, content_weight: float, steps: int, history: int):
    """The picture worked out at half the size and enlarged, with the content's fine detail."""
    half = [nst.resize(x, tuple(side // 2 for side in x.shape[2:])) for x in (content, style)]
    engine = same_objective(model, *half, content_weight)
    small = minimize(engine, half[0], steps=steps, lbfgs_pairs=history).image
    return content + nst.resize(small - half[0], tuple(content.shape[2:]))


def ours(
    content, style, content_weight: float, coarse: int, history: int
) -> Iterator[tuple[float, float, float]]:
    """Yield (seconds so far, C, S) after each evaluation: the loop of `optimize.minimize`, L-BFGS
    on Fourier coefficients, opened so that it can take turns.

    With the paths of this machine; where those are of reduced precision, C and S are computed in
    float32 all the same, and that is not counted.
    """
    spent = time.perf_counter()
    model = fastest(nst.VGG19(device="cpu"), float("inf"))
    judge = same_objective(model.with_paths("winograd"), content, style)
    plain = judge.term_weights
    engine = same_objective(model, content, style, content_weight)
    start = content
    if coarse:
        start = coarse_start(model, content, style, content_weight, coarse, history)
    basis, method = Fourier(content.shape), LBFGS(history)
    z = basis.from_image(start)
    spent = time.perf_counter() - spent
    while True:
        begin = time.perf_counter()
        before = z
        found = engine.value_and_gradient(basis.to_image(z))
        z = z + method.step(z, basis.pull_back(found.gradient))
        spent += time.perf_counter() - begin
        terms = found.terms
        if model.precision != "float32":
            terms = judge.value_and_gradient(basis.to_image(before)).terms
        C = plain["content"] * terms["content"]
        S = sum(plain[f"style {n}"] * terms[f"style {n}"] for n in STYLE_LAYERS)
        yield spent, C, S


def compare(pair: tuple[str, str], options: argparse.Namespace) -> None:
    size, most = options.size, options.most
    content, style = (nst.load_image(name, size) for name in pair)
    peer = Pastiche(content, style)
    runs = {
        weight: ours(content, style, weight, options.coarse, options.history)
        for weight in options.content_weights
    }
    rows: dict[float, list] = {weight: [] for weight in runs}
    theirs = 0.0
    for _ in range(STEPS // SLICE):
        theirs += sum(peer.step() for _ in range(SLICE))
        for weight, run in runs.items():
            rows[weight] += [next(run) for _ in range(SLICE) if len(rows[weight]) < most]
    C0, S0 = peer.losses()
    peer.close()
    print(f"{pair[0]} in the style of {pair[1]}, {size} px: pastiche {theirs:.0f} s for {STEPS} "
          f"steps, C {C0:.4g}, S {S0:.4g}")  # fmt: skip
    marks = {
        "total": lambda C, S: C + S <= C0 + S0,
        "style": lambda C, S: S <= S0,
        "both": lambda C, S: C <= C0 and S <= S0,
    }
    for weight, history in rows.items():
        for name, reached in marks.items():
            found = next(
                ((i, *row) for i, row in enumerate(history, 1) if i > 1 and reached(*row[1:])), None
            )
            if found is None:
                _, C, S = history[-1]
                print(f"  content × {weight:g}  {name:6} not within {len(history)} evaluations "
                      f"(C {C / C0:.2f}, S {S / S0:.2f} of pastiche's)", flush=True)  # fmt: skip
                continue
            i, spent, C, S = found
            print(f"  content × {weight:g}  {name:6} {spent:5.0f} s, {i:3} evaluations: "
                  f"{theirs / spent:.2f} times as fast (C {C / C0:.2f}, S {S / S0:.2f})",
                  flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--pairs", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--content-weights", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--most", type=int, default=160, help="evaluations of ours")
    parser.add_argument("--coarse", type=int, default=0, help="evaluations at half the size first")
    parser.add_argument("--history", type=int, default=20, help="pairs that ours remembers")
    options = parser.parse_args()
    keep_freed_memory()
    print(headline())
    for number in options.pairs:
        compare(PAIRS[number], options)


if __name__ == "__main__":
    main()
