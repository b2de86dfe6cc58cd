"""Pictures to choose from by their looks, and a place for others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
from traitlets import Int, List, TraitError, Unicode, validate

from .assets import script, style


class PicturePicker(anywidget.AnyWidget):
    """Small pictures, one of which is chosen, and a zone for files of one's own.

    Files are dropped on it, chosen, or taken with the camera of a phone.

    Parameters
    ----------
    label
        What is chosen.
    options
        Names; `value` is one of them.
    look
        Called with a name when it comes into view; returns the bytes of a small picture, or none.
    take
        Called with the name and the bytes of a file that somebody adds.
    refuse
        Called with the name of a file that does not come, and why not: its bytes where they are
        more than `limit`, or what the browser said.
    limit
        Bytes of a file.
    accept
        Suffixes of files, such as ".png", as the browser lists them; none: no files are taken.
    """

    _esm = script("picture_picker")
    _css = style("picture_picker")

    label = Unicode().tag(sync=True)
    options = List(Unicode()).tag(sync=True)
    value = Unicode().tag(sync=True)
    limit = Int(0).tag(sync=True)
    accept = Unicode("image/*").tag(sync=True)

    def __init__(
        self,
        label: str,
        options: Sequence[str],
        value: str,
        *,
        look: Callable[[str], bytes],
        limit: int = 0,
        accept: Sequence[str] = (),
    ):
        self._look = look
        self.take: Callable[[str, bytes], Any] | None = None
        self.refuse: Callable[[str, int | str], Any] | None = None
        super().__init__(
            label=label, options=list(options), value=value, limit=limit, accept=",".join(accept)
        )
        self.on_msg(self._hear)

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return f"({self.label}: {self.value}, one of several while a kernel runs)"

    @property
    def description(self) -> str:
        """What is chosen, in the word that other controls have for it."""
        return self.label

    def offer(self, options: Sequence[str]) -> None:
        """Offer these; what was chosen stays so if it is one of them, else it is the first."""
        with self.hold_sync():
            kept = self.value
            self.options = list(options)
            if kept not in self.options:
                self.value = self.options[0]

    @validate("value")
    def _is_offered(self, proposal: Any) -> str:
        if proposal.value not in self.options:
            raise TraitError(f"{self.label}: there is no picture of the name {proposal.value!r}")
        return proposal.value

    def _hear(self, picker: PicturePicker, message: dict, buffers: list) -> None:
        kind, name = message.get("kind"), str(message.get("name", ""))
        if kind == "look":
            names = [name for name in message.get("names", ()) if name in self.options]
            self.send({"kind": "pictures", "names": names}, [self._look(name) for name in names])
        elif kind in ("file", "too large", "unread"):
            try:
                if kind == "file" and self.take is not None and buffers:
                    self.take(name, bytes(buffers[0]))
                elif self.refuse is not None:
                    self.refuse(name, message["size"] if kind == "too large" else message["why"])
            finally:
                self.send({"kind": "taken"})
