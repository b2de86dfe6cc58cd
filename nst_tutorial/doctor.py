"""`nst doctor`: what this machine can do, measured."""

from __future__ import annotations

import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import images, vgg
from .allocator import VARIABLE, keep_freed_memory
from .presets import PRESETS
from .scales import schedule
from .transfer import make_objective

PACKAGES = ("nst_tutorial", "torch", "torchvision", "pillow", "jupyterlab", "ipywidgets")
SIZES = (256, 512, 1024, 2048)
BYTES_AT_REST = 1.05e9  # the process with torch, VGG19 and its transformed weights
BYTES_PER_PIXEL = 3000  # on top, for square pictures; measured by benchmarks/evaluation.py


def examine(out: Console) -> bool:
    """Print a report; return whether everything that the course needs is there."""
    table = Table(show_header=False, box=None)
    table.add_row("python", f"{platform.python_version()} on {platform.platform()}")
    for package in PACKAGES:
        try:
            table.add_row(package, version(package))
        except PackageNotFoundError:
            table.add_row(package, "[red]not installed[/red]")
    device = vgg.choose_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    table.add_row(
        "device", f"{device} {name}, {torch.get_num_threads()} threads".replace(" ,", ",")
    )
    if device.type == "cpu":
        kept = keep_freed_memory()
        table.add_row("allocator", "keeps freed memory" if kept else f"the system's ({VARIABLE})")
    contents, styles = images.list_images("content"), images.list_images("style")
    table.add_row("contents", escape(", ".join(contents)) or "[red]none found[/red]")
    table.add_row("styles", escape(", ".join(styles)) or "[red]none found[/red]")
    begin = time.perf_counter()
    try:
        model = vgg.VGG19()
    except (OSError, ValueError) as error:
        table.add_row("weights", f"[red]{escape(str(error))}[/red]")
        out.print(table)
        return False
    table.add_row("weights", f"original, complete; loaded in {time.perf_counter() - begin:.2f} s")
    free = free_memory(device)
    if free is not None:
        table.add_row("free memory", f"{free / 1e9:.1f} GB")
    out.print(table)
    out.print(_sizes(seconds_per_evaluation(model, 256), free))
    return bool(contents and styles)


def about(size: int, steps: int) -> None:
    """Print in four lines where a notebook runs, and how long its work will take there.

    `size` (longer side) and `steps` are those of its `stylize`; one evaluation is measured.
    """
    device = vgg.choose_device()
    seconds = seconds_per_evaluation(vgg.load_vgg19(device=str(device)), 128)
    whole = sum(n * seconds * (s / 128) ** 2 for s, n in schedule(size, steps))
    contents, styles = images.list_images("content"), images.list_images("style")
    print(f"nst_tutorial {version('nst_tutorial')} on {device}, {torch.get_num_threads()} threads")
    print("VGG19 with the original weights: found and complete")
    print(f"pictures by name: {', '.join(contents)}; in the style of: {', '.join(styles)}")
    print(f"about {max(1, round(whole))} seconds of computing here")


def seconds_per_evaluation(model: vgg.VGG19, size: int) -> float:
    """Median seconds of one evaluation of the default objective on a square picture."""
    image = torch.rand(1, 3, size, size, device=model.device)
    objective = make_objective(model, image, image.flip(3), PRESETS["default"])
    seconds = []
    for _ in range(4):
        begin = time.perf_counter()
        objective.value_and_gradient(image)
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:])


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be used on the device, or None where that cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _sizes(seconds_at_256: float, free: int | None) -> Table:
    table = Table(title="square pictures with the default settings", title_justify="left")
    for heading in ("size", "one evaluation", "the whole picture", "memory", "fits"):
        table.add_column(heading, justify="right")
    steps = PRESETS["default"].steps
    for size in SIZES:
        each = seconds_at_256 * (size / 256) ** 2
        whole = sum(n * seconds_at_256 * (s / 256) ** 2 for s, n in schedule(size, steps))
        need = BYTES_AT_REST + BYTES_PER_PIXEL * size**2
        fits = "?" if free is None else "yes" if need < free else "[red]no[/red]"
        minutes = f"{whole / 60:.1f} min" if whole > 90 else f"{whole:.0f} s"
        table.add_row(f"{size} px", f"{each:.2f} s", minutes, f"{need / 1e9:.1f} GB", fits)
    return table
