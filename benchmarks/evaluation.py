"""Seconds of one evaluation of loss and gradient: ours, pastiche's, and this machine's products.

    python benchmarks/evaluation.py [--sizes 256 512 1024] [--rounds 5]

The same objective on both sides: five style layers (relu1_1 … relu5_1), one content layer
(relu4_2), max pooling, the same pictures. All take turns and medians are compared, so that a busy
machine hurts all. "Ours" are the paths that calibration chose on this machine, block by block;
beside it, each path that it could choose, for all blocks. "Direct at sgemm rate" is what the
multiplications of the direct convolutions alone would take at the rate of this machine's own matrix
products, measured in the same turns.
"""

from __future__ import annotations

import argparse

import torch
from peers import PAIRS, Pastiche, flops, headline, medians, same_objective, seconds, sgemm

import nst_tutorial as nst
from nst_tutorial.machine.malloc import keep_freed_memory
from nst_tutorial.vgg.calibration import fastest
from nst_tutorial.vgg.paths import candidates

NAMES = candidates(torch.device("cpu"))


def compare(size: int, rounds: int, model: nst.VGG19) -> None:
    content, style = (nst.load_image(name, size) for name in PAIRS[0])
    networks = {"ours": model, **{name: model.with_paths(name) for name in NAMES}}
    engines = {name: same_objective(each, content, style) for name, each in networks.items()}
    peer, rate = Pastiche(content, style), sgemm()

    def evaluate(engine) -> float:
        return seconds(lambda: engine.value_and_gradient(content))

    ours = {name: lambda engine=engine: evaluate(engine) for name, engine in engines.items()}
    found = medians({"pastiche": peer.evaluate, **ours, "rate": rate}, rounds)
    peer.close()
    height, width = content.shape[2:]
    bound = flops(height, width) / found["rate"]
    best = min(NAMES, key=found.__getitem__)
    cells = [f"{found[name]:.2f} s" for name in ("pastiche", "ours")]
    cells.append(f"**{found['pastiche'] / found['ours']:.2f}**")
    cells += [f"{found[name]:.2f}" for name in NAMES]
    cells += [f"{found['ours'] / found[best]:.2f}", f"{bound:.2f} s", f"{found['rate'] / 1e9:.0f}"]
    print(f"| {width} × {height} |", " | ".join(cells), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    keep_freed_memory()
    model = fastest(nst.VGG19(device="cpu"), float("inf"))
    print(headline())
    print(f"paths, block by block: {', '.join(model.paths)}\n")
    heads = ["pictures", "pastiche", "ours", "ratio", *NAMES, "ours / best of one path"]
    heads += ["direct at sgemm rate", "GFLOP/s"]
    print("|", " | ".join(heads), "|")
    print("|" + "---|" * len(heads))
    for size in options.sizes:
        compare(size, options.rounds, model)


if __name__ == "__main__":
    main()
