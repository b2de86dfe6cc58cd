"""A texture network under your hands: its noise, and how much each of its scales counts."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping

import ipywidgets
from torch import Tensor

from ..texture_nets import Generator
from .live import to_jpeg


class GeneratorExplorer(ipywidgets.VBox):
    """Choose a generator, the seed of its noise, its size and the strength of each scale.

    Every change paints a new picture while the slider moves: one pass is that quick. `controls`
    holds the controls by name; setting a `.value` from Python does the same as a hand. What goes
    wrong is shown in words, and kept in `error`.

    Parameters
    ----------
    generators
        Name → generator, all with the same number of scales.
    content
        (1, 3, H, W), sRGB, 0..1: what those that stylise repaint, at its own size.
    sizes
        Sides of a texture to choose from, in pixels.
    """

    def __init__(
        self,
        generators: Mapping[str, Generator],
        content: Tensor | None = None,
        sizes: tuple[int, ...] = (128, 192, 256, 384),
    ):
        scales = {generator.design["scales"] for generator in generators.values()}
        if len(scales) != 1:
            raise ValueError(f"the generators must have one number of scales, got {sorted(scales)}")
        if content is None and any(g.design["stylizes"] for g in generators.values()):
            raise ValueError("a generator that stylises needs a content")
        self.generators, self.content = dict(generators), content
        self.error: Exception | None = None
        self.waiting = False  # for several sliders to be set
        self.controls: dict[str, ipywidgets.Widget] = {
            "generator": ipywidgets.Dropdown(options=list(generators), description="network"),
            "size": ipywidgets.SelectionSlider(
                options=list(sizes), value=sizes[len(sizes) // 2], description="size, pixels"
            ),
            "seed": ipywidgets.IntSlider(0, min=0, max=99, description="seed of the noise"),
            "tiled": ipywidgets.Checkbox(value=False, description="show 2 × 2 copies"),
        }
        for k in range(scales.pop()):
            self.controls[f"scale {k}"] = ipywidgets.FloatSlider(
                1.0, min=0.0, max=3.0, step=0.1, description=f"scale {k + 1}"
            )
        names = [name for name in self.controls if name.startswith("scale")]
        self.controls[names[0]].description = "coarsest scale"
        self.controls[names[-1]].description = "finest scale"
        for control in self.controls.values():
            control.style.description_width = "9em"
            control.layout.width = "24em"
            control.observe(self.refresh, names="value")
        self.reset = ipywidgets.Button(description="all scales to 1")
        self.reset.on_click(self._reset)
        self.words = ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="jpeg", layout={"width": "24em"})
        knobs = ipywidgets.VBox([*self.controls.values(), self.reset])
        shown = ipywidgets.VBox([self.picture, self.words])
        super().__init__([ipywidgets.HBox([knobs, shown], layout={"flex_flow": "row wrap"})])
        self.refresh()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a texture network with sliders for its noise and its scales, while a kernel runs)"

    @property
    def strengths(self) -> list[float]:
        """How much each scale counts, coarse to fine."""
        return [c.value for name, c in self.controls.items() if name.startswith("scale")]

    def paint(self) -> Tensor:
        """The picture of the present values, (1, 3, H, W)."""
        generator = self.generators[self.controls["generator"].value]
        content = self.content if generator.design["stylizes"] else None
        return generator.sample(
            self.controls["size"].value, self.controls["seed"].value,
            content=content, strengths=self.strengths,
        )  # fmt: skip

    def refresh(self, _change=None) -> None:
        """Paint, and say how long it took."""
        if self.waiting:
            return
        try:
            begin = time.perf_counter()
            image = self.paint()
            spent = time.perf_counter() - begin
            self.error = None
        except Exception as error:  # else it would end in a log that nobody reads
            self.error = error
            self.words.value = f"<b>This cannot be shown:</b> {html.escape(str(error))}"
            return
        if self.controls["tiled"].value:
            image = image.repeat(1, 1, 2, 2)
        self.picture.value = to_jpeg(image)
        height, width = image.shape[2:]
        self.words.value = f"{width} × {height} pixels; the pass took {1000 * spent:.0f} ms"

    def _reset(self, _button=None) -> None:
        self.waiting = True
        for name, control in self.controls.items():
            if name.startswith("scale"):
                control.value = 1.0
        self.waiting = False
        self.refresh()
