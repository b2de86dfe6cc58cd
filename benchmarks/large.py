"""What is seen in large pictures, against the same pairs when they are small.

    python benchmarks/large.py gallery [NAME ...]
    python benchmarks/large.py agreement [--size 256] [--steps 200] [--pairs 3] [--keep FOLDER]

gallery: of each picture of `images/make_large.py`, the share of pixels more saturated than the
style (`noise.oversaturation`), the weave (`noise.weave`), the lattice of 4 pixels
(`noise.lattice`), and the relative error of its Gram matrices, mean over the five style layers of
‖G_x - G_y‖ / ‖G_y‖, y being the style as large as the network was shown it; each at 512 pixels,
where it is made if it is not there, and at 2048: the file in `results` or, where there is none, the
JPEG in images/gallery. For comparison the weave of the photograph and of the style.

agreement: how much a large result looks like the small one. A pair is stylised at --size pixels,
the longer side of the style's file, and at twice that, with strokes that grow with the picture
(`strokes="grow"`, the default) and with the style at its own size beside both (`strokes="both"`, as
it was before). The large results are reduced to --size. style: the error of their Gram matrices as
above, y being the small result; 0 is best. orientation: of what is seen at each place, see
`orientation_agreement`; 1 is best. Two rows give the range: the photograph itself, for what is
shared because the content is, and the small run once more from a start with noise, for what chance
leaves.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from kornia.filters import gaussian_blur2d
from peers import headline

import nst_tutorial as nst
from nst_tutorial import noise
from nst_tutorial.images.color import luminance
from nst_tutorial.kernels import get_kernel
from nst_tutorial.tiling import statistics_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "images"))
from make_large import GALLERY, PICTURES, ROOT, SIZE, draw_styles, make

SMALL = 512
TILE = 512
PAIRS = (("temple", "starry_night"), ("astronaut", "woodcut_waves"), ("cat", "stained_glass"))
LARGER = {"strokes grow": "grow", "style at its own size": "both"}
NOISE = 0.01  # of the start of the run that tells chance, of 1
SIGMA = 2.0  # pixels over which an orientation is averaged: a stroke's width


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


# --- the gallery -------------------------------------------------------------------------------


def measure(model: nst.VGG19, name: str, size: int) -> str:
    large = PICTURES[name]
    made = size == SMALL or large.out(size).exists()
    path = make(large, size) if made else GALLERY / f"large_{name}.jpg"
    image = nst.load_image(path)
    file = large.style_file if "/" not in large.style_file else ROOT / large.style_file
    style = nst.images.enlarge(nst.load_image(file, kind="style"), size).clamp(0, 1)
    photograph = nst.load_image(ROOT / "images" / "photos" / f"{large.photograph}.jpg", size)
    return (
        f"| {large.photograph}, {large.style} | {size}, {path.suffix[1:].upper()} "
        f"| {noise.oversaturation(image, style):.3%} "
        f"| {noise.weave(image):.2f} | {noise.weave(photograph):.2f} | {noise.weave(style):.2f} "
        f"| {noise.lattice(image):.2f} | {gram_error(model, image, style):.3f} |"
    )


def measure_gallery(names: list[str]) -> None:
    draw_styles()
    model = nst.VGG19()
    print("| pair | size | neon | weave | the photograph's | the style's | lattice | Gram error |")
    print("|---" * 8 + "|")
    for name in names:
        for size in (SMALL, SIZE):
            print(measure(model, name, size), flush=True)


# --- small and large ---------------------------------------------------------------------------


def orientation_agreement(x: torch.Tensor, y: torch.Tensor) -> float:
    """Correlation of the local orientations of two pictures of one size, -1..1.

    Re Σ z_x z̄_y / √(Σ|z_x|² Σ|z_y|²), with z = ⟨(∂₁L + i ∂₂L)²⟩ / √⟨‖∇L‖²⟩ of the luminance L and
    ⟨·⟩ a Gaussian mean. The angle of z is twice that of the strokes, its magnitude how strong and
    how parallel they are. 1: the same orientations everywhere; 0: unrelated ones.
    """
    z_x, z_y = _orientations(x), _orientations(y)
    norm = (z_x.abs().square().sum() * z_y.abs().square().sum()).sqrt()
    return float((z_x * z_y.conj()).real.sum() / norm)


def _orientations(image: torch.Tensor) -> torch.Tensor:
    down, across = torch.gradient(luminance(image.double())[0, 0])
    side = 2 * round(3 * SIGMA) + 1
    products = torch.stack([across**2 - down**2, 2 * across * down, across**2 + down**2])
    real, imaginary, energy = gaussian_blur2d(products[None], (side, side), (SIGMA, SIGMA))[0]
    return torch.complex(real, imaginary) / (energy + 1e-12).sqrt()


def measure_agreement(pair: tuple[str, str], arguments: argparse.Namespace) -> None:
    content = nst.load_image(pair[0], 2 * arguments.size)
    style = nst.load_image(pair[1], arguments.size, kind="style")
    model = nst.VGG19()

    def painted(picture: torch.Tensor, name: str, **options) -> torch.Tensor:
        image = nst.stylize(picture, style, model=model, steps=arguments.steps, **options).image
        if arguments.keep:
            nst.save_image(image, arguments.keep / f"{'_'.join(pair)}_{name.replace(' ', '_')}.png")
        return nst.images.resize(image, tuple(photograph.shape[2:])).clamp(0, 1)

    def show(name: str, image: torch.Tensor) -> None:
        style_error, agreement = (
            gram_error(model, image, small),
            orientation_agreement(image, small),
        )
        print(f"| {', '.join(pair)} | {name} | {style_error:.3f} | {agreement:.3f} |", flush=True)

    photograph = nst.images.resize(content, arguments.size).clamp(0, 1)
    small = painted(photograph, "small")
    show("the photograph", photograph)
    for name, strokes in LARGER.items():
        show(name, painted(content, name, strokes=strokes))
    start = photograph + NOISE * torch.randn(
        photograph.shape, generator=torch.Generator().manual_seed(0)
    )
    show("small once more", painted(photograph, "small again", start=start.clamp(0, 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    gallery = commands.add_parser("gallery", help="neon, weave and style at 512 and 2048 px")
    gallery.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    agreement = commands.add_parser("agreement", help="a result against one twice as large")
    agreement.add_argument("--size", type=int, default=256)
    agreement.add_argument("--steps", type=int, default=200)
    agreement.add_argument("--pairs", type=int, default=len(PAIRS))
    agreement.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "gallery" and set(arguments.names) - set(PICTURES):
        gallery.error(f"there are {', '.join(PICTURES)}")
    print(headline())
    if arguments.command == "gallery":
        measure_gallery(arguments.names or list(PICTURES))
        return
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    print("| pair | reduced to the size of the small result | style | orientation |")
    print("|---|---|---|---|")
    for pair in PAIRS[: arguments.pairs]:
        measure_agreement(pair, arguments)


if __name__ == "__main__":
    main()
