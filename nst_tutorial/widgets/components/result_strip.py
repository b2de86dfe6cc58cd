"""Earlier results, small, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
from traitlets import Int, List

from .assets import script, style

NONE = -1


class ResultStrip(anywidget.AnyWidget):
    """Small pictures side by side, each of them a button that calls `on_choice` with its key.

    `items` are {"key": number, "label": text, "picture": bytes of a file}; `chosen` is the key of
    the one that is shown, or -1.
    """

    _esm = script("result_strip")
    _css = style("result_strip")

    items: List[dict[str, Any]] = List().tag(sync=True)
    chosen = Int(NONE).tag(sync=True)

    def __init__(self, on_choice: Callable[[int], Any]):
        super().__init__()
        self.on_choice = on_choice
        self.on_msg(self._choose)

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(results, while a kernel runs)"

    def _choose(self, strip: ResultStrip, message: dict, buffers: list) -> None:
        key: Any = message.get("key")
        if message.get("kind") == "choose" and key in [item["key"] for item in self.items]:
            self.on_choice(key)
