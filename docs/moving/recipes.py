"""The explorers of the course that are answered from a store, each as its notebook calls it."""

from __future__ import annotations

import torch
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial import widgets
from nst_tutorial.images.resizing import resize_mask
from nst_tutorial.presets import STYLE_LAYERS
from nst_tutorial.regions import match_regions
from nst_tutorial.vgg.network import VGG19, load_vgg19
from nst_tutorial.widgets.explorers.cache import model_key, picture_key, remembered

from .answers import Recipe

LIMITS = {"size": 192, "steps": 60, "kernel": "gram"}  # of notebook 08
GROUND = 128  # pixels, of notebook 09


def denoising() -> widgets.Explorer:
    """Of notebook 08: the temple in the style of coffee, and a piece of its sky."""
    size, model = LIMITS["size"], load_vgg19()
    content, style = (nst.load_image(name, size) for name in ("temple", "coffee"))
    pictures = [picture_key(name) for name in ("temple", "coffee")]
    key = {**LIMITS, "pictures": pictures, "model": model_key(None)}

    def paint() -> dict:
        options = {"kernel": LIMITS["kernel"], "steps": LIMITS["steps"]}
        return {"image": nst.stylize(content, style, model=model, **options).image.numpy()}

    result = torch.from_numpy(remembered("limits", key, paint)["image"])
    crop = slice(0, size // 5), slice(size // 2, size // 2 + size // 3)
    targets = _grams(model, nst.resize(style, max(content.shape[2:])))

    def style_error(image: Tensor) -> float:
        G = _grams(model, image)
        apart = (float((G[k] - A).norm() / A.norm()) for k, A in targets.items())
        return sum(apart) / len(targets)

    return widgets.denoising_explorer(result, content, style_error, crop=crop, zoom=3)


def _grams(model: VGG19, image: Tensor) -> dict[str, Tensor]:
    return {k: nst.gram_matrix(f) for k, f in model(image, STYLE_LAYERS).items()}


def regions() -> widgets.Explorer:
    """Of notebook 09: the mountain path under a sunset."""
    names, model = ("mountain_path", "sunset_hills"), load_vgg19()
    noon, sunset = (nst.load_image(name, 384) for name in names)
    content, style = (nst.load_image(name, GROUND) for name in names)
    masks = match_regions(noon, sunset, 2, model=model)
    ground = resize_mask(masks[0][0], (content.shape[2], content.shape[3]))
    return widgets.region_explorer(model, content, style, {"largest region": ground})


RECIPES = {
    "inversion": Recipe(widgets.inversion_explorer),
    "gram": Recipe(widgets.gram_explorer),
    "kernel": Recipe(widgets.kernel_explorer),
    "balance": Recipe(widgets.balance_explorer),
    "denoising": Recipe(denoising, every={"strength": 5}),
    "region": Recipe(
        regions,
        every={"line": 3, "soft": 5},
        idle={"line": ("region", 1), "soft": ("region", 1)},
    ),
    "look": Recipe(widgets.look_explorer, every={"strength": 8}),
}
