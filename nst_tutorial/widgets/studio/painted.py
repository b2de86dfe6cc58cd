"""Regions in the studio: seen where they are matched, mended or painted by hand."""

from __future__ import annotations

import hashlib
import io
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex, to_rgb
from PIL import Image
from torch import Tensor

from ... import plots
from ...images.reading import load_image
from ...images.resizing import resize_mask, shape_of
from ...plots.figure import COLORS
from ...regions import from_scribbles, match_regions
from ..components import MaskPainter
from ..live import to_jpeg
from .knobs import MORE_STYLES, NONE, PAINTED
from .page import alert, in_words, quiet
from .recipe import Picture, Recipe

SIDE = 320  # pixels of the longer side, on which regions are painted
TINT = 0.45  # how opaque a region is over the picture
PAINT_TWO = "Paint at least two regions, a stroke or two each; what lies between fills itself."


def complete(picture: Tensor, strokes: Tensor) -> dict[int, Tensor]:
    """Region → mask (1, 1, H, W), of strokes (1, 1, h, w) in a size of their own.

    Strokes are enlarged to a larger picture, along whose edges masks are then found; of a smaller
    one the masks are made smaller, since a thin stroke might get lost.
    """
    shape, drawn = shape_of(picture), shape_of(strokes)
    regions = [int(label) for label in strokes.unique() if label > 0]
    if len(regions) < 2:
        raise ValueError(PAINT_TWO)
    if max(shape) > max(drawn):
        strokes = F.interpolate(strokes.float(), shape, mode="nearest").long()
    else:
        picture = F.interpolate(picture, drawn, mode="bilinear", antialias=True).clamp(0, 1)
    masks = [resize_mask(mask, shape) for mask in from_scribbles(picture, strokes)]
    return dict(zip(regions, masks, strict=True))


def tinted(masks: dict[int, Tensor], colors: Sequence[str]) -> bytes:
    """Masks in their colours, as a PNG that a picture shows through."""
    shares = torch.cat(list(masks.values()), dim=1)[0]  # (K, H, W)
    inks = torch.tensor([to_rgb(colors[region - 1]) for region in masks])
    color = torch.einsum("khw,kc->hwc", shares, inks)
    layers = torch.cat([color, torch.full((*color.shape[:2], 1), TINT)], dim=2)
    buffer = io.BytesIO()
    levels = (layers.clamp(0, 1) * 255).round().byte().numpy()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def written(masks: Sequence[Tensor], folder: Path, name: str) -> tuple[Picture, ...]:
    """Masks as files of 8 bits, which code reads as the studio does.

    What they hold is in their names, so that those of two results may lie in one folder.
    """
    pictures = []
    for number, mask in enumerate(masks, start=1):
        buffer = io.BytesIO()
        levels = (mask[0, 0] * 255).round().byte().cpu().numpy()
        Image.fromarray(levels).save(buffer, "PNG")
        digest = hashlib.sha256(buffer.getvalue()).hexdigest()[:6]
        path = folder / f"{name}_{number}_{digest}.png"
        path.write_bytes(buffer.getvalue())
        pictures.append(Picture(path.name, path))
    return tuple(pictures)


