"""Make the contact sheets in images/gallery: what the default settings give.

    python images/make_gallery.py [pairs] [sizes]

`pairs` repaints every bundled content in every bundled style (about half an hour on two cores),
`sizes` one pair at three sizes (about ten minutes).
"""

import sys
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

import nst_tutorial as nst
from nst_tutorial.images import to_pil

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


def pairs() -> None:
    shown = [nst.load_image(style, 384, kind="style") for style in STYLES]
    rows: list[list[torch.Tensor | None]] = [[None, *shown]]
    for content in CONTENTS:
        row = [stylized(content, style, 384, steps=160) for style in STYLES]
        rows.append([nst.load_image(content, 384, kind="content"), *row])
    labels = [["", *STYLES], *[[content, *[""] * len(STYLES)] for content in CONTENTS]]
    sheet(rows, labels, height=190).save(GALLERY / "pairs.jpg", quality=88)


def sizes() -> None:
    results = [stylized("temple", "starry_night", size) for size in (256, 512, 1024)]
    labels = [[f"{size} px" for size in (256, 512, 1024)]]
    sheet([results], labels, height=342).save(GALLERY / "sizes.jpg", quality=90)
    nst.save_image(results[1], GALLERY / "temple_starry_night.jpg")


if __name__ == "__main__":
    GALLERY.mkdir(exist_ok=True)
    for name in sys.argv[1:] or ["pairs", "sizes"]:
        {"pairs": pairs, "sizes": sizes}[name]()
