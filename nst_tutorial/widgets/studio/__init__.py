"""The studio: every knob of a style transfer, and a live picture."""

from .app import Studio

__all__ = ["Studio"]
