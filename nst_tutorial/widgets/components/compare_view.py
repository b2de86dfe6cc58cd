"""A picture before and after, with a divider that is dragged on it."""

from __future__ import annotations

from collections.abc import Callable

import anywidget
from traitlets import Bool, Bytes, Float, Int, List, Unicode

from .assets import script, style

FORMATS = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "WebP": ".webp", "MP4": ".mp4"}
"""Of files that can be downloaded, with their suffixes; the last three are films."""
FILMS = ("GIF", "WebP", "MP4")


class CompareView(anywidget.AnyWidget):
    """A picture as large as its place allows; where there is one before it, a divider between.

    The divider is dragged anywhere on the picture, or moved by the arrow keys. Buttons below show
    it at 100 % and on the full screen, and download it.

    `before` and `after` are files of any kind that browsers show; `width` and `height` the pixels
    of the picture, which a smaller `after` may stand for; `position` the percentage that is shown
    as it was before; `finished` offers the downloads, `filmed` those of films too, in the formats
    `films`, with `note` beside them. `deliver` makes the files: it is called with one of `FORMATS`
    and returns a name and the bytes of a file, or None if there is none.
    """

    _esm = script("compare_view")
    _css = style("compare_view")

    before = Bytes().tag(sync=True)
    after = Bytes().tag(sync=True)
    alt_before = Unicode("before").tag(sync=True)
    alt_after = Unicode("after").tag(sync=True)
    width = Int(0).tag(sync=True)
    height = Int(0).tag(sync=True)
    position = Float(0.0).tag(sync=True)
    finished = Bool(False).tag(sync=True)
    filmed = Bool(False).tag(sync=True)
    films = List(Unicode(), list(FILMS)).tag(sync=True)
    note = Unicode().tag(sync=True)

    def __init__(self, deliver: Callable[[str], tuple[str, bytes] | None] | None = None):
        super().__init__()
        self.deliver = deliver
        self.on_msg(self._answer)

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(a picture before and after, with a divider, while a kernel runs)"

    def show(self, after: bytes, shape: tuple[int, int], before: bytes = b"") -> None:
        """Show a picture that stands for one of shape (H, W), from its "after" side."""
        with self.hold_sync():
            self.height, self.width = shape
            self.before, self.after, self.position = before, after, 0.0

    def _answer(self, view: CompareView, message: dict, buffers: list) -> None:
        """Send a file to the page that asked for it."""
        if message.get("kind") != "download":
            return
        wanted = message.get("format")
        file = self.deliver(wanted) if self.deliver and wanted in FORMATS else None
        answer = {"kind": "none" if file is None else "file", "view": message.get("view")}
        if file is None:
            self.send(answer)
        else:
            self.send({**answer, "name": file[0], "format": wanted}, [file[1]])
