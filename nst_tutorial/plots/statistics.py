"""What is kept of features: matrices as heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .figure import Figure, new_figure


def gram_matrices(
    matrices: Mapping[str, Tensor], channels: Sequence[int] | Tensor | None = None
) -> Figure:
    """Gram matrices (1, C, C) as heat maps, one each.

    Each is divided by its largest entry, and shown as its square root so that small entries are
    seen.

    Parameters
    ----------
    matrices
        By name.
    channels
        Those to show, in one order for all, so that the same place is the same pair. None: all
        channels, in each matrix by their own strength, the strongest first.

    Raises
    ------
    ValueError
        No matrices, or no channels.
    """
    if not matrices:
        raise ValueError("there are no matrices to show")
    if channels is not None and not len(channels):
        raise ValueError("there are no channels to show")
    shares = []
    for layer, G in matrices.items():
        strength = G[0].diagonal().sort(descending=True).values.cumsum(0)
        half = int((strength < 0.5 * strength[-1]).sum()) + 1
        shares.append(f"{layer} ({half} of {len(strength)} channels hold half of the energy)")
    alt = f"Heat maps of the Gram matrices of {', '.join(shares)}"
    figure = new_figure(alt, 2.9 * len(matrices) + 0.8, 3.1)
    axes = figure.subplots(1, len(matrices), squeeze=False)[0]
    for axis, (layer, G) in zip(axes, matrices.items(), strict=True):
        G = G[0].detach().cpu()
        if channels is None:
            order = G.diagonal().argsort(descending=True)
        else:
            order = torch.as_tensor(channels, device=G.device)
        G = G[order][:, order]
        shown = (G / G.abs().max().clamp(min=1e-30)).clamp(min=0).sqrt()
        heat = axis.imshow(shown.numpy(), cmap="cividis", vmin=0, vmax=1)
        axis.set(title=f"{layer}, {len(G)} × {len(G)}", xlabel="channel", ylabel="channel")
    figure.colorbar(heat, ax=list(axes), label="√(G / max G)", shrink=0.8)
    return figure
