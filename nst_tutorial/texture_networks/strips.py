"""A large picture in strips: what a generator makes in one piece, in less memory.

At twelve megapixels one layer of 48 channels takes 2.3 GB, and the last join needs five at once. In
strips of rows only the results of branches and joins are stored. A 3×3 convolution sees one row
more on each side, so that the strips of a block overlap by two rows on each side.

Instance normalisation needs mean and variance over the *whole* picture. They are gathered in a pass
over all strips for each normalisation, those before it being known by then. That is exact; in a
block with three normalisations it costs up to four passes, twice the arithmetic in all. Where there
is memory for it, each pass stores what it computed, the next one begins there, and nothing is
computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..images.resizing import resize
from .layers import InstanceNorm

if TYPE_CHECKING:
    from .generator import Generator

Rows = Callable[[int, int], Tensor]  # first row, last row + 1 → (1, C, rows, W)
Norm = InstanceNorm | nn.BatchNorm2d
Statistics = Mapping[Norm, tuple[Tensor, Tensor]]  # normalisation → mean, variance

STRIP_BYTES = 8e6  # of a strip in the layer with the most channels: it stays in the cache
FEWEST_ROWS = 32  # of a strip, so that no more than an eighth of the rows is computed twice


@dataclass(frozen=True)
class Strips:
    """How the rows of a picture are cut."""

    height: int
    rows: int
    circular: bool

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for first in range(0, self.height, self.rows):
            yield first, min(first + self.rows, self.height)

    def widened(self, first: int, last: int, margin: int) -> tuple[int, int]:
        """`margin` rows more on each side: a circular picture goes on, any other ends."""
        if self.circular:
            return first - margin, last + margin
        return max(0, first - margin), min(self.height, last + margin)

    def cut(self, x: Tensor, first: int, last: int) -> Tensor:
        """Rows of x (1, C, H, W), which may lie beyond the border of a circular picture."""
        if first >= 0 and last <= self.height:
            return x[:, :, first:last]
        return x[:, :, torch.arange(first, last, device=x.device) % self.height]


def generate_in_strips(
    generator: Generator,
    noise: list[Tensor],
    content: Tensor | None = None,
    strengths: Sequence[float] | None = None,
    *,
    stored: bool = False,
) -> Tensor:
    """Return what `generator(noise, content, strengths)` does, for one picture, without gradient.

    `noise` is emptied: each scale's goes as soon as it is used.

    `stored`: the layers within a block are stored; half the time, and more than twice the memory.
    """
    scales, width = generator.design["scales"], generator.design["width"]
    circular = generator.design["padding"] == "circular"
    branches, norms, joins, coarse = (
        cast(Sequence, part)
        for part in (generator.branches, generator.norms, generator.joins, generator.coarse)
    )
    for k in range(scales):
        z = noise.pop(0)
        height, length = z.shape[2:]
        strips = Strips(height, rows_of_strip(length, (k + 1) * width), circular)
        inputs = [z] if content is None else [z, resize(content, (height, length)).to(z)]
        z = _run(branches[k], _joined(inputs, strips), strips, stored)
        _normalize_(z, norms[k], strips)
        if strengths is not None:
            z *= strengths[k]
        if k == 0:
            y = z
            continue
        layers = [*joins[k - 1], *([generator.last] if k == scales - 1 else [])]
        y = _run(layers, _enlarged_and_joined(y, z, strips), strips, stored)
        if k < scales - 1:
            _normalize_(y, coarse[k - 1], strips)
    return generator.last(y) if scales == 1 else y


def rows_of_strip(width: int, channels: int) -> int:
    """How many rows of a picture so wide a strip has."""
    return max(FEWEST_ROWS, int(STRIP_BYTES / (4 * channels * width)))


# --- where rows come from --------------------------------------------------------------------


def _joined(inputs: Sequence[Tensor], strips: Strips) -> Rows:
    def read(first: int, last: int) -> Tensor:
        rows = torch.cat([strips.cut(x, first, last) for x in inputs], dim=1)
        return rows.contiguous(memory_format=torch.channels_last)

    return read


def _enlarged_and_joined(y: Tensor, z: Tensor, strips: Strips) -> Rows:
    """The coarser y, enlarged to the size of z, and z."""
    numbers = torch.arange(y.shape[2], dtype=torch.float32)[None, None]
    source = F.interpolate(numbers, size=strips.height, mode="nearest")[0, 0].long().to(y.device)

    def read(first: int, last: int) -> Tensor:
        rows = torch.arange(first, last, device=y.device) % strips.height
        enlarged = F.interpolate(
            y[:, :, source[rows]], size=(last - first, z.shape[3]), mode="nearest"
        )
        joined = torch.cat([enlarged, strips.cut(z, first, last)], dim=1)
        return joined.contiguous(memory_format=torch.channels_last)

    return read


# --- layers ----------------------------------------------------------------------------------


def _run(layers: Iterable[nn.Module], read: Rows, strips: Strips, stored: bool) -> Tensor:
    """The layers' output for the whole picture (1, C, H, W), whose input `read` gives in rows."""
    layers = list(layers)
    known: dict[Norm, tuple[Tensor, Tensor]] = {}
    begin = 0  # the layer that `read` gives the input of
    for i, layer in enumerate(layers):
        if not _is_norm(layer):
            continue
        if stored:
            x = _store(_outputs(layers[begin:i], read, strips, known), strips)
            read, begin = _joined([x], strips), i
            known[layer] = _statistics(layer, (x[:, :, slice(*rows)] for rows in strips))
            del x
        else:
            known[layer] = _statistics(layer, _outputs(layers[:i], read, strips, known))
    return _store(_outputs(layers[begin:], read, strips, known), strips)


