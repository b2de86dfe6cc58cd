"""The layer explorer: every channel of every layer, as sheets of small grey maps.

Each map is stored from 0 (black) to its own greatest value (white), as it is drawn: the page gives
it its colours. The maps of one layer lie side by side on one sheet, which is loaded when the layer
is chosen.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial import widgets
from nst_tutorial.images.reading import to_pil
from nst_tutorial.plots.figure import COLORS
from nst_tutorial.vgg.layers import reach, stride
from nst_tutorial.vgg.network import load_vgg19
from nst_tutorial.widgets.explorers.features import ORDERS, RECTIFIED

from .answers import control_of, write_json

PICTURES = ("cat", "woodcut_waves")
SIZE = 256  # pixels of the longer side
ACROSS = 32  # maps in a row of a sheet
STEPS = 31  # of brightness, where a sheet is stored without loss
FINE, QUALITY = 2, 55  # up to this block sheets are photographs in kind, and stored with loss
BLOCK = 16  # pixels: a codec's, over which neighbours would run into each other


def write_layers(folder: Path) -> None:
    model = load_vgg19(device="cpu")
    explorer = widgets.layer_explorer(PICTURES[0], SIZE, model=model)
    controls = [control_of(name, widget).as_json() for name, widget in explorer.controls.items()]
    looks = [f"{name}/picture.webp" for name in PICTURES]
    controls[0] |= {"labels": list(PICTURES), "index": 0, "looks": looks}
    channels = {layer: len(model.parameters_of(layer.replace("relu", "conv"))[1])
                for layer in RECTIFIED}  # fmt: skip
    pictures = {}
    for name in PICTURES:
        (folder / name).mkdir()
        image = nst.load_image(name, SIZE)
        to_pil(image).save(folder / name / "picture.webp", lossless=True, method=6)
        with torch.no_grad():
            features = model(image, RECTIFIED)
        for layer in RECTIFIED:
            write_sheet(features[layer][0], folder / name / f"{layer}.webp", cell_of(layer))
        rows = {layer: measured(features[layer][0]) for layer in RECTIFIED}
        pictures[name] = {"height": image.shape[2], "width": image.shape[3]}
        write_json(folder / name / "channels.json", rows)
    colors = matplotlib.colormaps["cividis"](np.arange(256), bytes=True)[:, :3]
    write_json(
        folder / "explorer.json",
        {
            "kind": "layers",
            "what": explorer.what,
            "controls": controls,
            "by_number": ORDERS.index("by number"),
            "pictures": pictures,
            "layers": [
                [layer, channels[layer], stride(layer), reach(layer)] for layer in RECTIFIED
            ],
            "across": ACROSS,
            "cells": {layer: cell_of(layer) for layer in RECTIFIED},
            "box": COLORS[0],
            "colors": colors.flatten().tolist(),
        },
    )


def cell_of(layer: str) -> int:
    """To a multiple of how many pixels each map of a layer is filled up on its sheet."""
    return BLOCK if int(layer[4]) <= FINE else 1


def measured(features: Tensor) -> dict[str, list]:
    """Of each channel (H, W): its greatest value, where that is, the share of places above 0.

    `order` lists the channels by their mean, the strongest first.
    """
    flat = features.flatten(1)
    return {
        "order": features.mean(dim=(1, 2)).argsort(descending=True).tolist(),
        "peak": [f"{value:.3g}" for value in flat.amax(dim=1).tolist()],
        "place": flat.argmax(dim=1).tolist(),
        "active": [f"{value:.0%}" for value in (flat > 0).double().mean(dim=1).tolist()],
    }


def write_sheet(features: Tensor, path: Path, cell: int) -> None:
    """All channels (C, H, W) on one grey picture, from 0 to each one's greatest value."""
    count, height, width = features.shape
    rows = -(-count // ACROSS)
    high, wide = (-(-side // cell) * cell for side in (height, width))
    peak = features.amax(dim=(1, 2), keepdim=True).clamp(min=1e-30)
    maps = (features / peak).numpy()
    padding = ((0, rows * ACROSS - count), (0, high - height), (0, wide - width))
    maps = np.pad(np.pad(maps, (padding[0], (0, 0), (0, 0))), ((0, 0), *padding[1:]), mode="edge")
    if cell == 1:
        maps = np.round(maps * STEPS) / STEPS
    sheet = maps.reshape(rows, ACROSS, high, wide).transpose(0, 2, 1, 3)
    grey = np.uint8(np.round(255 * sheet.reshape(rows * high, ACROSS * wide)))
    options = {"lossless": True} if cell == 1 else {"quality": QUALITY}
    Image.fromarray(grey).convert("RGB").save(path, "WebP", method=4, **options)
