"""What a style transfer leaves that is neither content nor style, measured: neon and weave.

A painting at full size shows two faults that a small one hides. Colours run away: rosettes of a
yellow or a green that the style does not have. And the network's strides print through: a fine
weave along rows and columns or a lattice of dots, which the eye sees in a sky and in no single
pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..checks import check_image, check_integer, check_number
from ..images.color import luminance
from .level import FLAT_SHARE, GREY, at_least_single
from .strips import in_strips, strips

JUST_NOTICEABLE = 2.3  # ΔE*ab (Mahy, Van Eycken & Oosterlinck 1994, doi 10.1002/col.5080190207)
MOST_SATURATED = 0.999  # this quantile of the style's chroma is its most; the rest are strays

LIGHTNESS_STEP = 2.0  # of CIE L*, which goes from 0 to 100
CHROMA_STEP = 0.1  # of CIE C*ab, which sRGB has up to 134
LIGHTNESSES, CHROMAS = 50, 1500  # steps of each
POOLED = 2  # neighbours of a step of lightness on either side, so 10 units are looked at
ENOUGH = 1000  # pixels that tell a quantile of 0.999

BLOCK = 128  # pixels a side: 8 to 64 waves of the periods below
SHORTEST_BLOCK = 64  # of smaller ones, the coarsest rings have nothing off the axes
LONGEST_PERIOD = 16  # pixels, the stride of relu5_1; the shortest period that there is has 2
ON_AXIS = 1  # frequencies of a block either way: those to which a Hann window spreads a line
OFF_AXIS = 3  # from here on they tell what the picture has in other directions
ROUNDING = 1 / 12  # grey levels²: the variance of rounding to 8 bits


# --- colours that the style does not have ------------------------------------------------------


def oversaturation(image: Tensor, style: Tensor, tolerance: float = JUST_NOTICEABLE) -> float:
    """Return the share of pixels that are more saturated than the style is at their lightness.

    mean over pixels p of [C(p) - Q(L(p)) > tolerance], with the CIE lightness L*, the chroma
    C* = √(a*² + b*²), and the style's 99.9 % quantile Q of chroma at each lightness; see
    `excess_chroma`. Of the style itself, and of any picture in its colours, about 0: at most the
    thousandth that lies above the quantile. Where the pixels stand does not matter.

    >>> style = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) / 4
    >>> oversaturation(style.flip(2), style) < 0.001
    True
    >>> neon = style.clone()
    >>> neon[..., :16, :16] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    >>> round(oversaturation(neon, style), 3)
    0.062

    Parameters
    ----------
    image, style
        (1, 3, H, W), sRGB, 0..1; any two sizes. Values outside 0..1 are cut off.
    tolerance
        In ΔE*ab: how much more is let pass. One just noticeable difference is 2.3.

    Returns
    -------
    float
        0..1.

    Raises
    ------
    ValueError
        One is no picture (1, 3, H, W) of finite values; a tolerance below 0.
    """
    tolerance = check_number("tolerance", tolerance)
    return float((excess_chroma(image, style) > tolerance).double().mean())


def excess_chroma(image: Tensor, style: Tensor) -> Tensor:
    """Return by how much each pixel is more saturated than the style at its lightness.

    C(p) - Q(L(p)) in ΔE*ab, below 0 where it is less saturated. Q is known at steps of two units of
    L* and interpolated between them. Each is the quantile of the style's pixels within five units;
    of more, where these are under 1000 and there are more. So a picture that is darker or
    brighter than all of the style is compared with its darkest or brightest pixels.

    Parameters and errors are those of `oversaturation`; the result is (1, 1, H, W).
    """
    check_image("image", image)
    check_image("style", style)
    most = _most_chroma(style).to(image.device)

    def excess(strip: Tensor) -> Tensor:
        lightness, chroma = _lightness_and_chroma(strip)
        step = (lightness / LIGHTNESS_STEP - 0.5).clamp(0, LIGHTNESSES - 1)
        below = step.long().clamp(max=LIGHTNESSES - 2)
        return chroma - torch.lerp(most[below], most[below + 1], step - below)

    return in_strips(excess, at_least_single(image.detach()), reach=0)


def _lightness_and_chroma(image: Tensor) -> tuple[Tensor, Tensor]:
    """L* and C*ab of sRGB (1, 3, H, W), each (1, 1, H, W), float32."""
    from kornia.color import rgb_to_lab

    lightness, a, b = rgb_to_lab(image.float().clamp(0, 1)).split(1, dim=1)
    return lightness, torch.hypot(a, b)


def _most_chroma(style: Tensor) -> Tensor:
    """The quantile of chroma at each step of lightness: (LIGHTNESSES,)."""
    counts = _pooled(_histogram(at_least_single(style.detach())))
    up_to = counts.cumsum(dim=1)
    step = (up_to < MOST_SATURATED * up_to[:, -1:]).sum(dim=1)
    return (step + 1) * CHROMA_STEP


def _histogram(image: Tensor) -> Tensor:
    """How many pixels have each lightness and chroma: (LIGHTNESSES, CHROMAS)."""
    counts = torch.zeros(LIGHTNESSES * CHROMAS, dtype=torch.long)
    for rows in strips(*image.shape[2:]):
        lightness, chroma = _lightness_and_chroma(image[:, :, rows])
        row = (lightness / LIGHTNESS_STEP).long().clamp(0, LIGHTNESSES - 1)
        column = (chroma / CHROMA_STEP).long().clamp(0, CHROMAS - 1)
        cell = (row * CHROMAS + column).flatten().cpu()
        counts += torch.bincount(cell, minlength=len(counts))
    return counts.reshape(LIGHTNESSES, CHROMAS)


def _pooled(counts: Tensor) -> Tensor:
    """Each step of lightness with its neighbours, and with more of them until there are enough."""
    enough = min(ENOUGH, int(counts.sum()))
    pooled = torch.empty_like(counts)
    for step in range(LIGHTNESSES):
        reach = POOLED
        while counts[max(0, step - reach) : step + reach + 1].sum() < enough:
            reach += 1
        pooled[step] = counts[max(0, step - reach) : step + reach + 1].sum(dim=0)
    return pooled


# --- energy on the axes of the spectrum --------------------------------------------------------


def weave(image: Tensor, reference: Tensor | None = None, share: float = FLAT_SHARE) -> float:
    """Return how much stronger a picture is along its rows and columns than in other directions.

    For each of the blocks of 128×128 pixels, half overlapping and under a Hann window, with P(k)
    the power spectrum of the luminance,

        mean over rings r of  (ε + mean of P on the axes) / (ε + mean of P off the axes),

    where a ring holds the frequencies |k| ≈ r, those of periods of 16 to 2 pixels, and ε is the
    power that rounding to 8 bits has anyhow. On the axes are frequencies at most 1 from one, which
    is where the window spreads a line that runs along a row or a column; off them are those at
    least 3 away. By rings, since power falls with frequency: each period counts as much as any
    other. The whole is the median over the quarter of the blocks that have least power off the
    axes: a weave is seen in a sky, and a roof or a horizon loads the axes of few of them.

    Photographs have 0.8 to 2.7. Lines of an amplitude of 1 % in an evening sky bring it from 1.1 to
    15 if their period is 16 pixels, to 90 if it is 4, and to 840 if it is 2.

    >>> noise = torch.randn(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    >>> round(weave(0.5 + 0.05 * noise), 1)
    1.0

    Parameters
    ----------
    image
        (1, 3, H, W), 0..1, at least 64 pixels a side; blocks are of its shorter side, if that is
        less than 128.
    reference
        Another picture, of any size, that has lines for reasons of its own, say the content: then
        the ratio of the two is returned.
    share
        Of the blocks that are looked at, in 0..1: those with least power. 1: all.

    Returns
    -------
    float
        Above 0: 1 if no direction is preferred, more if there is a weave.

    Raises
    ------
    ValueError
        No picture (1, 3, H, W) of finite values, or one that is too small; a share outside 0..1.
    """
    check_number("share", share, above=0, most=1)
    ratio = _ratio("image", image, share, _rings)
    return ratio if reference is None else ratio / _ratio("reference", reference, share, _rings)


def lattice(
    image: Tensor, period: int = 4, reference: Tensor | None = None, share: float = FLAT_SHARE
) -> float:
    """Return how much stronger a picture is at a lattice's frequency than in other directions.

    A lattice of dots, `period` pixels apart along rows and columns, as the positions of a layer of
    that stride are, looks like woven cloth; its frequencies (±1/period, ±1/period) lie on no axis,
    so that `weave` is blind to it. As there, power is compared with that in other directions of the
    same ring, in the flattest blocks.

    >>> dots = torch.zeros(1, 3, 256, 256)
    >>> dots[:, :, ::4, ::4] = 1
    >>> lattice(dots) > 1000, round(lattice(torch.rand(1, 3, 512, 512))) == 1
    (True, True)

    Parameters
    ----------
    image, reference, share
        As in `weave`.
    period
        Pixels, from 3 to 16. The stride of relu3_1 is 4.

    Returns
    -------
    float
        Above 0: 1 if there is no such lattice.

    Raises
    ------
    ValueError
        As `weave`; a period out of range.
    """
    check_number("share", share, above=0, most=1)
    check_integer("period", period, 3, LONGEST_PERIOD)
    ratio = _ratio("image", image, share, lambda side: _corners(side, period))
    if reference is None:
        return ratio
    return ratio / _ratio("reference", reference, share, lambda side: _corners(side, period))


def _ratio(
    name: str, image: Tensor, share: float, groups: Callable[[int], tuple[Tensor, Tensor]]
) -> float:
    """The power of some frequencies to that of others, the median over the flattest blocks."""
    check_image(name, image)
    least = SHORTEST_BLOCK
    if min(image.shape[2:]) < least:
        shape = tuple(image.shape)
        raise ValueError(f"{name} must have at least {least} pixels a side, got {shape}")
    on, off = _mean_powers(image, groups)
    flattest = off.mean(dim=1).argsort()[: max(1, round(share * len(off)))]
    ratios = ((ROUNDING + on) / (ROUNDING + off)).mean(dim=1)
    return float(ratios[flattest].quantile(0.5))


def _mean_powers(
    image: Tensor, groups: Callable[[int], tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """The mean power of each block in groups of frequencies, in grey levels².

    Two of (blocks, rings), see `_rings`. Of white noise of σ it is σ².
    """
    side = min(BLOCK, *image.shape[2:])
    fade = torch.hann_window(side, device=image.device)
    window = torch.outer(fade, fade)
    window /= window.square().sum().sqrt()
    means = torch.cat(groups(side), dim=1).to(image.device)
    powers = []
    for top in _starts(image.shape[2], side):
        row = luminance(at_least_single(image[:, :, top : top + side].detach()))[0, 0].float()
        blocks = GREY * torch.stack([row[:, x : x + side] for x in _starts(row.shape[1], side)])
        powers.append(
            torch.fft.fft2(window * _without_plane(blocks)).abs().square().flatten(1) @ means
        )
    on, off = torch.cat(powers).chunk(2, dim=1)
    return on, off


def _without_plane(blocks: Tensor) -> Tensor:
    """(N, S, S) less the plane that fits best: a sky that brightens is no line."""
    x = torch.linspace(-1, 1, blocks.shape[-1], device=blocks.device)
    x = x / x.norm()
    down = (blocks.mean(dim=2) @ x)[:, None, None] * x[:, None]
    across = (blocks.mean(dim=1) @ x)[:, None, None] * x
    return blocks - blocks.mean(dim=(1, 2), keepdim=True) - down - across


def _starts(length: int, side: int) -> list[int]:
    """Where blocks begin, about half a side apart, from the first pixel to the last."""
    steps = -(-2 * (length - side) // side)
    return [i * (length - side) // max(1, steps) for i in range(steps + 1)]


def _rings(side: int) -> tuple[Tensor, Tensor]:
    """Matrices (side², rings) that take the mean over each ring, on the axes and off them."""
    k = (torch.fft.fftfreq(side) * side).round()
    distance = torch.minimum(k[:, None].abs(), k.abs()).flatten()  # to the nearer axis
    radius = torch.hypot(k[:, None], k).flatten().round()
    rings = torch.arange(-(-side // LONGEST_PERIOD), side // 2 + 1)
    member = (radius[:, None] == rings).float()
    on, off = (member * there[:, None] for there in (distance <= ON_AXIS, distance >= OFF_AXIS))
    return on / on.sum(dim=0), off / off.sum(dim=0)


def _corners(side: int, period: int) -> tuple[Tensor, Tensor]:
    """Matrices (side², 1): the mean over (±1/period, ±1/period), and over the rest of its ring."""
    k = (torch.fft.fftfreq(side) * side).round().abs()
    away = (k - side / period).abs()
    distance = torch.maximum(away[:, None], away).flatten()  # to the nearest of the four
    to_axis = torch.minimum(k[:, None], k).flatten()
    radius = torch.hypot(k[:, None], k).flatten()
    ring = (radius - 2**0.5 * side / period).abs() <= 1
    on = (distance <= ON_AXIS).float()
    off = (ring & (distance >= OFF_AXIS) & (to_axis >= OFF_AXIS)).float()
    return (on / on.sum())[:, None], (off / off.sum())[:, None]
