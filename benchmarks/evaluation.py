"""One evaluation of loss and gradient: ours, pastiche's, and this machine's matrix products.

    python benchmarks/evaluation.py [--sizes 512 …] [--rounds 7]

Five style layers (relu1_1 … relu5_1), one content layer (relu4_2), max pooling, the same pictures.
The three take turns in one process and the medians are compared, so that a busy machine hurts all.
A further fresh process each measures the peak memory of three evaluations.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import nst_tutorial as nst
from nst_tutorial.allocator import keep_freed_memory
from nst_tutorial.presets import PRESETS
from nst_tutorial.transfer import make_objective
from nst_tutorial.weights import CHANNELS, CONVOLUTIONS

CONTENT, STYLE = "astronaut", "starry_night"


def flops(height: int, width: int) -> float:
    """Of the direct convolutions up to relu5_1, forward and for the gradient of the input."""
    total, before = 0.0, 3
    for name in CONVOLUTIONS[: CONVOLUTIONS.index("conv5_1") + 1]:
        block = int(name[4]) - 1
        pixels = (height >> block) * (width >> block)
        total += 2 * 9 * before * CHANNELS[block] * pixels
        before = CHANNELS[block]
    return 2 * total


def ours(content: torch.Tensor, style: torch.Tensor):
    keep_freed_memory()
    objective = make_objective(nst.VGG19(device="cpu"), content, style, PRESETS["default"])
    return lambda: objective.value_and_gradient(content)


def pastiche(content: torch.Tensor, style: torch.Tensor):
    from pastiche.pastiche import PasticheArtist

    with tempfile.TemporaryDirectory() as folder:
        paths = [
            nst.save_image(x, Path(folder, f"{i}.png")) for i, x in enumerate((content, style))
        ]
        artist = PasticheArtist(
            str(paths[0]), [str(paths[1])], device="cpu",
            size=tuple(content.shape[2:]), style_size=tuple(style.shape[2:]),
        )  # fmt: skip

    def evaluate():
        artist.optimizer.zero_grad()
        artist._calc_loss().backward()

    return evaluate


def sgemm(n: int = 2048):
    a, b = torch.rand(2, n, n)
    return lambda: a @ b


def seconds(function) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def compare(size: int, rounds: int) -> None:
    pictures = nst.load_image(CONTENT, size), nst.load_image(STYLE, size)
    height, width = pictures[0].shape[2:]
    # Keeping freed memory is set for the whole process here, so pastiche profits from it too.
    runs = {"pastiche": pastiche(*pictures), "ours": ours(*pictures), "sgemm": sgemm()}
    times = {name: [] for name in runs}
    for i in range(rounds + 1):
        for name, run in runs.items():
            spent = seconds(run)
            if i > 0:
                times[name].append(spent)
    median = {name: statistics.median(t) for name, t in times.items()}
    rate = 2 * 2048**3 / median["sgemm"]
    bound = flops(height, width) / rate
    print(f"{width}×{height}, {flops(height, width) / 1e9:.0f} GFLOP if convolved directly")
    print(f"  pastiche              {median['pastiche']:7.3f} s")
    print(f"  nst_tutorial          {median['ours']:7.3f} s")
    print(f"  direct at sgemm rate  {bound:7.3f} s   ({rate / 1e9:.0f} GFLOP/s)")
    print(f"  {median['pastiche'] / median['ours']:.2f} times as fast as pastiche,")
    print(f"  {100 * bound / median['ours']:.0f} % of sgemm, counting direct convolutions")


def peak_memory(which: str, size: int) -> None:
    """Runs in its own process: print the peak resident size in GB after three evaluations."""
    evaluate = {"ours": ours, "pastiche": pastiche}[which](
        nst.load_image(CONTENT, size), nst.load_image(STYLE, size)
    )
    for _ in range(3):
        evaluate()
    # Not getrusage: after a fork its maximum begins with the parent's.
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[512])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peak-memory", choices=("ours", "pastiche"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_memory:
        peak_memory(options.peak_memory, options.sizes[0])
        return
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.machine()}, "
          f"{torch.backends.cpu.get_cpu_capability()}")  # fmt: skip
    for size in options.sizes:
        compare(size, options.rounds)
        for which in ("pastiche", "ours"):
            command = [sys.executable, __file__, "--sizes", str(size), "--peak-memory", which]
            found = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"  peak memory, {which:8}  {float(found.stdout.split()[-1]):6.2f} GB")


if __name__ == "__main__":
    main()
