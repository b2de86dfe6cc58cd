"""The inversion slider: what each layer has kept of a picture, after some evaluations."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ... import plots
from ...images.catalog import find_image
from ...images.reading import load_image
from ...images.resizing import shape_of
from ...losses.factors import content_factor
from ...optimize.loop import Progress
from ...presets import STYLE_LAYERS
from ...transfer.textures import noise, reconstruct
from ...vgg.network import VGG19, load_vgg19
from ..components import Picture
from ..drawings import drawn
from ..live import to_jpeg
from .cache import Arrays, compressed, model_key, picture_key, remembered
from .controls import steps_of
from .explorer import Answer, Explorer, kept

EVALUATIONS = (0, 5, 20, 60)
LAYERS = (
    *("relu1_1", "relu1_2", "relu2_1", "relu2_2", "relu3_1"),
    *("relu3_4", "relu4_1", "relu4_2", "relu5_1"),
)


def inversion_explorer(
    picture: str = "cat",
    size: int = 160,
    model: VGG19 | None = None,
    evaluations: Sequence[int] = EVALUATIONS,
) -> Explorer:
    """Return a widget that shows a picture rebuilt from one layer alone, and who can tell.

    Controls: `layer` (after its ReLU) and `evaluations`. For the cat, all pictures are bundled;
    of another picture a layer takes as long as `reconstruct`, the first time.

    Parameters
    ----------
    picture
        A name or a path.
    size
        Pixels of the longer side.
    model
        The network; None: the default one.
    evaluations
        How many evaluations of loss and gradient the second slider offers, growing.

    Raises
    ------
    FileNotFoundError
        No such picture.
    """
    find_image(picture)
    counts = [int(count) for count in evaluations]

    def answer(layer: str, evaluations: int) -> Answer:
        settings = inversion_settings(picture, size, model, counts)
        key = {**settings, "layer": layer, "shown": evaluations}
        return kept(
            "inverted", key, lambda: _drawn(picture, size, layer, evaluations, inversion(layer))
        )

    def inversion(layer: str) -> Arrays:
        settings = {**inversion_settings(picture, size, model, counts), "layer": layer}
        return remembered(
            "inversion", settings, lambda: invert(picture, size, layer, counts, model)
        )

    controls = {
        "layer": steps_of(LAYERS, "relu4_1", "layer", "the only one that is asked for"),
        "evaluations": steps_of(
            counts, counts[-1], "evaluations", "of loss and gradient, from noise"
        ),
    }
    what = "the inversion slider: a picture rebuilt from one layer alone"
    return Explorer(what, controls, answer, ("46%", "98%"), compares=True)


def inversion_settings(
    picture: str, size: int, model: VGG19 | None, evaluations: Sequence[int]
) -> dict:
    """What decides the inversions, but the layer."""
    return {
        "picture": picture_key(picture),
        "size": size,
        "model": model_key(model),
        "evaluations": list(evaluations),
    }


def invert(
    picture: str, size: int, layer: str, evaluations: Sequence[int], model: VGG19 | None = None
) -> dict[str, np.ndarray]:
    """The best pictures of one inversion after each of `evaluations`, and how far off they are.

    The distance is the relative content loss at each of the five style layers, by name, and
    "pixels", the root mean square.
    """
    network = model or load_vgg19()
    content = load_image(picture, size).to(network.mean)
    start = noise(shape_of(content), 0, content)
    images: dict[int, Tensor] = {0: start.clamp(0, 1)}
    least, best = float("inf"), images[0]

    def watch(progress: Progress) -> None:
        nonlocal least, best
        if progress.total < least:
            least, best = progress.total, progress.image
        for count in evaluations:
            if count >= progress.evaluation:
                images[count] = best

    reconstruct(content, layer, seed=0, steps=max(evaluations), model=network, callback=watch)
    rows = [_distances(network, images[count], content) for count in evaluations]
    packed = {f"image {n}": compressed(images[n]) for n in evaluations}
    return {**packed, **{name: np.array([row[name] for row in rows]) for name in rows[0]}}


@torch.no_grad()
def _distances(model: VGG19, image: Tensor, content: Tensor) -> dict[str, float]:
    F, P = model(image, STYLE_LAYERS), model(content, STYLE_LAYERS)
    apart = {
        layer: content_factor("relative", P[layer]) * float((F[layer] - P[layer]).square().sum())
        for layer in STYLE_LAYERS
    }
    return {**apart, "pixels": float((image - content).square().mean().sqrt())}


def unpacked(array: np.ndarray) -> Tensor:
    """A picture (1, 3, H, W) from the bytes of its file."""
    with Image.open(io.BytesIO(array.tobytes())) as picture:
        pixels = np.asarray(picture.convert("RGB"), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def _drawn(
    picture: str, size: int, layer: str, count: int, inversion: Mapping[str, np.ndarray]
) -> Answer:
    names = [name for name in inversion if name.startswith("image ")]
    i = names.index(f"image {count}")
    image = unpacked(inversion[names[i]])
    told = "noise" if count == 0 else f"from {layer}, {count} evaluations"
    apart = {name: max(float(inversion[name][i]), 1e-6) for name in STYLE_LAYERS}
    bars = plots.bars(
        {"relative content loss": apart}, "Who can tell the two apart?",
        "relative content loss", log=True, mark=(1.0, "no features at all"),
    )  # fmt: skip
    off = float(inversion["pixels"][i])
    words = f"<b>{told}</b>: the pixels are off by {off:.3f} (root mean square)"
    words += ".<br>left: the picture, right: what was rebuilt"
    before = Picture(to_jpeg(load_image(picture, size)), alt=f"the picture {Path(picture).stem}")
    after = Picture(to_jpeg(image), alt=f"the same, rebuilt: {told}")
    return Answer((before, after, drawn(bars)), words)
