"""VGG19: its layers by name, its weights, and its features, fast."""

from .layers import BLOCKS, CHANNELS, CONVOLUTIONS, LAYERS, check_layers, margin, reach, stride
from .network import VGG19, load_vgg19
from .weights import (
    NAMED,
    PALETTE_FILE,
    PALETTE_SHA256,
    PREPROCESSING,
    check_weights,
    palette_path,
    read_weights,
    weights_file,
)

__all__ = [
    "BLOCKS",
    "CHANNELS",
    "CONVOLUTIONS",
    "LAYERS",
    "NAMED",
    "PALETTE_FILE",
    "PALETTE_SHA256",
    "PREPROCESSING",
    "VGG19",
    "check_layers",
    "check_weights",
    "load_vgg19",
    "margin",
    "palette_path",
    "reach",
    "read_weights",
    "stride",
    "weights_file",
]
