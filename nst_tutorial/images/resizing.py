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
    check_batch(image)
    shape = _shape(size, image)
    if tuple(image.shape[2:]) == shape:
        return image
    # On the CPU: once a scale, the same on every device, and Apple's MPS does not have it. In at
    # least single precision, as it is not there for less.
    large = image.to("cpu", torch.promote_types(image.dtype, torch.float32))
    resized = F.interpolate(large, size=shape, mode="bicubic", antialias=True, align_corners=False)
    return resized.to(image.device, image.dtype)


def enlarge(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (N, C, H, W), with no frequency where it is enlarged that it did not have before.

    Bicubic interpolation leaves images of what is near the highest frequency beyond it: fainter in
    each direction by itself, hence strongest on the axes of the spectrum, as a weave. Here the
    picture, mirrored at its border, is the sum of its cosines (the type II discrete cosine
    transform), and these are drawn at the new size. Along a side that does not grow it is `resize`.

    >>> x = torch.rand(1, 3, 30, 40)
    >>> large = enlarge(x, 80)
    >>> large.shape, torch.allclose(large.mean(), x.mean())
    (torch.Size([1, 3, 60, 80]), True)

    `size` and errors are those of `resize`. Values may leave 0..1: beside an edge as sharp as the
    pixels by up to 9 % of it (Gibbs' phenomenon).
    """
    from scipy.fft import dct, idct

    check_batch(image)
    shape = _shape(size, image)
    height, width = max(shape[0], image.shape[2]), max(shape[1], image.shape[3])
    y = image.detach().to("cpu", torch.promote_types(image.dtype, torch.float32)).numpy()
    for axis, length in ((2, height), (3, width)):
        if length > y.shape[axis]:
            gain = (length / y.shape[axis]) ** 0.5
            y = idct(dct(y, axis=axis, norm="ortho"), n=length, axis=axis, norm="ortho") * gain
    return resize(torch.from_numpy(y).to(image.device, image.dtype), shape)


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


def check_batch(image: object) -> None:
    """A ValueError unless it is a tensor (N, C, H, W) of floating point numbers, not empty."""
    usable = isinstance(image, Tensor) and image.dim() == 4 and image.numel()
    if not (usable and image.is_floating_point()):  # type: ignore[attr-defined]
        raise ValueError(f"image must be a tensor (N, C, H, W) of floating point numbers, got "
                         f"{_description(image)}")  # fmt: skip


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
