"""What several property-based tests use. Hypothesis makes the cases."""

import torch
from hypothesis import HealthCheck, settings

# Derandomised: the same cases on every machine, and a failure that can be made again.
few = settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck)
)
many = settings(few, max_examples=200)

SUFFIXES = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"]
PLAIN_ERRORS = (ValueError, OSError)


def is_picture(image: torch.Tensor, height: int, width: int) -> None:
    assert image.shape == (1, 3, height, width)
    assert image.is_floating_point()
    assert torch.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1
