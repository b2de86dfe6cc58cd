import math

import pytest
import torch

from nst_tutorial.optimize.parametrization import Fourier, Pixels


@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (1, 3, 15, 22), (1, 3, 8, 7), (1, 3, 1, 5)])
def test_fourier_filter_is_symmetric_and_invertible(shape):
    basis = Fourier(shape)
    x, y = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(basis.to_image(basis.from_image(x)), x)
    torch.testing.assert_close((basis.to_image(x) * y).sum(), (x * basis.pull_back(y)).sum())


def test_fourier_weakens_detail():
    basis = Fourier((1, 3, 32, 32))
    x = torch.arange(32).double()
    wave = lambda f: torch.cos(2 * math.pi * f * x / 32).expand(1, 3, 32, 32)  # noqa: E731
    gain = [float(basis.to_image(wave(f)).norm() / wave(f).norm()) for f in (1, 4, 16)]
    assert gain[0] / gain[1] == pytest.approx(2)  # 4^½
    assert gain[1] / gain[2] == pytest.approx(2)


def test_pixels_are_the_identity():
    x = torch.rand(1, 3, 16, 13)
    basis = Pixels(x.shape)
    assert basis.to_image(x) is basis.from_image(x) is basis.pull_back(x) is x
