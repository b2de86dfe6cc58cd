"""`nst doctor`: what this machine can do, measured."""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..images.catalog import list_images
from ..machine.device import choose_device
from ..machine.malloc import VARIABLE, keep_freed_memory
from ..machine.memory import free_memory
from ..presets import PRESETS
from ..tiling.planning import duration, plan
from ..transfer.speed import seconds_per_evaluation
from ..vgg.calibration import Calibration, calibrate, recall
from ..vgg.network import VGG19, load_vgg19
from ..vgg.paths import VARIABLE as FIXED_BY
from ..vgg.paths import candidates, written

PACKAGES = ("nst_tutorial", "torch", "torchvision", "pillow", "jupyterlab", "ipywidgets")
SIZES = (256, 512, 1024, 2048, 4096)


def examine(out: Console, size: int | None = None, anew: bool = False) -> bool:
    """Print a report; return whether everything that the course needs is there.

    With a size, the plan for a square picture of `size` pixels a side comes last. `anew`: the
    convolutions are measured, and the times of all of them printed.
    """
    table = Table(show_header=False, box=None)
    table.add_row("python", f"{platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        try:
            table.add_row(package, version(package))
        except PackageNotFoundError:
            table.add_row(package, "[red]not installed[/red]")
    device = choose_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    table.add_row(
        "device", f"{device} {name}, {torch.get_num_threads()} threads".replace(" ,", ",")
    )
    if device.type == "cpu":
        kept = keep_freed_memory()
        table.add_row("allocator", "keeps freed memory" if kept else f"the system's ({VARIABLE})")
    contents, styles = list_images("content"), list_images("style")
    table.add_row("contents", escape(", ".join(contents)) or "[red]none found[/red]")
    table.add_row("styles", escape(", ".join(styles)) or "[red]none found[/red]")
    begin = time.perf_counter()
    try:
        model = VGG19()
    except (OSError, ValueError) as error:
        table.add_row("weights", f"[red]{escape(str(error))}[/red]")
        out.print(table)
        return False
    table.add_row("weights", f"original, complete; loaded in {time.perf_counter() - begin:.2f} s")
    known = calibrate(model, anew=True) if anew else recall(device)
    table.add_row("convolutions", _convolutions(model, known))
    free = free_memory(device)
    if free is not None:
        table.add_row("free memory", f"{free / 1e9:.1f} GB")
    out.print(table)
    if anew and known is not None:
        out.print(_times(known))
    speed = seconds_per_evaluation(model, 512) / 0.512**2
    out.print(_sizes(speed, device))
    if size is not None:
        estimate = plan(size, size, device=device, seconds_per_megapixel=speed)
        out.print(f"\n{size} px:\n{estimate}", markup=False)
    return bool(contents and styles)


def about(size: int, steps: int) -> None:
    """Print in four lines where a notebook runs, and how long its work will take there.

    `size` (longer side) and `steps` are those of its `stylize`; one evaluation is measured.
    """
    device = choose_device()
    speed = seconds_per_evaluation(load_vgg19(device=str(device)), 256) / 0.256**2
    settings = replace(PRESETS["default"], steps=steps)
    estimate = plan(
        size, round(size * 0.8), settings=settings, device=device, seconds_per_megapixel=speed
    )
    contents, styles = list_images("content"), list_images("style")
    print(f"nst_tutorial {version('nst_tutorial')} on {device}, {torch.get_num_threads()} threads")
    print("VGG19 with the original weights: found and complete")
    print(f"pictures by name: {', '.join(contents)}; in the style of: {', '.join(styles)}")
    print(f"about {duration(max(1, estimate.seconds or 0))} of computing here")


def _convolutions(model: VGG19, known: Calibration | None) -> str:
    """What the convolutions of a run are computed by, in a line."""
    if model.paths_are_chosen:
        return f"{model.convolutions} (the variable {FIXED_BY})"
    if known is not None:
        return f"{written(known.paths)} (measured on this machine)"
    if len(candidates(model.device)) < 2:
        return f"{model.convolutions} (there is no other way here)"
    return "not measured yet: the first long run does it, or nst doctor --calibrate"


def _times(known: Calibration) -> Table:
    """What each path takes in each block, the chosen ones marked."""
    table = Table(title="one layer of each block, forward and back, ms", title_justify="left")
    table.add_column("convolutions")
    for block in range(1, len(known.paths) + 1):
        table.add_column(f"block {block}", justify="right")
    for name in known.seconds[0]:
        cells = [f"{1e3 * times[name]:.1f}" for times in known.seconds]
        marked = [
            f"[bold]* {cell}[/bold]" if name == best else cell
            for cell, best in zip(cells, known.paths, strict=True)
        ]
        table.add_row(name, *marked)
    if known.cosine is not None:
        table.caption = (
            f"Gradient of a probe in reduced precision against float32: cosine {known.cosine:.4f}"
        )
    return table


def _sizes(seconds_per_megapixel: float, device: torch.device) -> Table:
    table = Table(title="square pictures with the default settings", title_justify="left")
    for heading in ("size", "one evaluation", "the whole picture", "memory", "tiles"):
        table.add_column(heading, justify="right")
    for size in SIZES:
        estimate = plan(
            size, size, device=device, seconds_per_megapixel=seconds_per_megapixel
        )  # fmt: skip
        last = estimate.stages[-1]
        each = last.work / last.steps / 1e6 * seconds_per_megapixel
        need = f"{estimate.memory / 1e9:.1f} GB" + (
            "" if estimate.fits else " [red](too much)[/red]"
        )
        tiles = "none" if last.tile is None else f"{last.tile} px"
        table.add_row(f"{size} px", f"{each:.2f} s", duration(estimate.seconds or 0), need, tiles)
    return table
