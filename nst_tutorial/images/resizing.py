"""Pictures and masks at another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import LARGEST_SIZE, check_integer


def fit(width: int, height: int, size: int) -> tuple[int, int]:
    """(width, height) of the same shape, the longer side being `size`."""
    longer = max(width, height)
    return max(1, round(width * size / longer)), max(1, round(height * size / longer))


def shape_of(image: Tensor) -> tuple[int, int]:
    """(H, W) of a picture or of features (…, H, W)."""
    return image.shape[-2], image.shape[-1]


def resize(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (N, C, H, W) with antialiasing: bicubic, so values may leave 0..1 a little.

    `size` is the longer side in pixels, which keeps the shape, or (H, W).

    >>> resize(torch.rand(1, 3, 60, 80), 40).shape
    torch.Size([1, 3, 30, 40])
    >>> resize(torch.rand(1, 3, 60, 80), (20, 20)).shape
    torch.Size([1, 3, 20, 20])

    Raises
    ------
    ValueError
        No tensor of four dimensions and floating point numbers; a size under 1 or over 30 000.
    """
    usable = isinstance(image, Tensor) and image.dim() == 4 and image.numel()
    if not (usable and image.is_floating_point()):
        raise ValueError(f"image must be a tensor (N, C, H, W) of floating point numbers, got "
                         f"{_description(image)}")  # fmt: skip
    shape = _shape(size, image)
    if tuple(image.shape[2:]) == shape:
        return image
    # On the CPU: once a scale, the same on every device, and Apple's MPS does not have it. In at
    # least single precision, as it is not there for less.
    large = image.to("cpu", torch.promote_types(image.dtype, torch.float32))
    resized = F.interpolate(large, size=shape, mode="bicubic", antialias=True, align_corners=False)
    return resized.to(image.device, image.dtype)


def _shape(size: object, image: Tensor) -> tuple[int, int]:
    """(H, W) from the longer side or from (H, W)."""
    if isinstance(size, Sequence) and not isinstance(size, str):
        if len(size) != 2:
            raise ValueError(f"size must be the longer side or (H, W), got {tuple(size)}")
        height, width = (check_integer("a side in size", side, 1, LARGEST_SIZE) for side in size)
        return height, width
    longer = check_integer("size", size, 1, LARGEST_SIZE)
    width, height = fit(image.shape[3], image.shape[2], longer)
    return height, width


def _description(image: object) -> str:
    if isinstance(image, Tensor):
        return f"{tuple(image.shape)} of {image.dtype}"
    return type(image).__name__


@overload
def resize_mask(mask: Tensor, shape: tuple[int, int]) -> Tensor: ...
@overload
def resize_mask(mask: None, shape: tuple[int, int]) -> None: ...
@overload
def resize_mask(mask: Tensor | None, shape: tuple[int, int]) -> Tensor | None: ...
def resize_mask(mask: Tensor | None, shape: tuple[int, int]) -> Tensor | None:
    """A mask at another (H, W): each value a mean of those around it, so it stays in 0..1."""
    if mask is None or tuple(mask.shape[2:]) == tuple(shape):
        return mask
    shape = _shape(shape, mask)
    # On the CPU, as `resize`. Bicubic weights can be negative, bilinear ones cannot.
    small = F.interpolate(
        mask.cpu(), size=shape, mode="bilinear", antialias=True, align_corners=False
    )
    return small.clamp(0, 1).to(mask.device)
