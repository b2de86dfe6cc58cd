"""Move a region over a picture and see which pixels a style inside it pulls at."""

from __future__ import annotations

from dataclasses import replace

import ipywidgets
import torch
import torch.nn.functional as F
from torch import Tensor

from ..engine import Engine
from ..objectives import StyleSource, make_objective
from ..presets import STYLE_LAYERS, Settings
from ..regions import at_layer, resize_mask
from ..tiles import reach
from ..vgg import VGG19
from .live import to_jpeg


class Regions(ipywidgets.VBox):
    """A region, the mask that a layer sees of it, and how hard each pixel is pulled.

        Regions(vgg, content, style, {"sky": sky})

    Parameters
    ----------
    model
        The network.
    content, style
        Pictures (1, 3, H, W); small ones, since each change evaluates a loss.
    masks
        Masks (1, 1, H, W) by name, beside "above a line", which two sliders move.

    `mask` is the present mask, `pull` (1, 1, H, W) the norm of the gradient at each pixel.
    """

    def __init__(
        self, model: VGG19, content: Tensor, style: Tensor, masks: dict[str, Tensor] | None = None
    ):
        self.model, self.content, self.style = model, content.to(model.mean), style.to(model.mean)
        self.masks = masks or {}
        shape = {"style": {"description_width": "9em"}, "layout": {"width": "34em"}}
        self.region = ipywidgets.Dropdown(
            options=["above a line", *self.masks], description="region", **shape
        )
        self.line = ipywidgets.FloatSlider(
            value=0.5, min=0.1, max=1.0, step=0.05, description="line, share of height",
            continuous_update=False, **shape,
        )  # fmt: skip
        self.soft = ipywidgets.FloatSlider(
            value=0.0, min=0.0, max=0.5, step=0.05, description="soft edge, the same",
            continuous_update=False, **shape,
        )  # fmt: skip
        self.layer = ipywidgets.Dropdown(
            options=STYLE_LAYERS, value="relu3_1", description="layer", **shape
        )
        self.text = ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="jpeg", layout={"max_width": "100%"})
        controls = (self.region, self.line, self.soft, self.layer)
        for control in controls:
            control.observe(self._changed, names="value")
        super().__init__([*controls, self.text, self.picture])
        self._draw()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a region with sliders, and which pixels it pulls at, while a kernel runs)"

    def _changed(self, change: dict) -> None:
        self._draw()

    def _mask(self) -> Tensor:
        height, width = self.content.shape[2:]
        if self.region.value in self.masks:
            return resize_mask(self.masks[self.region.value].to(self.content), (height, width))
        down = (torch.arange(height) + 0.5) / height
        steep = max(self.soft.value, 1e-6)
        rows = (0.5 + (self.line.value - down) / steep).clamp(0, 1)
        return rows.to(self.content)[None, None, :, None].expand(1, 1, height, width).contiguous()

    def _draw(self) -> None:
        self.mask, layer = self._mask(), self.layer.value
        settings = replace(Settings(), style_layers={layer: 1.0}, range_weight=0.0)
        source = StyleSource(self.style, content_mask=self.mask)
        engine = Engine(make_objective(self.model, None, [source], settings))
        gradient = engine.value_and_gradient(self.content).gradient
        self.pull = gradient.norm(dim=1, keepdim=True)
        seen = at_layer(self.mask, layer)
        outside = float(self.pull[self.mask == 0].sum() / self.pull.sum().clamp(min=1e-30))
        self.text.value = (
            f"the mask covers {float(self.mask.mean()):.0%} of the picture; {layer} has "
            f"{seen.shape[3]}×{seen.shape[2]} positions and looks {reach(layer)} pixels around "
            f"each; <b>{outside:.1%} of the pull is outside the mask</b><br>left: the region, "
            "middle: the mask at the layer, right: the pull, bright where it is strong"
        )
        dim = self.content * (0.3 + 0.7 * self.mask)
        size = tuple(self.content.shape[2:])
        blocks = F.interpolate(seen, size=size, mode="nearest")
        pull = (self.pull / self.pull.max().clamp(min=1e-30)).sqrt()
        panels = [dim, *(panel.expand_as(dim) for panel in (blocks, pull))]
        self.picture.value = to_jpeg(torch.cat(panels, dim=3))
