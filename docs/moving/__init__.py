"""Explorers that move without Python, and networks that run in the page.

`export` writes everything into a folder of the site; `snippet` is the HTML that stands where the
explorer shall be; `NAMES` says below which cell of which notebook that is. A snippet loads nothing
but a small script until its place comes into view; then the painter begins to load its network,
unless the visitor saves data, and other networks are loaded when they are asked for.
"""

from .contents import NAMES, PLAY, TITLES, export, preloads, snippet

__all__ = ["NAMES", "PLAY", "TITLES", "export", "preloads", "snippet"]
