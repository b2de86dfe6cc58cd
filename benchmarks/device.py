"""One script for a GPU: is all of it right there, and how fast is it?

    python benchmarks/device.py [--sizes 512 1024 2048 4096] [--crowsonkb FOLDER]

Features, gradients, tiles, checkpoints and the way out of too little memory, in every precision
that the device has, against float64 on the CPU; then evaluations a second and the peak of the
device's memory, of the default objective at square pictures, in the tiles that `plan` takes. Both
are Markdown tables for `README.md`. No row is begun after `--minutes`. The exit status is 1 if a
check fails. FOLDER is a checkout of style-transfer-pytorch (see `others.py`), whose iteration, one
evaluation and a step of Adam, is then timed beside ours.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import torch
from peers import in_a_fresh_process, seconds
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial.machine.device import choose_device
from nst_tutorial.presets import PRESETS
from nst_tutorial.tiling.engine import Engine
from nst_tutorial.transfer.builder import make_objective

PRECISIONS = ("float32", "bfloat16", "float16")
CHECKED = 128  # pixels
TILE = 64
LARGE = 1024  # pixels, of which a third of the memory holds tiles, but not the whole
SECONDS = 3.0  # in which evaluations are timed
SETTINGS = PRESETS["gram"]
LAYERS = [*SETTINGS.content_layers, *SETTINGS.style_layers]


class Bounds(NamedTuple):
    features: float  # ‖difference‖ / ‖feature‖, of the worst layer
    cosine: float  # of the angle between two gradients


BOUNDS = {
    "float32": Bounds(1e-4, 0.9999),
    "TF32": Bounds(2e-3, 0.995),  # what float32 convolutions are on CUDA from 8.0 on, 10 bits
    "float16": Bounds(2e-3, 0.995),  # 10 bits
    "bfloat16": Bounds(2e-2, 0.99),  # 7 bits
}


class Check(NamedTuple):
    name: str
    measured: str
    bound: str
    passed: bool


# --- what is compared ------------------------------------------------------------------------


def network(device: torch.device, precision: str) -> nst.VGG19:
    return nst.VGG19(device=device, precision=precision)


def pictures(size: int, device: torch.device) -> list[Tensor]:
    """A content and a style, square, and a picture between them."""
    content, style = (
        nst.resize(nst.load_image(name, size), (size, size)).to(device)
        for name in ("astronaut", "starry_night")
    )
    return [content, style, (content + style) / 2]


def engine_for(model: nst.VGG19, content: Tensor, style: Tensor, tile: int | None = None) -> Engine:
    return Engine(make_objective(model, content, style, SETTINGS, tile), tile)


def bounds_for(precision: str, device: torch.device) -> Bounds:
    on_tensor_cores = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    tf32 = precision == "float32" and on_tensor_cores and torch.backends.cudnn.allow_tf32
    return BOUNDS["TF32" if tf32 else precision]


# --- correctness -----------------------------------------------------------------------------


class Reference(NamedTuple):
    features: dict[str, Tensor]
    gradient: Tensor


def reference() -> Reference:
    """In float64 on the CPU."""
    model = network(torch.device("cpu"), "float32").double()
    content, style, image = (x.double() for x in pictures(CHECKED, model.device))
    gradient = engine_for(model, content, style).value_and_gradient(image).gradient
    return Reference(model(image, LAYERS), gradient)


def correctness(model: nst.VGG19, precision: str, exact: Reference) -> Iterator[Check]:
    """All checks of one precision on the network's device."""
    bounds = bounds_for(precision, model.device)
    content, style, image = pictures(CHECKED, model.device)
    yield check_features(model(image, LAYERS), exact.features, bounds)
    whole = engine_for(model, content, style)
    gradient = whole.value_and_gradient(image).gradient
    yield check_gradient("gradient", gradient, exact.gradient, bounds)
    tiled = Engine(whole.objective, TILE).value_and_gradient(image).gradient
    yield check_gradient(f"gradient in tiles of {TILE} px", tiled, gradient, bounds)
    yield from check_checkpoint(model)
    if model.device.type == "cuda":
        yield check_too_little_memory(model, bounds)


