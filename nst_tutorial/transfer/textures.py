"""Half a style transfer: texture from a style alone, and content from a layer alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from torch import Tensor

from ..checks import check_integer, check_pictures, output_shape
from ..kernels.registry import Kernel
from ..optimize.coarse_to_fine import through_scales
from ..optimize.loop import Callback
from ..optimize.result import Result
from ..presets import Settings, get_preset
from ..vgg.layers import check_layers
from ..vgg.network import VGG19
from .builder import choose_model
from .options import check_settings, chosen_options
from .provenance import record
from .request import Request
from .scene import Objectives, noise, prepare
from .styles import StyleSource

__all__ = ["OPTIONS", "noise", "reconstruct", "synthesize_texture"]

OPTIONS = (
    *("vgg_weights", "pooling", "rescale", "edges", "convolutions", "precision"),
    *("style_normalization", "content_normalization"),
    *("style_weight", "tv_weight", "range_weight", "balance", "coarse_to_fine", "scale_factor"),
    *("parametrization", "method", "learning_rate", "average", "lbfgs_pairs"),
)
"""Settings that mean something without a second picture."""


def _settings(options: Mapping[str, Any], **fixed: Any) -> Settings:
    chosen = chosen_options(options, OPTIONS)
    if chosen.get("parametrization") == "grid":
        raise ValueError(
            "parametrization 'grid' maps the colours of a content, and nothing of one is kept "
            "here; take pixel or fourier"
        )
    return check_settings(replace(get_preset("gram"), start="noise", **chosen, **fixed))


def synthesize_texture(
    style: Tensor,
    size: int | tuple[int, int] = 256,
    layers: Mapping[str, float] | Iterable[str] | None = None,
    kernel: Kernel | Mapping[str, Kernel] = "gram",
    seed: int = 0,
    *,
    tileable: bool = False,
    steps: int = 200,
    device: str = "auto",
    model: VGG19 | None = None,
    memory: float | None = None,
    callback: Callback | None = None,
    **options: Any,
) -> Result:
    """Return a new picture with the texture of a style, and nothing of its layout.

    From noise, matching the style's statistics alone (Gatys, Ecker & Bethge 2015, "Texture
    Synthesis Using Convolutional Neural Networks", arXiv 1505.07376).

    >>> import nst_tutorial as nst
    >>> style = nst.load_image("starry_night", 64)
    >>> nst.synthesize_texture(style, (32, 48), steps=2, device="cpu").image.shape
    torch.Size([1, 3, 32, 48])

    Parameters
    ----------
    style
        (1, 3, H, W), sRGB, 0..1.
    size
        Of the result: pixels of a square, or (H, W). The style keeps its own size, so a larger
        result shows more of the texture, not larger grains.
    layers
        Layer → weight, or names of equal weight; None: the style layers of the default preset.
    kernel
        As in `stylize`.
    seed
        Of the noise. Another seed, another picture of the same texture.
    tileable
        Treat the result as if it continued on its opposite side, so that copies laid side by side
        show no seam. The style's own border is an ordinary one, unless `model` is given.
    steps, device, model, memory, callback
        As in `stylize`. With `tileable`, a `model` must have padding="circular".
    options
        Further settings, those in `textures.OPTIONS`: `balance`, `coarse_to_fine`, `method`, …

    Raises
    ------
    TypeError
        An option that there is not, or that has no meaning here.
    ValueError
        A wrong shape or value, an unknown name; the message says which.
    """
    check_pictures({"style": style})
    shape = output_shape(size)
    settings = _settings(
        options, kernel=kernel, steps=steps, content_layers={}, **_style_layers(layers)
    )
    seed = check_integer("seed", seed, 0)
    # At every scale the style is as large beside the result as at full size.
    source = StyleSource(style, scale=Fraction(max(style.shape[2:]), max(shape)))
    request = Request(settings, shape, styles=(source,), seed=seed, tileable=tileable)
    padding = "circular" if tileable else "zeros"
    result_model = choose_model(settings, device, model, padding, pixels=request.pixels)
    if tileable and result_model.padding != "circular":
        raise ValueError("a tileable texture needs a model with padding='circular'")
    style_model = choose_model(settings, device, model).with_paths(result_model.paths)
    result = _run(request, result_model, style_model, memory, callback)
    sizes = {"size": list(shape), "style_size": list(style.shape[2:])}
    result.settings = {**record(settings, result_model, seed), "tileable": tileable, **sizes}
    return result


def _style_layers(layers: Mapping[str, float] | Iterable[str] | None) -> dict[str, Any]:
    if layers is None:
        return {}
    if isinstance(layers, str):
        layers = [layers]
    if isinstance(layers, Iterable) and not isinstance(layers, Mapping):
        layers = dict.fromkeys(check_layers(layers), 1.0)
    return {"style_layers": layers}


def reconstruct(
    content: Tensor,
    layer: str,
    seed: int = 0,
    *,
    steps: int = 150,
    device: str = "auto",
    model: VGG19 | None = None,
    memory: float | None = None,
    callback: Callback | None = None,
    **options: Any,
) -> Result:
    """Return a picture that has the content's features at one layer, found from noise.

    What differs from the content is what the layer has forgotten (Mahendran & Vedaldi, CVPR 2015,
    arXiv 1412.0035; Gatys et al. 2016, figure 1). Parameters as in `synthesize_texture`, of which
    `balance` and the style's have no meaning here.

    >>> import nst_tutorial as nst
    >>> content = nst.load_image("temple", 48)
    >>> result = nst.reconstruct(content, "relu2_1", steps=4, device="cpu")
    >>> result.history[-1]["total"] < result.history[0]["total"]
    True

    Raises
    ------
    TypeError
        An option that there is not, or that has no meaning here.
    ValueError
        A wrong shape or value, an unknown layer; the message says which.
    """
    check_pictures({"content": content})
    check_layers([layer])
    settings = _settings(
        {"coarse_to_fine": False, **options},
        steps=steps, content_layers={layer: 1.0}, style_layers={},
    )  # fmt: skip
    seed = check_integer("seed", seed, 0)
    shape = (content.shape[2], content.shape[3])
    request = Request(settings, shape, content, seed=seed)
    model = choose_model(settings, device, model, pixels=request.pixels)
    result = _run(request, model, model, memory, callback)
    result.settings = {**record(settings, model, seed), "content_size": list(shape)}
    return result


def _run(
    request: Request,
    model: VGG19,
    style_model: VGG19,
    memory: float | None,
    callback: Callback | None,
) -> Result:
    scene = prepare(request, model)
    stages = request.plan(model.device, memory=memory, paths=model.paths).stages
    objectives = Objectives(scene, request.settings, model, style_model, seed=request.seed)
    return through_scales(scene.start, objectives, request.settings, stages, callback)
