"""What Gram matrices do not see: values of one channel, sorted samples, shifts."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .figure import COLORS, Figure, new_figure


def one_channel_textures(textures: Mapping[str, Tensor], bins: int = 25) -> Figure:
    """One-channel textures (H, W) on one scale of grey, and below each how often a value occurs."""
    if not textures:
        raise ValueError("there are no textures to show")
    values = {name: texture.detach().cpu().double().numpy() for name, texture in textures.items()}
    low = min(float(texture.min()) for texture in values.values())
    high = max(float(texture.max()) for texture in values.values())
    edges = torch.linspace(low, high + 1e-9, bins + 1).tolist()
    told = ", ".join(
        f"{name} (mean {float(v.mean()):.3g}, variance {float(v.var()):.3g})"
        for name, v in values.items()
    )
    figure = new_figure(f"Textures and the histograms of their values: {told}",
                        3.2 * len(values), 4.4)  # fmt: skip
    axes = figure.subplots(2, len(values), squeeze=False, height_ratios=(2, 1), sharey="row")
    for (top, bottom), (name, texture) in zip(axes.T, values.items(), strict=True):
        top.imshow(texture, cmap="gray", vmin=low, vmax=high)
        top.set(title=name, xticks=[], yticks=[])
        shares = [1 / texture.size] * texture.size
        bottom.hist(texture.flatten(), edges, weights=shares, color=COLORS[0])
        bottom.axvline(float(texture.mean()), color=COLORS[1], linestyle="--", label="mean")
        bottom.set(xlabel="value")
    axes[1, 0].set_ylabel("share of positions")
    axes[1, 0].legend(frameon=False)
    return figure


def sorted_samples(pairs: Mapping[str, tuple[Tensor, Tensor]]) -> Figure:
    """Quantile functions of pairs of samples (M,), a panel each, and the gap between them.

    The 2-Wasserstein distance is the root of the mean square of that gap.
    """
    if not pairs:
        raise ValueError("there are no samples to show")
    alt = f"Sorted samples as stairs, the gap between them shaded: {', '.join(pairs)}"
    figure = new_figure(alt, 3.6 * len(pairs), 3.0)
    axes = figure.subplots(1, len(pairs), squeeze=False, sharey=True)[0]
    for axis, (name, samples) in zip(axes, pairs.items(), strict=True):
        ends = sorted({(i + 1) / len(s) for s in samples for i in range(len(s))})
        inside = [(a + b) / 2 for a, b in zip([0.0, *ends[:-1]], ends, strict=True)]
        stairs = [[float(s.sort().values[int(u * len(s))]) for u in inside] for s in samples]
        for label, heights, color, style in zip("xy", stairs, COLORS, ("-", "--"), strict=False):
            axis.stairs(heights, [0.0, *ends], baseline=None, color=color, linestyle=style,
                        linewidth=2, label=label)  # fmt: skip
        axis.stairs(stairs[0], [0.0, *ends], baseline=stairs[1], fill=True, color=COLORS[4],
                    alpha=0.4, label="gap")  # fmt: skip
        axis.set(title=name, xlabel="share u of the positions")
    axes[0].set_ylabel("value below which they lie")
    axes[0].legend(frameon=False)
    return figure


def shift_maps(covariances: Mapping[str, Tensor]) -> Figure:
    """Autocovariances (1 + d, 1 + 2a), a panel each, as shares of that without a shift.

    Shifts down from 0 to d, across from -a to a. At (0, 0) each is 1.
    """
    if not covariances:
        raise ValueError("there are no covariances to show")
    figure = new_figure(f"Maps of correlations over shifts: {', '.join(covariances)}",
                        3.1 * len(covariances) + 0.9, 2.6)  # fmt: skip
    axes = figure.subplots(1, len(covariances), squeeze=False, sharey=True)[0]
    for axis, (name, covariance) in zip(axes, covariances.items(), strict=True):
        down, across = covariance.shape[0] - 1, covariance.shape[1] // 2
        shares = (covariance / covariance[0, across]).detach().cpu().numpy()
        extent = (-across - 0.5, across + 0.5, down + 0.5, -0.5)
        heat = axis.imshow(shares, cmap="PuOr", vmin=-1, vmax=1, extent=extent)
        axis.set(title=name, xlabel="shift across")
    axes[0].set_ylabel("shift down")
    figure.colorbar(heat, ax=list(axes), label="correlation", shrink=0.8)
    return figure
