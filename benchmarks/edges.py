"""Whether a result has a frame: its outermost pixels against the same ones of a larger result.

    python benchmarks/edges.py [--size 256] [--margin 32] [--steps 60] [--pairs 6] [--keep FOLDER]

A photograph is repainted whole, and then without its outermost --margin pixels: with each way in
which the network's first layer can go on beyond a border. What lies at the border of the small
result lies inside the large one, with the same content and beside a style of the same size. So
most of what else sets the outermost 8 pixels apart is the border's doing (the large result has
zeros around it, too, 32 pixels away). All numbers compare the band of these 8 with the band of the
16 to 31st pixel, in the small result and in the large one at the same place, and say by how much
the small one departs from the large; 0 is best.

tint: of the mean colour, in grey levels of 255; contrast: of the logarithm of the standard
deviation; detail: of the logarithm of the mean squared gradient along the border. Each is taken on
the four sides separately, and its root mean square is shown. far off: root mean square of the
difference of the two results in the band, over the same inside; 1 is best.

--keep: where the results are kept as PNG, with their borders enlarged beside them.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import torch
from peers import headline

import nst_tutorial as nst
from nst_tutorial.setting_values import EDGES

PAIRS = (
    ("temple", "starry_night"),
    ("temple", "woodcut_waves"),
    ("astronaut", "stained_glass"),
    ("astronaut", "tissue_stain"),
    ("cat", "confetti_dots"),
    ("coffee", "hubble_deep_field"),
)
BAND, INSIDE = slice(0, 8), slice(16, 32)
MEASURES = ("tint", "contrast", "detail", "far off")


def sides(image: torch.Tensor) -> list[torch.Tensor]:
    """The picture turned so that each of its four sides once lies on top, (3, H, W)."""
    return [torch.rot90(image[0], turns, (1, 2)) for turns in range(4)]


def contrast(band: torch.Tensor) -> torch.Tensor:
    return band.std(dim=(1, 2)).mean().log()


def detail(band: torch.Tensor) -> torch.Tensor:
    return band.diff(dim=2).square().mean().log()


def departures(small: torch.Tensor, large: torch.Tensor) -> dict[str, float]:
    """How far the border of a result departs from the same place inside a larger one."""
    found: dict[str, list[float]] = {name: [] for name in MEASURES}
    for a, b in zip(sides(small), sides(large), strict=True):
        tint = (a - b)[:, BAND].mean(dim=(1, 2)) - (a - b)[:, INSIDE].mean(dim=(1, 2))
        found["tint"].append(255 * float(tint.square().mean().sqrt()))
        for name, of in (("contrast", contrast), ("detail", detail)):
            change = [of(x[:, BAND]) - of(x[:, INSIDE]) for x in (a, b)]
            found[name].append(float(change[0] - change[1]))
        off = [(a - b)[:, rows].square().mean().sqrt() for rows in (BAND, INSIDE)]
        found["far off"].append(float(off[0] / off[1]))
    return {name: statistics.fmean(v * v for v in values) ** 0.5 for name, values in found.items()}


def enlarged(image: torch.Tensor, side: int = 64, times: int = 4) -> torch.Tensor:
    """Its upper left and lower right corner, side by side."""
    corners = [image[..., :side, :side], image[..., -side:, -side:]]
    both = torch.cat(corners, dim=3)
    return both.repeat_interleave(times, 2).repeat_interleave(times, 3)


def results(pair: tuple[str, str], options, models) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The large result cut to the small one's pixels, and the small one with each kind of edges."""
    content = nst.load_image(pair[0], options.size)
    style = nst.load_image(pair[1], options.size - 2 * options.margin)
    inner = (..., *[slice(options.margin, -options.margin)] * 2)

    def painted(content: torch.Tensor, edges: str) -> torch.Tensor:
        scale = max(style.shape[2:]) / max(content.shape[2:])
        return nst.stylize(
            content,
            style,
            kernel="gram",
            steps=options.steps,
            style_scale=scale,
            model=models[edges],
        ).image

    large = painted(content, "zeros")[inner]
    small = {edges: painted(content[inner], edges) for edges in EDGES}
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        for name, image in {"large": large, **small}.items():
            path = options.keep / f"{'_'.join(pair)}_{name}.png"
            nst.save_image(image, path, {})
            nst.save_image(enlarged(image), path.with_stem(f"{path.stem}_corners"), {})
    return large, small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--margin", type=int, default=32)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print(headline())
    models = {edges: nst.VGG19(edges=edges) for edges in EDGES}
    rows: dict[str, list[dict[str, float]]] = {edges: [] for edges in EDGES}
    print("| pair | edges | " + " | ".join(MEASURES) + " |\n|---|---|" + "---|" * len(MEASURES))
    for pair in PAIRS[: options.pairs]:
        large, small = results(pair, options, models)
        for edges, image in small.items():
            rows[edges].append(departures(image, large))
            show(", ".join(pair), edges, rows[edges][-1])
    for edges, each in rows.items():
        show("geometric mean", edges, {
            name: statistics.geometric_mean(row[name] for row in each) for name in MEASURES
        })  # fmt: skip


def show(pair: str, edges: str, row: dict[str, float]) -> None:
    numbers = " | ".join(f"{row[name]:.2f}" for name in MEASURES)
    print(f"| {pair} | {edges} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
