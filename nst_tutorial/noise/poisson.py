"""The screened Poisson equation: the colours of one picture, the gradients of another."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..checks import check_number


def screened_poisson(colours: Tensor, gradients: Tensor, strength: float) -> Tensor:
    """Return the picture u that has the colours of one picture r and the gradients of another c.

    It minimises Σ (u - r)² + λ Σ ‖∇u - ∇c‖², where ∇ is the difference of neighbouring pixels and
    nothing crosses the border. Setting the derivative to zero gives (1 + λ L) u = r + λ L c with
    L = ∇ᵀ∇. The cosine transform (DCT-II) turns L into a multiplication by
    μ = (2 - 2 cos πk/H) + (2 - 2 cos πl/W), so it is solved exactly in a few milliseconds:

        û = (r̂ + λ μ ĉ) / (1 + λ μ)

    (Bhat, Curless, Cohen & Zitnick, "Fourier analysis of the 2D screened Poisson equation for
    gradient domain problems", ECCV 2008, doi 10.1007/978-3-540-88688-4_9.) So slow changes, μ below
    1/λ, are those of r, and fine detail is that of c.

    Parameters
    ----------
    colours, gradients
        r and c, (1, C, H, W), of one size.
    strength
        λ ≥ 0; 0 gives r, infinity would give c with the mean of r.

    Returns
    -------
    Tensor
        (1, C, H, W), in the dtype of `colours`. Values may leave 0..1 a little.
    """
    from scipy.fft import dctn, idctn

    strength = check_number("strength", strength)
    if colours.shape != gradients.shape:
        raise ValueError(
            f"both pictures must have one size, got {tuple(colours.shape)} and "
            f"{tuple(gradients.shape)}"
        )
    height, width = colours.shape[2:]
    down, across = (2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in (height, width))
    divisor = 1 + strength * (down[:, None] + across)
    r, c = (picture.detach().cpu().numpy() for picture in (colours, gradients))
    # û = ĉ + (r̂ - ĉ) / (1 + λ μ): one transform there and one back, each in place
    difference = dctn(r - c, axes=(2, 3), overwrite_x=True)
    difference /= divisor.astype(r.dtype)
    u = idctn(difference, axes=(2, 3), overwrite_x=True)
    u += c
    return torch.from_numpy(u).to(colours)
