"""Tensors that tests draw, and how near two of them are."""

import torch


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    """‖a - b‖ / ‖b‖."""
    a, b = a.detach().double(), b.detach().double()
    return float((a - b).norm() / b.norm())


def features(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


white = features  # as noise in a picture


def disc(height, width, *, radius=0.5, soft=0.4, x=0.0, y=0.0):
    """A soft mask: 1 in a disc, falling to 0 around it."""
    rows, columns = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    distance = (columns - x).hypot(rows - y)
    return ((radius + soft / 2 - distance) / soft).clamp(0, 1).double()[None, None]


def box(height, width, rows, columns):
    mask = torch.zeros(1, 1, height, width).double()
    mask[..., slice(*rows), slice(*columns)] = 1
    return mask


def ones(height, width):
    return torch.ones(1, 1, height, width).double()


def distance(kernel, x, y):
    return kernel.distance(kernel.statistic(x), kernel.statistic(y))


def fitted_to(features, kernel):
    return kernel.fitted(kernel.statistic(features))