def _outputs(
    layers: Sequence[nn.Module], read: Rows, strips: Strips, known: Statistics
) -> Iterator[Tensor]:
    """The layers' output, strip by strip."""
    margin = sum(_reach(layer) for layer in layers)
    for first, last in strips:
        begin, end = strips.widened(first, last, margin)
        x = read(begin, end)
        for layer in layers:
            if isinstance(layer, nn.Conv2d) and _reach(layer):
                x, begin = _convolve(layer, x, begin, strips)
            else:
                x = _normalize(x, layer, known[layer]) if _is_norm(layer) else layer(x)
        yield x[:, :, first - begin : last - begin]


def _convolve(layer: nn.Conv2d, x: Tensor, begin: int, strips: Strips) -> tuple[Tensor, int]:
    """A 3×3 convolution of rows from `begin` on; return the result and the row it begins with.

    Columns are padded, and rows at the border of a picture that ends there. Elsewhere the rows on
    both sides are used up.
    """
    left, right = (-1, 0) if strips.circular else (0, -1)
    x = torch.cat([x[..., left, None], x, x[..., right, None]], dim=3)
    above = int(begin == 0 and not strips.circular)
    below = int(begin + x.shape[2] == strips.height and not strips.circular)
    if above or below:
        x = F.pad(x, (0, 0, above, below), mode="replicate")
    return F.conv2d(x, layer.weight), begin + 1 - above


def _reach(layer: nn.Module) -> int:
    """Rows on each side that an output sees beside its own."""
    return layer.kernel_size[0] // 2 if isinstance(layer, nn.Conv2d) else 0


def _store(parts: Iterable[Tensor], strips: Strips) -> Tensor:
    whole = torch.empty(0)
    for (first, last), part in zip(strips, parts, strict=True):
        if first == 0:
            whole = torch.empty(
                (1, part.shape[1], strips.height, part.shape[3]), dtype=part.dtype,
                device=part.device, memory_format=torch.channels_last,
            )  # fmt: skip
        whole[:, :, first:last] = part
    return whole


# --- normalisation ---------------------------------------------------------------------------


def _is_norm(layer: nn.Module) -> TypeGuard[Norm]:
    return isinstance(layer, Norm)


def _normalize(x: Tensor, layer: Norm, statistics: tuple[Tensor, Tensor]) -> Tensor:
    return F.batch_norm(x, *statistics, layer.weight, layer.bias, eps=layer.eps)


def _normalize_(x: Tensor, layer: Norm, strips: Strips) -> None:
    """The same in place, for a picture that is stored."""
    parts = [x[:, :, first:last] for first, last in strips]
    statistics = _statistics(layer, parts)
    for part in parts:
        part.copy_(_normalize(part, layer, statistics))


def _statistics(layer: Norm, parts: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel (C,): those that were learnt, or those of all parts."""
    if isinstance(layer, nn.BatchNorm2d):
        return layer.get_buffer("running_mean"), layer.get_buffer("running_var")
    count, mean, squares = 0, *torch.zeros(2, len(layer.weight), dtype=torch.float64)
    for x in parts:
        # squares: Σ (x - mean)², of two groups in one after Chan, Golub & LeVeque 1983; on the CPU,
        # since MPS has no float64
        n = x.shape[2] * x.shape[3]
        center = x.mean((0, 2, 3))
        spread = (x - center.view(1, -1, 1, 1)).square_().sum((0, 2, 3)).double().cpu()
        away = center.double().cpu() - mean
        squares = squares + spread + away**2 * (count * n / (count + n))
        mean = mean + away * (n / (count + n))
        count += n
    like = layer.weight
    return mean.to(like), (squares / count).to(like)