class PaintedRegions(ipywidgets.VBox):
    """What belongs to the knob `chosen`: matched regions are shown, and can be mended by hand.

    Of regions that are painted, the r-th takes the r-th style, and one without a style stays as it
    is in the photograph. Those that came from matching take their parts of the one style.

    `recipe` says which pictures are chosen. `value` is all that was painted, to be kept.
    """

    def __init__(self, recipe: Callable[[], Recipe], chosen: ipywidgets.Dropdown):
        self._recipe, self._chosen = recipe, chosen
        self._pictures: tuple[Picture, ...] = ()  # those that were painted on
        self._style_masks: tuple[Tensor, ...] = ()  # of the one style, if regions were matched
        self.painter = MaskPainter(self._complete)
        self.painter.colors = [to_hex(color) for color in COLORS]
        self.matched = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self.told = ipywidgets.HTML()
        self.show_button = ipywidgets.Button(description="Show them", layout={"width": "auto"})
        self.mend_button = ipywidgets.Button(
            description="Mend them by hand", layout={"width": "auto"}
        )
        self.show_button.on_click(lambda _: self.match())
        self.mend_button.on_click(lambda _: self.mend())
        self._row = ipywidgets.HBox([self.show_button, self.mend_button])
        super().__init__([self._row, self.matched, self.painter, self.told])
        self.refresh()

    def refresh(self) -> None:
        """Follow the knobs."""
        how = self._chosen.value
        for part, is_seen in (
            (self._row, how not in (NONE, PAINTED)),
            (self.matched, False),
            (self.painter, how == PAINTED),
        ):
            part.layout.display = None if is_seen else "none"
        if how == PAINTED:
            self._follow_pictures()
        else:
            self.told.value = ""

    @property
    def value(self) -> tuple[Any, ...]:
        return self._pictures, self._style_masks, self.painter._painted

    @value.setter
    def value(self, value: tuple[Any, ...]) -> None:
        pictures, style_masks, painted = value
        self._pictures = ()
        self.refresh()
        if painted and pictures == self._pictures:
            strokes = torch.tensor(list(painted)).view(1, 1, self.painter.height, -1)
            self._paint(strokes, style_masks)

    # --- matched regions -----------------------------------------------------------------------

    def match(self) -> tuple[list[Tensor], list[Tensor]] | None:
        """Show which regions match in the two pictures; None, and why, if none do."""
        try:
            recipe = self._recipe()
            content, style = (load_image(each.path, SIDE) for each in recipe.pictures[:2])
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                masks = match_regions(content, style, self._chosen.value)
        except (ValueError, OSError, RuntimeError) as error:
            self.told.value = alert(in_words(error))
            return None
        self.told.value = quiet("\n".join(str(warning.message) for warning in caught))
        self.matched.value = plots.to_bytes(plots.matched_regions(content, style, *masks))
        self.matched.layout.display = None
        return masks

    def mend(self) -> None:
        """Take what is matched as strokes, to be painted over."""
        masks = self.match()
        if masks is not None:
            content_masks, style_masks = masks
            self._chosen.value = PAINTED
            strokes = torch.cat(content_masks, dim=1).argmax(dim=1, keepdim=True) + 1
            self._paint(strokes, tuple(style_masks))

    # --- painted ones --------------------------------------------------------------------------

    def with_masks(self, recipe: Recipe, folder: Path) -> Recipe:
        """The recipe with the masks of what was painted, written into a new folder there.

        Raises
        ------
        ValueError
            Fewer than two regions are painted, or none of those that have a style.
        """
        content = load_image(recipe.content.path, recipe.size)
        masks = complete(content, self.painter.regions)
        one = recipe.styles[0]
        sources = dict(enumerate(recipe.styles, start=1))
        if self._style_masks:
            sources = dict.fromkeys(range(1, len(self._style_masks) + 1), one)
        kept = [region for region in masks if region in sources]
        if not kept:
            raise ValueError("Paint where the style goes: no region that has one is painted.")
        options = dict(recipe.options)
        mix = options.pop("style_mix", None)
        if mix is not None and not self._style_masks and len(kept) > 1:
            options["style_mix"] = [mix[region - 1] for region in kept]
        new = Path(tempfile.mkdtemp(dir=folder))
        stem = Path(recipe.content.name).stem
        style_masks: tuple[Picture, ...] = ()
        if self._style_masks:
            shape = shape_of(load_image(one.path, recipe.style_size, enlarge=False))
            fitted = [resize_mask(self._style_masks[region - 1], shape) for region in kept]
            style_masks = written(fitted, new, f"{stem}_style_mask")
        return replace(
            recipe,
            styles=tuple(sources[region] for region in kept),
            options=options,
            content_masks=written([masks[region] for region in kept], new, f"{stem}_mask"),
            style_masks=style_masks,
        )

    def _follow_pictures(self) -> None:
        """Another content, or another style than was matched: nothing is painted yet."""
        try:
            recipe = self._recipe()
            if recipe.pictures[:1] != self._pictures[:1] or (
                self._style_masks and recipe.pictures != self._pictures
            ):
                picture = load_image(recipe.content.path, SIDE)
                alt = f"{recipe.content.name}, with regions painted on it"
                self.painter.show(to_jpeg(picture), shape_of(picture), alt)
                self._style_masks, self.told.value = (), quiet(PAINT_TWO)
            self._pictures = recipe.pictures
        except (ValueError, OSError) as error:
            self.told.value = alert(in_words(error))
            return
        self._name_regions([style.name for style in recipe.styles])

    def _name_regions(self, styles: list[str]) -> None:
        if self._style_masks:
            numbers = range(1, len(self._style_masks) + 1)
            self.painter.labels = [f"Region {number}" for number in numbers]
        else:
            names = [*styles, *["stays a photograph"] * (1 + MORE_STYLES)][: 1 + MORE_STYLES]
            self.painter.labels = [f"{i}: {name}" for i, name in enumerate(names, start=1)]

    def _paint(self, strokes: Tensor, style_masks: tuple[Tensor, ...]) -> None:
        self._style_masks = style_masks
        self._name_regions([style.name for style in self._pictures[1:]])
        self.painter.regions = strokes
        self._complete()

    def _complete(self) -> None:
        """Show how the strokes fill the picture."""
        try:
            picture = load_image(self._pictures[0].path, SIDE)
            masks = complete(picture, self.painter.regions)
        except (ValueError, OSError) as error:
            self.painter.tint, self.told.value = b"", quiet(in_words(error))
            return
        self.painter.tint = tinted(masks, self.painter.colors)
        whole = sum(float(mask.sum()) for mask in masks.values())
        parts = (f"{region}: {float(mask.sum()) / whole:.0%}" for region, mask in masks.items())
        self.told.value = quiet(f"Of the picture, region {', '.join(parts)}")
