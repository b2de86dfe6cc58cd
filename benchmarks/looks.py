"""Seconds and memory of a look on a photograph of a camera's size.

    python benchmarks/looks.py [--megapixels 12] [--rounds 3]

The photograph is the bundled temple, enlarged, with grain, so that it is as hard to compress as a
camera's. A look's numbers do not change what it costs: these are random. For comparison: a copy of
the picture, the same picture halved by Pillow, and `apply_grid`, which the optimiser uses on small
pictures. Peak memory is that of a fresh process that does what `nst apply-look` does: it reads the
JPEG, applies the look, and writes a JPEG.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from peers import headline, in_a_fresh_process, medians, peak_memory, seconds
from PIL import Image

import nst_tutorial as nst
from nst_tutorial.looks import Look, apply_grid, grid_shape, identity_grid, load_look, save_look

DEPTH = 8
SIZES = (1, 16, 32)  # cells along the longer side
GOAL = {"seconds": 3.0, "memory": 1.5}  # at 12 megapixels, two cores


def photograph(megapixels: float) -> torch.Tensor:
    """4:3, with grain of ten grey levels."""
    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    image = nst.resize(nst.load_image("temple"), (round(width * 3 / 4), width))
    grain = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return (image + 10 / 255 * grain).clamp(0, 1)


def random_look(height: int, width: int, size: int) -> Look:
    shape = grid_shape(height, width, size, DEPTH)
    noise = torch.randn(1, 12, *shape, generator=torch.Generator().manual_seed(size))
    return Look(identity_grid(*shape) + 0.05 * noise)


def from_file_to_file(look: str, picture: str, out: str) -> None:
    """In a fresh process: its peak memory, and the seconds of each step."""
    fitted, steps = load_look(look), {}
    kept: list[torch.Tensor] = []
    steps["read"] = seconds(lambda: kept.append(nst.load_image(picture)))
    steps["apply"] = seconds(lambda: kept.append(fitted.apply(kept.pop())))
    steps["write"] = seconds(lambda: nst.save_image(kept.pop(), out))
    print(json.dumps({"memory": peak_memory(), **steps}))


def compare(picture: torch.Tensor, rounds: int) -> None:
    height, width = picture.shape[2:]
    pillow = nst.images.to_pil(picture)
    half = (width // 2, height // 2)
    looks = {size: random_look(height, width, size) for size in SIZES}
    grid, guide = looks[16].grid, looks[16].guide
    runs = {
        "a copy of the picture": picture.clone,
        "halved by Pillow, Lanczos": lambda: pillow.resize(half, Image.Resampling.LANCZOS),
        **{f"look.apply, grid_size {size}": lambda x=look: x.apply(picture)
           for size, look in looks.items()},
        "apply_grid, grid_size 16": lambda: apply_grid(grid, picture, guide(picture)),
    }  # fmt: skip
    found = medians({name: lambda f=f: seconds(f) for name, f in runs.items()}, rounds)
    for name, spent in found.items():
        copies = spent / found["a copy of the picture"]
        print(f"{name:30} {spent:7.2f} s {copies:7.1f} copies", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        from_file_to_file(*options.run)
        return
    picture = photograph(options.megapixels)
    height, width = picture.shape[2:]
    print(f"{headline()}\n\n{width}×{height} pixels, depth {DEPTH}, medians of {options.rounds}")
    compare(picture, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        look = save_look(random_look(height, width, 16), Path(folder, "look.safetensors"))
        photo = nst.save_image(picture, Path(folder, "photo.jpg"))
        del picture
        line = in_a_fresh_process(__file__, "--run", look, photo, Path(folder, "out.jpg"))
        size = photo.stat().st_size / 1e6
    if line is None:
        sys.exit("killed: not enough memory")
    found = json.loads(line)
    steps = ", ".join(f"{name} {found[name]:.2f} s" for name in ("read", "apply", "write"))
    print(f"\nfrom a JPEG of {size:.1f} MB to another, in a fresh process: {steps}; "
          f"peak memory {found['memory']:.2f} GB")  # fmt: skip
    print(f"aimed at, at 12 megapixels: {GOAL['seconds']:g} s and {GOAL['memory']:g} GB")


if __name__ == "__main__":
    main()
