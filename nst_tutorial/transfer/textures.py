"""Half a style transfer: texture from a style alone, and content from a layer alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ..checks import check_choice, check_integer, check_pictures, output_shape
from ..images.resizing import resize
from ..kernels.registry import Kernel
from ..losses.balance import balanced_weights, gradient_norms
from ..losses.objective import Objective
from ..optimize.coarse_to_fine import through_scales
from ..optimize.loop import Callback
from ..optimize.result import Result
from ..presets import Settings
from ..tiling.engine import Engine
from ..tiling.planning import Stage, plan
from ..vgg.layers import check_layers
from ..vgg.network import VGG19
from .builder import choose_model, make_objective
from .options import check_settings, room_for_pairs
from .provenance import record

OPTIONS = (
    *("weights", "pooling", "rescale", "style_normalization", "content_normalization"),
    *("style_weight", "tv_weight", "range_weight", "balance", "coarse_to_fine"),
    *("parameters", "method", "learning_rate", "history"),
)


def _settings(options: Mapping, **fixed) -> Settings:
    """Settings from further options, only such as mean something without a second picture."""
    for name in options:
        check_choice("a further option", name, OPTIONS)
    settings = replace(Settings(), start="noise", **options, **fixed)
    check_settings(settings)
    return settings


def noise(size: tuple[int, int], seed: int, like: Tensor) -> Tensor:
    """White noise (1, 3, H, W) with the mean and standard deviation of each channel of `like`."""
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
    z = torch.randn((1, 3, *size), generator=generator).to(like)
    mean, std = like.mean(dim=(2, 3), keepdim=True), like.std(dim=(2, 3), keepdim=True)
    return mean + std * z


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
    **options,
) -> Result:
    """Return a new picture with the texture of a style, and nothing of its layout.

    From noise, matching the style's statistics alone (Gatys, Ecker & Bethge 2015, "Texture
    Synthesis Using Convolutional Neural Networks", arXiv 1505.07376).

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
        Further settings, those in `synthesis.OPTIONS`: `balance`, `coarse_to_fine`, `method`, …

    Raises
    ------
    ValueError
        A wrong shape or value, an unknown name; the message says which.
    """
    check_pictures({"style": style})
    shape = output_shape(size)
    if isinstance(layers, str):
        layers = [layers]
    if isinstance(layers, list | tuple):
        layers = dict.fromkeys(check_layers(layers), 1.0)
    given = {} if layers is None else {"style_layers": layers}
    settings = _settings(options, kernel=kernel, steps=steps, content_layers={}, **given)
    result_model = choose_model(settings, device, model, "circular" if tileable else "zeros")
    if tileable and result_model.padding != "circular":
        raise ValueError("a tileable texture needs a model with padding='circular'")
    style_model = choose_model(settings, device, model)
    style = style.to(result_model.mean)

    def objective_at(stage: Stage) -> Engine:
        length = max(stage.height, stage.width)
        target = resize(style, round(max(style.shape[2:]) * length / max(shape)))
        terms = make_objective(style_model, None, target, settings, stage.tile)
        objective = Engine(Objective(result_model, terms.terms, terms.weights), stage.tile)
        if settings.balance == "gradient":
            if not balance:  # at the first scale, and kept from then on
                begin = resize(start, (stage.height, stage.width))
                balance.update(gradient_norms(objective, begin))
            objective.reweight(balanced_weights(objective.weights, balance))
        return objective

    start = noise(shape, check_integer("seed", seed, 0), style)
    balance: dict[str, float] = {}
    narrow = min(min(shape), min(style.shape[2:])) / max(shape) * room_for_pairs(settings)
    stages = plan(
        *shape,
        settings=settings,
        memory=memory,
        device=result_model.device,
        narrowest=narrow,
        circular=tileable,
    ).stages
    result = through_scales(start, objective_at, settings, stages, callback)
    result.gradient_norms = balance
    sizes = {"size": list(shape), "style_size": list(style.shape[2:])}
    result.settings = {**record(settings, result_model, seed), "tileable": tileable, **sizes}
    return result


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
    **options,
) -> Result:
    """Return a picture that has the content's features at one layer, found from noise.

    What differs from the content is what the layer has forgotten (Mahendran & Vedaldi, CVPR 2015,
    arXiv 1412.0035; Gatys et al. 2016, figure 1). Parameters as in `synthesize_texture`, of which
    `balance` and the style's have no meaning here.

    Raises
    ------
    ValueError
        A wrong shape or value, an unknown layer; the message says which.
    """
    check_pictures({"content": content})
    check_layers([layer])
    settings = _settings(
        {"coarse_to_fine": False, **options},
        steps=steps, content_layers={layer: 1.0}, style_layers={},
    )  # fmt: skip
    model = choose_model(settings, device, model)
    content = content.to(model.mean)
    start = noise(tuple(content.shape[2:]), check_integer("seed", seed, 0), content)
    stages = plan(*content.shape[2:], settings=settings, memory=memory, device=model.device).stages

    def objective_at(stage: Stage) -> Engine:
        here = resize(content, (stage.height, stage.width))
        return Engine(make_objective(model, here, None, settings, stage.tile), stage.tile)

    result = through_scales(start, objective_at, settings, stages, callback)
    size = list(content.shape[2:])
    result.settings = {**record(settings, model, seed), "content_size": size}
    return result
