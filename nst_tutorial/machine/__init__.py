"""The machine: its device, its memory, and how its libraries are made to use them well."""

from .device import choose_device
from .malloc import VARIABLE, glibc, keep_freed_memory
from .memory import SPARE, free_memory, is_out_of_memory, usable
from .modes import leaving_inference_mode
from .openmp import dismiss_team, start_thread
from .processor import describe_processor

__all__ = [
    "SPARE",
    "VARIABLE",
    "choose_device",
    "describe_processor",
    "dismiss_team",
    "free_memory",
    "glibc",
    "is_out_of_memory",
    "keep_freed_memory",
    "leaving_inference_mode",
    "start_thread",
    "usable",
]
