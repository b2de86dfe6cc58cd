"""Strokes on a picture, each of a region."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import torch
from torch import Tensor
from traitlets import Bytes, Int, List, Unicode

from .assets import script, style


class MaskPainter(anywidget.AnyWidget):
    """Paint on a picture where each of some regions is, by mouse, finger, pen or keys.

    `show` gives it a picture; `labels` and `colors` ("#rrggbb") name the regions, from 1 on.
    `regions` is what was painted. `tint` is a picture file, partly transparent, that lies between
    picture and strokes. `on_paint` is called after each stroke.
    """

    _esm = script("mask_painter")
    _css = style("mask_painter")

    picture = Bytes().tag(sync=True)
    tint = Bytes().tag(sync=True)
    alt = Unicode().tag(sync=True)
    width = Int(0).tag(sync=True)
    height = Int(0).tag(sync=True)
    labels = List(Unicode()).tag(sync=True)
    colors = List(Unicode()).tag(sync=True)
    strokes = Bytes().tag(sync=True)  # what Python painted; the page keeps its own

    def __init__(self, on_paint: Callable[[], Any]):
        super().__init__()
        self.on_paint = on_paint
        self._painted = b""
        self.on_msg(self._hear)

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a picture to paint regions on, while a kernel runs)"

    def show(self, picture: bytes, shape: tuple[int, int], alt: str) -> None:
        """Show a picture file; regions are painted with (H, W) pixels, and are none yet."""
        with self.hold_sync():
            self.picture, self.tint, self.alt = picture, b"", alt
            (self.height, self.width), self.strokes = shape, b""
        self._painted = bytes(self.height * self.width)

    @property
    def regions(self) -> Tensor:
        """(1, 1, H, W), whole numbers: 0 where nothing is painted, else the region."""
        flat = torch.frombuffer(bytearray(self._painted), dtype=torch.uint8).long()
        return flat.view(1, 1, self.height, self.width)

    @regions.setter
    def regions(self, regions: Tensor) -> None:
        self.strokes = b""  # the page may have painted since: it shall hear of equal ones too
        self._painted = self.strokes = bytes(regions.flatten().to(torch.uint8).tolist())

    def _hear(self, painter: MaskPainter, message: dict, buffers: list) -> None:
        if message.get("kind") != "painted" or len(buffers) != 1:
            return
        painted = bytes(buffers[0])
        whole = len(painted) == self.height * self.width
        if whole and max(painted, default=0) <= len(self.labels):
            self._painted = painted
            self.on_paint()
