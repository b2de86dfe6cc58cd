"""How noisy a picture is: its noise level where nothing should be, and its power spectrum.

A style transfer leaves fine grain: pixels that serve the network's filters and not the eye. The
eye finds it where the content is flat. Over the whole picture it drowns in texture that is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_integer, check_number
from .strips import in_strips, strips

GREY = 255  # levels of an 8-bit picture between black and white
MEDIAN_OF_NORMAL = 0.6745  # of |z|, where z is normal with standard deviation 1
FLAT_SHARE = 0.25  # of the content's pixels that are called flat
FADE = 1.5  # times this share: from there on `flatness` is 0
SMOOTHING = 1 / 128  # of the longer side: how far around a pixel must be flat too


def noise_level(image: Tensor, where: Tensor | None = None, octave: int = 0) -> float:
    """Return the standard deviation of the noise, in grey levels of 255.

    Each 2×2 pixels have the diagonal difference (a - b - c + d) / 2, where a and d are on one
    diagonal. Ramps and straight edges along the axes leave none; of white noise of standard
    deviation σ it has σ. The median of its absolute value over 0.6745 is a robust estimate of σ,
    since texture and edges are few large values (Donoho & Johnstone, "Ideal spatial adaptation by
    wavelet shrinkage", Biometrika 1994, doi 10.1093/biomet/81.3.425, section 4.2).

    >>> noise = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> round(noise_level(0.5 + 10 / 255 * noise))
    10

    Parameters
    ----------
    image
        (1, C, H, W), values in 0..1.
    where
        Boolean (1, 1, H, W): look only here, say at `flat_regions(content)`.
    octave
        Look at coarser grain: how many times to halve the picture first, by means of 2×2 pixels.
        White noise has half the level in each following octave.

    Raises
    ------
    ValueError
        Not finite, a mask of another size, or no 2×2 pixels to look at.
    """
    image = _checked(image)
    octave = check_integer("octave", octave, 0)
    if where is None:
        where = torch.ones_like(image[:, :1], dtype=torch.bool)
    is_mask = isinstance(where, Tensor) and where.dtype == torch.bool
    if not is_mask or where.shape != image[:, :1].shape:
        wanted = tuple(image[:, :1].shape)
        raise ValueError(f"where must be a mask {wanted} of bool, got {_kind(where)}")
    if min(image.shape[2:]) < 2 ** (octave + 1):
        raise ValueError(f"a picture {_kind(image)} has no 2×2 pixels in octave {octave}")
    if octave:
        image = F.avg_pool2d(image, 2**octave)
        where = -F.max_pool2d(-where.to(image), 2**octave) > 0  # whose fine pixels all are
    differences = torch.cat([
        _diagonal_differences(image[:, :, rows.start : rows.stop + 1],
                              where[:, :, rows.start : rows.stop + 1])
        for rows in strips(image.shape[2] - 1, image.shape[3])
    ])  # fmt: skip
    if not len(differences):
        raise ValueError("the mask has no 2×2 pixels that lie together")
    return GREY * float(differences.median()) / MEDIAN_OF_NORMAL


def _diagonal_differences(image: Tensor, where: Tensor) -> Tensor:
    """|a - b - c + d| / 2 of all 2×2 pixels that lie in a mask, in one row."""
    a, b, c, d = _corners(image)
    seen = torch.stack(_corners(where)).all(dim=0)
    return ((a - b - c + d) / 2).abs().masked_select(seen)


def _corners(x: Tensor) -> tuple[Tensor, ...]:
    """The upper left, upper right, lower left and lower right of all 2×2 pixels."""
    return x[..., :-1, :-1], x[..., :-1, 1:], x[..., 1:, :-1], x[..., 1:, 1:]


def fine_detail(image: Tensor) -> Tensor:
    """(…, H, W) → (…, H - 2, W - 2): each pixel less the binomial mean of its 3×3 neighbourhood.

    The mean is that of rows and columns by (1, 2, 1) / 4. Detail in any direction is left, stripes
    as well as chequers, where the diagonal difference sees no upright stripes. Scaled so that white
    noise keeps its standard deviation.
    """
    rows = (image[..., :-2, :] + 2 * image[..., 1:-1, :] + image[..., 2:, :]) / 4
    mean = (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4
    variance = 1 - 2 * (2 / 4) ** 2 + (6 / 16) ** 2  # of what is left of white noise
    return (image[..., 1:-1, 1:-1] - mean) / variance**0.5


def smoothed_gradient(image: Tensor) -> Tensor:
    """Return how much goes on around each pixel: (1, 1, H, W), the blurred norm of the gradient."""
    from scipy.ndimage import gaussian_filter

    image = _checked(image)
    norm = in_strips(_gradient_norm, image, reach=1)
    blurred = gaussian_filter(norm[0, 0].cpu().numpy(), max(1.0, SMOOTHING * max(image.shape[2:])))
    return torch.from_numpy(blurred)[None, None].to(image)


def _gradient_norm(image: Tensor) -> Tensor:
    """(1, C, H, W) → (1, 1, H, W), over both directions and all channels."""
    down, across = torch.gradient(image, dim=(2, 3))
    return (down.square() + across.square()).sum(dim=1, keepdim=True).sqrt()


def flat_regions(content: Tensor, share: float = FLAT_SHARE) -> Tensor:
    """Return where the content is flattest: a mask (1, 1, H, W) of this share of its pixels.

    Pixels that are equally flat are in together, so a blank picture is flat everywhere.
    """
    gradient = smoothed_gradient(content)
    return gradient <= _quantile(gradient, share)


def flatness(content: Tensor, share: float = FLAT_SHARE) -> Tensor:
    """Return the same as a soft mask (1, 1, H, W): 1 in the flat regions, 0 beyond a fade.

    In between it falls smoothly, so that a picture put together with it shows no border.
    """
    gradient = smoothed_gradient(content)
    inner, outer = _quantile(gradient, share), _quantile(gradient, min(1.0, FADE * share))
    t = ((outer - gradient) / (outer - inner).clamp(min=1e-12)).clamp_(0, 1)
    soft = t * t * (3 - 2 * t)
    return soft.masked_fill_(gradient <= inner, 1.0)


def _quantile(values: Tensor, share: float) -> Tensor:
    if not 0 < check_number("share", share, above=0) <= 1:
        raise ValueError(f"share must be in 0..1, got {share}")
    count = max(1, round(share * values.numel()))
    return values.flatten().kthvalue(count).values  # torch.quantile takes 16 million at most


# --- spectra ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spectrum:
    """The power of a picture by frequency, averaged over all directions and channels."""

    frequency: Tensor
    """Cycles per pixel of each ring: a wave of period 4 pixels has 0.25."""
    power: Tensor
    """Mean of |coefficient|² / (H W) over the ring, in grey levels²: σ² for white noise of σ."""
    count: Tensor
    """How many coefficients the ring has. Σ count · power / Σ count is the picture's variance."""


def power_spectrum(image: Tensor, window: bool = True) -> Spectrum:
    """Return the radially averaged power spectrum of a picture (1, C, H, W), values in 0..1.

    `window` lets the picture fade out towards its border (Hann, with a mean square of 1), since the
    step from each border to the opposite one would look like fine detail in all frequencies.
    """
    image = GREY * _checked(image).double().cpu()
    height, width = image.shape[2:]
    weight = torch.ones(1, dtype=image.dtype)
    if window:
        fade = [torch.hann_window(n, periodic=False).double() for n in (height, width)]
        weight = torch.outer(*fade)
        weight = weight / weight.square().mean().sqrt()
    mean = (weight * image).mean(dim=(2, 3), keepdim=True) / weight.mean()
    coefficients = torch.fft.fft2(weight * (image - mean))
    power = coefficients.abs().square().mean(dim=(0, 1)) / (height * width)
    down, across = (torch.fft.fftfreq(n).double() for n in (height, width))
    radius = (down[:, None].square() + across.square()).sqrt()
    ring = (radius * min(height, width)).round().long().flatten()

    def total(values: Tensor) -> Tensor:
        return torch.zeros(int(ring.max()) + 1).double().index_add_(0, ring, values.flatten())

    count = total(torch.ones_like(radius))
    there = count > 0
    frequency, power = (total(v)[there] / count[there] for v in (radius, power))
    return Spectrum(frequency, power, count[there])


def _checked(image: Tensor) -> Tensor:
    if not isinstance(image, Tensor) or image.dim() != 4 or len(image) != 1:
        raise ValueError(f"a picture (1, C, H, W) is wanted, got {_kind(image)}")
    if not torch.isfinite(image).all():
        raise ValueError("the picture has values that are not finite")
    return at_least_single(image.detach())


def at_least_single(image: Tensor) -> Tensor:
    """The same in float32 if it is in half precision, which SciPy and some of torch cannot take."""
    return image.float() if image.dtype in (torch.float16, torch.bfloat16) else image


def _kind(value: object) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__