def check_features(features: dict[str, Tensor], exact: dict[str, Tensor], bounds: Bounds) -> Check:
    errors = {
        layer: float((features[layer].double().cpu() - f).norm() / f.norm())
        for layer, f in exact.items()
    }
    passed = all(error <= bounds.features for error in errors.values())  # NaN does not
    worst = max(errors, key=lambda layer: (math.isnan(errors[layer]), errors[layer]))
    return Check(f"features, {worst}", f"{errors[worst]:.1e}", f"≤ {bounds.features:g}", passed)


def check_gradient(name: str, gradient: Tensor, exact: Tensor, bounds: Bounds) -> Check:
    a, b = (x.detach().double().cpu().flatten() for x in (gradient, exact))
    cosine = float(a @ b / (a.norm() * b.norm()))
    measured = f"cosine {cosine:.5f}, norm × {float(a.norm() / b.norm()):.4f}"
    return Check(name, measured, f"cosine ≥ {bounds.cosine:g}", cosine >= bounds.cosine)


def check_checkpoint(model: nst.VGG19, steps: int = 8) -> Iterator[Check]:
    """Two runs are equal bit for bit, and so is one that was stopped half way and resumed."""
    content, style, _ = pictures(64, model.device)

    def run(**options) -> Tensor:
        return nst.stylize(content, style, model=model, kernel="gram", steps=steps, **options).image

    image = run()
    yield check_equal("the same run twice", run(), image)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.safetensors")
        run(checkpoint=path, callback=lambda progress: progress.evaluation == steps // 2)
        yield check_equal("resumed from its checkpoint", run(checkpoint=path), image)


def check_equal(name: str, a: Tensor, b: Tensor) -> Check:
    difference = float((a - b).abs().max())
    return Check(name, f"largest difference {difference:g}", "equal bit for bit", torch.equal(a, b))


def check_too_little_memory(model: nst.VGG19, bounds: Bounds) -> Check:
    """With a third of what one piece takes, the engine goes on in tiles, to the same gradient."""
    device = model.device
    content, style, image = pictures(LARGE, device)
    engine = engine_for(model, content, style)
    exact = engine.value_and_gradient(image).gradient
    peak = peak_of(lambda: engine.value_and_gradient(image), device)
    held = torch.cuda.memory_allocated(device)
    limit = (held + (peak - held) / 3) / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(limit, device)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "not enough memory for tiles of …"
            gradient = engine.value_and_gradient(image).gradient
    except torch.OutOfMemoryError:
        return Check("too little memory", "no tiles are small enough", "goes on in tiles", False)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, device)
    if engine.tile is None:
        return Check("too little memory", "one piece fits in a third", "goes on in tiles", False)
    return check_gradient(f"too little memory: tiles of {engine.tile} px", gradient, exact, bounds)


# --- speed -----------------------------------------------------------------------------------


def peak_of(work: Callable[[], object], device: torch.device) -> float:
    """Bytes at the peak of the device's memory while it works; NaN: not told."""
    if device.type != "cuda":
        work()
        return math.nan
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return float(torch.cuda.max_memory_allocated(device))


def ours(model: nst.VGG19, size: int) -> str:
    """A row: the median of evaluations, at least two, after one to warm up."""
    content, _, image = pictures(size, model.device)
    _, style, _ = pictures(min(size, 1024), model.device)
    tile = nst.plan(size, size, device=model.device).stages[-1].tile
    engine = engine_for(model, content, style, tile)

    def evaluate() -> None:
        engine.value_and_gradient(image)  # waits for the device: its loss is a Python number

    peak = peak_of(evaluate, model.device)
    each: list[float] = []
    while len(each) < 2 or sum(each) < SECONDS:
        each.append(seconds(evaluate))
    return row("whole" if engine.tile is None else f"{engine.tile} px", each, peak)


