"""The squared maximum mean discrepancy by brute force."""

from __future__ import annotations

from torch import Tensor

from .moments import positions


def mmd2(x: Tensor, y: Tensor, kernel) -> Tensor:
    """Return MMD² of two sets of features by brute force, over *all* pairs, equal ones too.

    Li et al. 2017, equation 2. Memory grows with the product of the numbers of positions: meant
    for small sets, and for kernels of any degree.

    >>> import torch
    >>> import nst_tutorial as nst
    >>> x, y = torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([[[[3.0]]]])  # one channel
    >>> mmd2(x, y, lambda a, b: a @ b.T)  # linear: (mean of x - mean of y)² = (1 - 3)²
    tensor(4.)
    >>> mmd2(x, y, nst.kernels.Polynomial(degree=2, offset=0.0))  # of the squares: (2 - 9)²
    tensor(49.)

    Parameters
    ----------
    x, y
        Features (1, C, H, W), of any two sizes.
    kernel
        A function of (M, C) and (M', C) to the kernel matrix (M, M'): `Polynomial`, `Gaussian` (a
        bandwidth that is a rule is fitted to y), or your own.
    """
    if not callable(kernel):
        raise ValueError(f"{kernel} is a distance of moments, not a kernel k(a, b)")
    if x.shape[0] != 1 or y.shape[0] != 1:
        raise ValueError(f"mmd2 compares two pictures, got batches of {len(x)} and {len(y)}")
    a, b = positions(x)[0], positions(y)[0]
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"features have different channels: {a.shape[1]} and {b.shape[1]}")
    if isinstance(getattr(kernel, "bandwidth", None), str):
        kernel = kernel.fitted(kernel.statistic(y))
    return kernel(a, a).mean() + kernel(b, b).mean() - 2 * kernel(a, b).mean()
