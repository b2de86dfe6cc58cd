"""Seconds of one evaluation of loss and gradient: ours, pastiche's, and this machine's products.

    python benchmarks/evaluation.py [--sizes 256 512 1024] [--rounds 5]

The same objective on both sides: five style layers (relu1_1 … relu5_1), one content layer
(relu4_2), max pooling, the same pictures. All take turns and medians are compared, so that a busy
machine hurts all. "Direct at sgemm rate" is what the multiplications of the direct convolutions
alone would take at the rate of this machine's own matrix products, measured in the same turns.
"""

from __future__ import annotations

import argparse

from peers import PAIRS, Pastiche, flops, headline, medians, same_objective, seconds, sgemm

import nst_tutorial as nst
from nst_tutorial.machine.malloc import keep_freed_memory


def compare(size: int, rounds: int) -> None:
    content, style = (nst.load_image(name, size) for name in PAIRS[0])
    engines = {
        name: same_objective(nst.VGG19(device="cpu", convolutions=name), content, style)
        for name in ("auto", "direct")
    }
    peer, rate = Pastiche(content, style), sgemm()
    found = medians(
        {
            "pastiche": peer.evaluate,
            "ours": lambda: seconds(lambda: engines["auto"].value_and_gradient(content)),
            "direct": lambda: seconds(lambda: engines["direct"].value_and_gradient(content)),
            "rate": rate,
        },
        rounds,
    )
    peer.close()
    height, width = content.shape[2:]
    bound = flops(height, width) / found["rate"]
    ours = found["ours"]
    print(f"{f'{width}×{height}':>10} {found['pastiche']:9.2f} {ours:9.2f} "
          f"{found['pastiche'] / ours:6.2f} {found['direct']:16.2f} {bound:20.2f} "
          f"{ours / bound:9.2f} {found['rate'] / 1e9:8.0f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    keep_freed_memory()
    print(headline())
    print(f"{'pictures':>10} {'pastiche':>9} {'ours':>9} {'ratio':>6} {'ours, direct':>16} "
          f"{'direct at sgemm rate':>20} {'ours/that':>9} {'GFLOP/s':>8}")  # fmt: skip
    for size in options.sizes:
        compare(size, options.rounds)


if __name__ == "__main__":
    main()
