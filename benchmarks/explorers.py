"""Milliseconds from the move of a control to the explorer's answer, from the cache and without it.

    python benchmarks/explorers.py [--values 6] [--goal 150]

Every control of every explorer goes through some of its values, twice, in a cache folder of its
own. The first time a picture is drawn (and what is not bundled is computed), the second time it
comes from the cache. Those that are given pictures or networks keep nothing: they compute each
time. An answer is there when all its pictures and words have been handed to the widgets; the way to
the browser is not in it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

import torch
from peers import headline

import nst_tutorial as nst
from nst_tutorial.texture_networks.files import bundled


def given(name: str) -> tuple:
    """What an explorer is given, as in its notebook."""
    if name == "denoising_explorer":
        content = nst.load_image("temple", 256)
        return (content + 0.02 * torch.randn(content.shape)).clamp(0, 1), content
    if name == "region_explorer":
        pictures = (nst.load_image(picture, 128) for picture in ("temple", "starry_night"))
        return (nst.VGG19(), *pictures)
    if name == "generator_explorer":
        networks = {name: nst.load_generator(name) for name in bundled()}
        return networks, nst.load_image("temple", 256)
    return ()


def values_of(control, count: int) -> list:
    """Some of the values of a control, evenly spread, another one than the present first."""
    if hasattr(control, "options"):
        values = list(control.options)
    elif isinstance(control.value, bool):
        values = [False, True]
    elif isinstance(control.value, float):
        return [*torch.linspace(control.max, control.min, count).tolist(), control.value]
    else:
        values = list(range(control.min, control.max + 1))
    step = max(1, len(values) // count)
    return [value for value in values[::step][:count] if value != control.value] + [control.value]


def milliseconds(explorer, control, value) -> float:
    begin = time.perf_counter()
    control.value = value
    passed = 1000 * (time.perf_counter() - begin)
    if explorer.error is not None:
        raise explorer.error
    return passed


def measure(explorer, count: int):
    """For each control: its name, and the times of the first and of the second round."""
    for name, control in explorer.controls.items():
        if control.disabled:
            continue
        values = values_of(control, count)
        yield name, *([milliseconds(explorer, control, v) for v in values] for _ in range(2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=6)
    parser.add_argument("--goal", type=float, default=150.0)
    options = parser.parse_args()
    print(headline())
    print(f"{'explorer':20} {'control':16} {'values':>6} {'first':>8} {'again':>8} {'slowest':>8}")
    again = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NST_CACHE"] = folder
        for name in sorted(n for n in nst.widgets.__all__ if n.endswith("_explorer")):
            explorer = getattr(nst.widgets, name)(*given(name))
            for control, first, second in measure(explorer, options.values):
                again += second
                row = f"{name:20} {control:16} {len(second):6} {statistics.median(first):8.0f}"
                print(f"{row} {statistics.median(second):8.1f} {max(second):8.1f}", flush=True)
    above = sum(each > options.goal for each in again)
    print(f"from the cache: median {statistics.median(again):.1f} ms, slowest {max(again):.1f} ms; "
          f"{above} of {len(again)} above {options.goal:g} ms")  # fmt: skip


if __name__ == "__main__":
    main()
