"""Cut a thumbnail for each notebook out of a figure that is stored in it.

    python images/make_thumbnails.py

They are for the README's list of chapters, `images/thumbnails/NOTEBOOK.jpg`. Nothing is computed:
after a notebook has been run again, this takes its new figure.
"""

import base64
import io
import json
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "images" / "thumbnails"
SIZE = 240, 160
SIDE_BY_SIDE = "Pictures side by side: "

# Notebook → how the text of the figure begins, and the part to cut out: left, top, right, bottom
CUTS = {
    "00_quickstart": (f"{SIDE_BY_SIDE}content, the same", (0.51, 0.1, 0.995, 0.97)),
    "01_features": ("64 filters as small colour pictures", (0.0, 0.06, 0.56, 1.0)),
    "02_content": (f"{SIDE_BY_SIDE}relu3_1, relu4_1, relu5_1", (0.675, 0.11, 0.99, 0.97)),
    "03_style_gram": (f"{SIDE_BY_SIDE}the painting, seed 0", (0.72, 0.11, 0.99, 0.97)),
    "04_kernels": ("Two sets of points in the plane, a panel each: moved", (0.4, 0.55, 0.63, 0.92)),
    "05_balance": (f"{SIDE_BY_SIDE}style weight 0.5, style weight 2", (0.675, 0.1, 0.995, 0.97)),
    "06_optimize": ("Paths on contours. κ = 3", (0.74, 0.2, 0.99, 0.86)),
    "07_style_transfer": (f'{SIDE_BY_SIDE}start="content"', (0.005, 0.11, 0.325, 0.97)),
    "08_limits": (f"{SIDE_BY_SIDE}content, result", (0.505, 0.12, 0.995, 0.97)),
    "08b_large_pictures": ("A picture in ", (0.02, 0.02, 0.98, 0.98)),
    "09_photographs": (f"{SIDE_BY_SIDE}the mountain, in the light", (0.005, 0.06, 0.995, 0.99)),
    "10_texture_networks": (f"{SIDE_BY_SIDE}style, optimised, one pass", (0.68, 0.1, 0.99, 0.97)),
    "11_at_scale": ("27 results of a batch", (0.265, 0.042, 0.96, 0.34)),
    "12_beyond_gram": (f"{SIDE_BY_SIDE}the wall, Gram matrices", (0.72, 0.1, 0.99, 0.97)),
}  # fmt: skip


def figure(notebook: str, beginning: str) -> Image.Image:
    """The only figure of a notebook whose text begins so.

    Raises
    ------
    ValueError
        There is none, or several.
    """
    cells = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    matching = [
        output["data"][mime]
        for output in outputs
        for mime, about in output.get("metadata", {}).items()
        if about.get("alt", "").startswith(beginning)
    ]
    if len(matching) != 1:
        raise ValueError(
            f"{notebook}: {len(matching)} figures begin with {beginning!r}; CUTS must name one"
        )
    return Image.open(io.BytesIO(base64.b64decode(matching[0]))).convert("RGB")


def thumbnail(notebook: str) -> Image.Image:
    """The part of the figure that CUTS names, as large as all thumbnails are."""
    beginning, part = CUTS[notebook]
    whole = figure(notebook, beginning)
    box = [round(at * side) for at, side in zip(part, 2 * whole.size, strict=True)]
    return ImageOps.fit(whole.crop(box), SIZE, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in CUTS:
        thumbnail(name).save(FOLDER / f"{name}.jpg", quality=82)
