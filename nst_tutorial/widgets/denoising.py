"""Turn the strength of a de-noiser and see what goes: the noise, and then the picture."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets
import torch
from torch import Tensor

from ..denoising import denoise, level_of
from ..presets import DENOISERS, PLACES
from .live import to_jpeg


class Denoising(ipywidgets.VBox):
    """A picture before and after, a method, a strength, and what both do in numbers.

        Denoising(result.image, content)

    Parameters
    ----------
    image, guide
        The result and its content, (1, 3, H, W), of one size.
    measure
        picture → style error; if given, its change is told.
    crop, zoom
        Show only these rows and columns, each pixel so many times as wide.

    The picture of the present setting is `denoised`.
    """

    def __init__(
        self,
        image: Tensor,
        guide: Tensor,
        measure: Callable[[Tensor], float] | None = None,
        crop: tuple[slice, slice] = (slice(None), slice(None)),
        zoom: int = 1,
    ):
        self.image, self.guide, self.measure, self.crop, self.zoom = (
            image,
            guide,
            measure,
            crop,
            zoom,
        )
        self.noise = level_of(image, guide)
        self.error = None if measure is None else measure(image)
        wide = {"description_width": "9em"}
        self.method = ipywidgets.Dropdown(
            options=DENOISERS, description="method", style=wide, layout={"width": "24em"}
        )
        self.strength = ipywidgets.FloatSlider(
            value=self.noise, min=0.0, max=max(4 * self.noise, 0.1), step=max(self.noise, 0.1) / 20,
            description="strength, grey levels", continuous_update=False, style=wide,
            layout={"width": "34em"}, readout_format=".2f",
        )  # fmt: skip
        self.where = ipywidgets.Dropdown(
            options=PLACES, description="where", style=wide, layout={"width": "24em"}
        )
        self.text = ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="jpeg", layout={"max_width": "100%"})
        controls = (self.method, self.strength, self.where)
        for control in controls:
            control.observe(self._changed, names="value")
        super().__init__([*controls, self.text, self.picture])
        self._draw()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a picture before and after de-noising, with a slider, while a kernel runs)"

    def _changed(self, change: dict) -> None:
        self._draw()

    def _draw(self) -> None:
        self.denoised = denoise(
            self.image, self.method.value, self.guide, self.strength.value, self.where.value
        )
        told = f"noise {self.noise:.2f} → {level_of(self.denoised, self.guide):.2f} grey levels"
        if self.measure is not None:
            told += f", style error {self.measure(self.denoised) / self.error - 1:+.1%}"
        self.text.value = f"left: before, right: after; {told}"
        self.picture.value = to_jpeg(
            torch.cat([self._cut(self.image), self._cut(self.denoised)], 3)
        )

    def _cut(self, image: Tensor) -> Tensor:
        cut = image[(..., *self.crop)].clamp(0, 1)
        return cut.repeat_interleave(self.zoom, 2).repeat_interleave(self.zoom, 3)
