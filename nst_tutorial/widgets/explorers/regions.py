"""Move a region over a picture and see which pixels a style inside it pulls at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ...images.resizing import resize_mask, shape_of
from ...presets import STYLE_LAYERS, get_preset
from ...tiling.engine import Engine
from ...transfer.builder import make_objective
from ...transfer.masks import at_layer
from ...transfer.styles import StyleSource
from ...vgg.layers import reach
from ...vgg.network import VGG19
from ..components import Picture
from ..live import to_jpeg
from .controls import choice, span_of
from .explorer import Answer, Explorer

LINE = "above a line"


def region_explorer(
    model: VGG19, content: Tensor, style: Tensor, masks: Mapping[str, Tensor] | None = None
) -> Explorer:
    """Return a widget with a region, the mask that a layer sees of it, and the pixels it pulls at.

    Controls: `region`, `line` and `soft` (shares of the height, for the region above a line),
    `layer`.

    Parameters
    ----------
    model
        The network.
    content, style
        Pictures (1, 3, H, W); small ones, since each change evaluates a loss.
    masks
        Masks (1, 1, H, W) in 0..1 by name, beside the region above a line.
    """
    content, style, masks = content.to(model.mean), style.to(model.mean), dict(masks or {})
    shape = shape_of(content)

    def answer(region: str, line: float, soft: float, layer: str) -> Answer:
        if region == LINE:
            mask = above(line, soft, shape).to(content)
        else:
            mask = resize_mask(masks[region].to(content), shape)
        return _answer(model, content, style, mask, layer)

    controls = {
        "region": choice([LINE, *masks], LINE, "region", "where the style is to be"),
        "line": span_of(
            0.1, 1.0, 0.05, 0.5, "line, share of height", "where the region above it ends"
        ),
        "soft": span_of(
            0.0, 0.5, 0.05, 0.0, "soft edge, the same", "over how much of the height it fades"
        ),
        "layer": choice(STYLE_LAYERS, "relu3_1", "layer", "whose statistic is taken inside"),
    }
    what = "the region explorer: a region, a layer's mask of it, and the pixels that are pulled"
    return Explorer(what, controls, answer, ("100%",))


def above(line: float, soft: float, shape: tuple[int, int]) -> Tensor:
    """The region above a line: a mask (1, 1, H, W), 1 above it, with an edge that is `soft` wide.

    Both are shares of the height.
    """
    height, width = shape
    down = (torch.arange(height) + 0.5) / height
    rows = (0.5 + (line - down) / max(soft, 1e-6)).clamp(0, 1)
    return rows[None, None, :, None].expand(1, 1, height, width).contiguous()


def pull(model: VGG19, content: Tensor, style: Tensor, mask: Tensor, layer: str) -> Tensor:
    """How hard a style inside the mask pulls at each pixel: (1, 1, H, W), the gradient's norm."""
    settings = replace(get_preset("gram"), style_layers={layer: 1.0}, range_weight=0.0)
    source = StyleSource(style, content_mask=mask)
    engine = Engine(make_objective(model, None, [source], settings))
    return engine.value_and_gradient(content).gradient.norm(dim=1, keepdim=True)


def _answer(model: VGG19, content: Tensor, style: Tensor, mask: Tensor, layer: str) -> Answer:
    pulled, seen = pull(model, content, style, mask, layer), at_layer(mask, layer)
    outside = float(pulled[mask == 0].sum() / pulled.sum().clamp(min=1e-30))
    words = (
        f"the mask covers {float(mask.mean()):.0%} of the picture; {layer} has "
        f"{seen.shape[3]}×{seen.shape[2]} positions and looks {reach(layer)} pixels around "
        f"each; <b>{outside:.1%} of the pull is outside the mask</b><br>left: the region, "
        "middle: the mask at the layer, right: the pull, bright where it is strong"
    )
    dim = content * (0.3 + 0.7 * mask)
    blocks = F.interpolate(seen, size=shape_of(content), mode="nearest")
    bright = (pulled / pulled.max().clamp(min=1e-30)).sqrt()
    panels = [dim, *(panel.expand_as(dim) for panel in (blocks, bright))]
    alt = f"the region, the mask at {layer}, and the pull"
    return Answer((Picture(to_jpeg(torch.cat(panels, dim=3)), alt=alt),), words)
