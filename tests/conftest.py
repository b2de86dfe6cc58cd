import os
from pathlib import Path

os.environ.setdefault("NST_FAST", "1")  # notebooks: small sizes and few steps
os.environ.setdefault("MPLBACKEND", "agg")

import pytest
import torch

from nst_tutorial.images import load_image
from nst_tutorial.vgg import VGG19, load_vgg19

TINY = (4, 6, 8, 8, 8)  # channels of the five blocks


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    """‖a - b‖ / ‖b‖."""
    a, b = a.detach().double(), b.detach().double()
    return float((a - b).norm() / b.norm())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="session")
def tiny() -> VGG19:
    return VGG19("random", channels=TINY, device="cpu", pooling="average").double()


@pytest.fixture(scope="session")
def vgg() -> VGG19:
    return load_vgg19(device="cpu")


@pytest.fixture(scope="session")
def temple() -> torch.Tensor:
    return load_image("temple", 128)


@pytest.fixture(scope="session")
def starry() -> torch.Tensor:
    return load_image("starry_night", 128)


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 40, 36, generator=torch.Generator().manual_seed(1)).double()
