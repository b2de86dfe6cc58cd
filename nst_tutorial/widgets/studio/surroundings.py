"""Where the studio is shown, and how fast this machine is."""

from __future__ import annotations

import os
from functools import lru_cache


def under_voila() -> bool:
    """Whether this is a web page for visitors: they get files by download, and leave none here."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


@lru_cache(maxsize=1)
def seconds_per_megapixel() -> float:
    """Of one evaluation here, measured once."""
    from ...transfer.speed import seconds_per_evaluation
    from ...vgg.network import load_vgg19

    return seconds_per_evaluation(load_vgg19(), 256) / 0.256**2