def theirs(size: int, folder: Path, device: torch.device, iterations: int = 6) -> str:
    """The same of style-transfer-pytorch, in a fresh process."""
    others = Path(__file__).with_name("others.py")
    if device.type == "cuda":
        torch.cuda.empty_cache()  # for the other process
    try:
        line = in_a_fresh_process(str(others), "--run", "theirs", size, iterations, folder, device)
    except subprocess.CalledProcessError as error:
        return f"| – | failed: {(error.stderr.strip() or '?').splitlines()[-1]} | |"
    if line is None:
        return "| – | killed: not enough memory | |"
    found = json.loads(line)
    on_device = found["memory"] * 1e9 if device.type == "cuda" else math.nan
    return row("whole", found["seconds"], on_device)


def row(tiles: str, each: list[float], peak: float) -> str:
    memory = "–" if math.isnan(peak) else f"{peak / 1e9:.2f} GB"
    return f"| {tiles} | {1 / statistics.median(each):.2f} | {memory} |"


def rows(
    sizes: list[int], models: dict[str, nst.VGG19], crowsonkb: Path | None, device: torch.device
) -> Iterator[tuple[str, Callable[[], str]]]:
    """What the table of speeds has: the beginning of each row, and how to measure the rest."""
    for size in sizes:
        for precision, model in models.items():
            yield f"| {size} | {precision} ", lambda m=model, n=size: ours(m, n)
        if crowsonkb is not None:
            yield f"| {size} | style-transfer-pytorch ", lambda n=size: theirs(n, crowsonkb, device)


# --- the report ------------------------------------------------------------------------------


def headline(device: torch.device) -> str:
    card = str(device)
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        card = f"{torch.cuda.get_device_name(device)} ({major}.{minor}), CUDA {torch.version.cuda}"
    return (
        f"{date.today()}, {card}, torch {torch.__version__}, nst_tutorial {version('nst_tutorial')}"
    )


def print_checks(models: dict[str, nst.VGG19]) -> bool:
    """Print the table of checks; return whether all of them passed."""
    print("\n| precision | check | measured | bound | |\n|---|---|---|---|---|")
    passed, exact = True, reference()
    for precision, model in models.items():
        for check in correctness(model, precision, exact):
            passed = passed and check.passed
            verdict = "passed" if check.passed else "**failed**"
            print(f"| {precision} | {check.name} | {check.measured} | {check.bound} | {verdict} |",
                  flush=True)  # fmt: skip
    return passed


def print_speeds(table: Iterator[tuple[str, Callable[[], str]]], deadline: float) -> None:
    print(
        "\n| px | precision | tiles | evaluations a second | peak memory |\n|---|---|---|---|---|"
    )
    left = []
    for begin, measure in table:
        if time.monotonic() < deadline:
            print(begin + measure(), flush=True)
        else:
            left.append(begin.strip("| ").replace(" |", " px,"))
    if left:
        print(f"\nThe time was over: not measured are {'; '.join(left)}.")


def checkout(text: str) -> Path:
    folder = Path(text).resolve()
    if not (folder / "style_transfer" / "style_transfer.py").is_file():
        raise argparse.ArgumentTypeError(f"{text}: not a checkout of style-transfer-pytorch")
    return folder


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 2048, 4096])
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--crowsonkb", type=checkout, metavar="FOLDER")
    options = parser.parse_args(arguments)
    deadline = time.monotonic() + 60 * options.minutes
    try:
        device = choose_device(options.device)
    except ValueError as error:
        parser.error(str(error))
    print(headline(device))
    models = {}
    for precision in PRECISIONS:
        try:
            models[precision] = network(device, precision)
        except ValueError as error:
            print(f"\n{precision} is left out: {error}")
    passed = print_checks(models)
    print_speeds(rows(options.sizes, models, options.crowsonkb, device), deadline)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
