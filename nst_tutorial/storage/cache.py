"""Where things are kept that could be computed again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

VARIABLE = "NST_CACHE"


def cache_folder() -> Path:
    """The folder that NST_CACHE names, else the user's folder for such. It need not exist."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    return platformdirs.user_cache_path("nst_tutorial", appauthor=False)
