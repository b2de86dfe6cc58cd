"""Neural style transfer, from its equations to its limits.

    import nst_tutorial as nst
    content = nst.load_image("temple", size=512)
    style = nst.load_image("starry_night", size=512)
    result = nst.stylize(content, style)
    nst.save_image(result.image, "temple.png", result.settings)

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING

__version__ = _version("nst_tutorial")

_HOME = {
    "load_image": "images",
    "save_image": "images",
    "load_settings": "images",
    "list_images": "images",
    "resize": "images",
    "show": "images",
    "VGG19": "vgg",
    "LAYERS": "vgg",
    "gram_matrix": "kernels",
    "Objective": "losses",
    "minimize": "optimize",
    "PRESETS": "presets",
    "plan": "planning",
    "stylize": "transfer",
    "load_mask": "regions",
    "match_color": "color",
    "keep_luminance": "color",
    "denoise": "denoising",
    "noise_level": "noise",
    "synthesize_texture": "synthesis",
    "reconstruct": "synthesis",
    "trade_off": "front",
    "about": "doctor",
}
_MODULES = (
    "images",
    "vgg",
    "winograd",
    "kernels",
    "losses",
    "optimize",
    "presets",
    "plots",
    "check",
    "widgets",
)

__all__ = [*_HOME, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from . import check, images, kernels, losses, optimize, plots, presets, vgg, widgets, winograd
    from .color import keep_luminance, match_color
    from .denoising import denoise
    from .doctor import about
    from .front import trade_off
    from .images import list_images, load_image, load_settings, resize, save_image, show
    from .kernels import gram_matrix
    from .losses import Objective
    from .noise import noise_level
    from .optimize import minimize
    from .planning import plan
    from .presets import PRESETS
    from .regions import load_mask
    from .synthesis import reconstruct, synthesize_texture
    from .transfer import stylize
    from .vgg import LAYERS, VGG19


def __getattr__(name: str):
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    elif name in _MODULES:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
