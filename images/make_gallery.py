"""Make the contact sheets in images/gallery: what the default settings give.

    python images/make_gallery.py [run] [pairs] [sizes] [photo] [kernels] [textures] [inversions]
                                  [front]

Without a name: all of them, about an hour on two cores. `run` is a film of one run, `pairs`
repaints four contents in six styles, `photo` shows photo mode, `sizes` one pair at three sizes,
`kernels` one pair under every kernel. Large pictures are made by `make_large.py`.
"""

import sys
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

import nst_tutorial as nst
from nst_tutorial import plots
from nst_tutorial.images.reading import to_pil

GALLERY = Path(__file__).resolve().parent / "gallery"
CONTENTS = ("temple", "astronaut", "cat", "coffee")
STYLES = ("starry_night", "stained_glass", "woodcut_waves", "confetti_dots",
          "tissue_stain", "hubble_deep_field")  # fmt: skip
GAP, LABEL = 6, 26


def sheet(
    rows: list[list[torch.Tensor | None]], labels: list[list[str]], height: int
) -> Image.Image:
    """Pictures of one height in rows, centred in columns as wide as the widest, with labels."""
    pictures = [[to_pil(x) if x is not None else None for x in row] for row in rows]
    pictures = [
        [p and p.resize((round(p.width * height / p.height), height), Image.LANCZOS) for p in row]
        for row in pictures
    ]
    widths = [max(p.width for p in column if p) for column in zip(*pictures, strict=True)]
    size = (sum(widths) + GAP * (len(widths) + 1), (height + LABEL + GAP) * len(rows) + GAP)
    canvas = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(15)
    for i, (row, names) in enumerate(zip(pictures, labels, strict=True)):
        y = GAP + i * (height + LABEL + GAP)
        for j, (picture, name) in enumerate(zip(row, names, strict=True)):
            x = GAP * (j + 1) + sum(widths[:j])
            if picture:
                canvas.paste(picture, (x + (widths[j] - picture.width) // 2, y + LABEL))
            draw.text(
                (x + widths[j] // 2, y + LABEL / 2), name, fill="black", font=font, anchor="mm"
            )
    return canvas


def stylized(content: str, style: str, size: int, **options) -> torch.Tensor:
    result = nst.stylize(
        nst.load_image(content, size, kind="content"),
        nst.load_image(style, size, kind="style", enlarge=False),
        **options,
    )
    print(f"{content} × {style} at {size}: {result.seconds:.0f} s", flush=True)
    return result.image


def run() -> None:
    """The film of `nst stylize cat woodcut_waves --size 320 --steps 120 --film run.webp`."""
    film = nst.Film()
    last = stylized("cat", "woodcut_waves", 320, steps=120, callback=film)
    nst.save_film([*film.frames, last], GALLERY / "run.webp")


def pairs() -> None:
    shown = [nst.load_image(style, 384, kind="style") for style in STYLES]
    rows: list[list[torch.Tensor | None]] = [[None, *shown]]
    for content in CONTENTS:
        row = [stylized(content, style, 384, steps=120) for style in STYLES]
        rows.append([nst.load_image(content, 384, kind="content"), *row])
    labels = [["", *STYLES], *[[content, *[""] * len(STYLES)] for content in CONTENTS]]
    sheet(rows, labels, height=190).save(GALLERY / "pairs.jpg", quality=88)


def sizes() -> None:
    results = [stylized("temple", "starry_night", size) for size in (256, 512, 1024)]
    labels = [[f"{size} px" for size in (256, 512, 1024)]]
    sheet([results], labels, height=342).save(GALLERY / "sizes.jpg", quality=90)
    nst.save_image(results[1], GALLERY / "temple_starry_night.jpg")


def photo() -> None:
    """Two photographs in the light of a third: fitted at 256 pixels, applied at 800."""
    style = nst.load_image("sunset_hills", 256)
    rows, labels = [], []
    for name in ("mountain_path", "autumn_meadow"):
        result = nst.stylize(nst.load_image(name, 256), style, mode="photo")
        print(f"{name} in photo mode: {result.seconds:.0f} s", flush=True)
        large = nst.load_image(name, 800)
        rows.append([large, nst.load_image("sunset_hills", 800), result.apply(large).clamp(0, 1)])
        labels.append([name, "sunset_hills", "in its light"])
    sheet(rows, labels, height=300).save(GALLERY / "photo.jpg", quality=90)


KERNELS = {
    "linear": "linear",
    "Gram": "gram",
    "polynomial, c = 100": {"name": "polynomial", "offset": 100.0},
    "Gaussian": "gaussian",
    "BN statistics": "bn",
    "Wasserstein": "wasserstein",
}


def kernels() -> None:
    """One pair under every kernel, at two sizes, each term starting with the same gradient norm."""
    rows = []
    for size, steps in ((256, 80), (384, 100)):
        rows.append(
            [
                stylized("temple", "starry_night", size, steps=steps, kernel=kernel,
                         balance="gradient", style_weight=2.0)
                for kernel in KERNELS.values()
            ]
        )  # fmt: skip
    labels = [[f"{name}, {size} px" for name in KERNELS] for size in (256, 384)]
    sheet(rows, labels, height=220).save(GALLERY / "kernels.jpg", quality=88)


def textures() -> None:
    """Textures from the first style layer alone, from the first two, … from all five."""
    rows = []
    for style in ("stained_glass", "starry_night", "tissue_stain"):
        source = nst.load_image(style, 256, kind="style")
        row = [source]
        for count in range(1, 6):
            layers = nst.presets.STYLE_LAYERS[:count]
            result = nst.synthesize_texture(source, 256, layers, steps=150)
            print(f"{style} up to {layers[-1]}: {result.seconds:.0f} s", flush=True)
            row.append(result.image)
        rows.append(row)
    layers = nst.presets.STYLE_LAYERS
    labels = [["source", layers[0], *[f"to {layer}" for layer in layers[1:]]], [""] * 6, [""] * 6]
    sheet(rows, labels, height=220).save(GALLERY / "textures.jpg", quality=88)


def inversions() -> None:
    """The content from the features of one layer alone, ever deeper."""
    content = nst.load_image("cat", 256, kind="content")
    layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_2", "relu5_1")
    row = [content]
    for layer in layers:
        result = nst.reconstruct(content, layer)
        print(f"cat from {layer}: {result.seconds:.0f} s", flush=True)
        row.append(result.image)
    sheet([row], [["content", *layers]], height=220).save(GALLERY / "inversions.jpg", quality=88)


def front() -> None:
    """The measured trade-off between content and style, with its pictures."""
    pictures = nst.load_image("temple", 256), nst.load_image("starry_night", 256, enlarge=False)
    points = nst.trade_off(*pictures, (0.5, 2, 8, 30, 120), kernel="gram", steps=80)
    (GALLERY / "front.png").write_bytes(plots.to_bytes(plots.front(points)))
    labels = [[f"style weight {point.style_weight:g}" for point in points]]
    sheet([[point.image for point in points]], labels, height=200).save(
        GALLERY / "front.jpg", quality=88
    )


SHEETS = {
    each.__name__: each for each in (run, pairs, sizes, photo, kernels, textures, inversions, front)
}

if __name__ == "__main__":
    GALLERY.mkdir(exist_ok=True)
    for name in sys.argv[1:] or SHEETS:
        SHEETS[name]()
