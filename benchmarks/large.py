"""What is seen from near in the large pictures, against the same pairs at 512 pixels.

    python benchmarks/large.py [NAME ...]

Of each picture of `images/make_large.py`, which is made if it is not there: the share of pixels
more saturated than the style (`noise.oversaturation`), the weave (`noise.weave`), and the relative
error of its Gram matrices, mean over the five style layers of ‖G_x - G_y‖ / ‖G_y‖, y being the
style as large as the network was shown it; each at 512 pixels and at 2048. For comparison the weave
of the photograph and of the style.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from peers import headline

import nst_tutorial as nst
from nst_tutorial import noise
from nst_tutorial.kernels import get_kernel
from nst_tutorial.tiling import statistics_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "images"))
from make_large import PICTURES, ROOT, SIZE, Large, draw_styles, make

SMALL = 512
TILE = 512


def gram_error(model: nst.VGG19, image: torch.Tensor, style: torch.Tensor) -> float:
    """Mean over the layers of the relative error of the Gram matrix."""
    gram = get_kernel("gram")
    kernels = dict.fromkeys(nst.presets.STYLE_LAYERS, gram)
    of_image, of_style = (
        statistics_of(model, picture, kernels, tile=TILE) for picture in (image, style)
    )
    errors = []
    for layer in kernels:
        G_x, G_y = of_image[layer][0], of_style[layer][0]
        errors.append(float((gram.distance(G_x, G_y) / gram.magnitude(G_y)).sqrt()))
    return sum(errors) / len(errors)


def measure(model: nst.VGG19, large: Large, size: int) -> str:
    image = nst.load_image(make(large, size))
    file = large.style_file if "/" not in large.style_file else ROOT / large.style_file
    style = nst.images.enlarge(nst.load_image(file, kind="style"), size).clamp(0, 1)
    photograph = nst.load_image(ROOT / "images" / "photos" / f"{large.photograph}.jpg", size)
    return (
        f"{large.photograph} × {large.style}, {size} px: "
        f"{noise.oversaturation(image, style):.3%} more saturated than the style, "
        f"weave {noise.weave(image):.2f} (photograph {noise.weave(photograph):.2f}, "
        f"style {noise.weave(style):.2f}), Gram error {gram_error(model, image, style):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    names = parser.parse_args().names or list(PICTURES)
    print(headline())
    draw_styles()
    model = nst.VGG19()
    for name in names:
        for size in (SMALL, SIZE):
            print(measure(model, PICTURES[name], size), flush=True)


if __name__ == "__main__":
    main()
