"""Neon and weave in a picture larger than its style's file: one change at a time.

    python benchmarks/artefacts.py [--size 384] [--photographs NAME ...] [--only NAME ...]

The picture is 2.2 times as large as the style's file, as one of 1536 pixels is of a painting of
712. For each variant: pixels more saturated than the style (`noise.oversaturation`), the weave
(`noise.weave`) and the lattice of 4 pixels (`noise.lattice`), the relative error of the Gram
matrices (as in `large.py`, against the style as large as the variant shows it), and the rough share
of edges that are the photograph's (`league.edge_coherence`). A row takes some three minutes of one
core (AMD EPYC, AVX2), so all of them on both pairs take two hours of it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from large import gram_error
from peers import headline

import nst_tutorial as nst
from nst_tutorial import noise
from nst_tutorial.league.measures import edge_coherence
from nst_tutorial.transfer.styles import style_sources

PHOTOS = Path(__file__).resolve().parents[1] / "images" / "photos"
PAIRS = {"mountain_path": "starry_night", "forest_stream": "tissue_stain"}
LARGER = 2.2  # longer side of the picture over that of the style's file
LAYERS = dict(nst.PRESETS["default"].style_layers)
GRAM = {"kernel": "gram", "style_weight": 15.0}

VARIANTS = {
    "default": {},
    "style never enlarged": {"strokes": "both"},
    "style as fine as its file": {"strokes": "keep"},
    "all style layers count in full": {"strokes": "grow", "style_layers": "in full"},
    "10 evaluations at the finest": {"steps": [130, 10]},
    "30 evaluations at the finest": {"steps": [130, 30]},
    "200 evaluations at the finest": {"steps": [130, 200]},
    "scales √2 apart": {"scale_factor": 2**0.5},
    "one scale": {"coarse_to_fine": False},
    "Adam, mean of its pictures": {"method": "adam", "average": 0.99},
    "no penalty outside 0..1": {"range_weight": 0.0},
    "without relu1_1": {"style_layers": {**LAYERS, "relu1_1": 0.0}},
    "relu1_1 four times": {"style_layers": {**LAYERS, "relu1_1": 0.2}},
    "without relu2_1": {"style_layers": {**LAYERS, "relu2_1": 0.0}},
    "average pooling": {"pooling": "average"},
    "pixels": {"parametrization": "pixel"},
    "Gram": GRAM,
    "Gram, style never enlarged": {**GRAM, "strokes": "both"},
    "the term for grain": {"grain_weight": 60.0},
    "in tiles": {"tile": 192},
}


def compare(photograph: str, style_name: str, size: int, names: list[str]) -> None:
    content = nst.load_image(PHOTOS / f"{photograph}.jpg", size)
    style = nst.load_image(style_name, round(size / LARGER), kind="style")
    print(f"\n{photograph} × {style_name}, {size} px, style {max(style.shape[2:])} px")
    print(f"weave of the photograph {noise.weave(content):.2f}, style {noise.weave(style):.2f}\n")
    print("| setting | neon | weave | lattice | Gram error | edges |\n|---|---|---|---|---|---|")
    model = nst.VGG19()
    for name in names:
        options = dict(VARIANTS[name])
        if options.get("style_layers") == "in full":  # undo what an enlarged style makes of them
            options["style_layers"] = {
                layer: weight * max(1.0, LARGER / 2**i)
                for i, (layer, weight) in enumerate(LAYERS.items())
            }
        image = nst.stylize(content, style, **options).image
        settings = nst.presets.Settings(strokes=options.get("strokes", "grow"))
        (source,) = style_sources(content, style, settings)
        shown = source.beside(content.shape[2:]).picture.clamp(0, 1)
        print(
            f"| {name} | {noise.oversaturation(image, style):.2%} | {noise.weave(image):.2f} "
            f"| {noise.lattice(image):.2f} | {gram_error(model, image, shown):.3f} "
            f"| {edge_coherence(content, image):.3f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--photographs", nargs="+", choices=PAIRS, default=list(PAIRS))
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    print(headline())
    for photograph in arguments.photographs:
        compare(photograph, PAIRS[photograph], arguments.size, arguments.only)


if __name__ == "__main__":
    main()
