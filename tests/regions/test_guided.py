"""From coarse maps to masks on the picture's own edges."""

import pytest
import torch

from nst_tutorial.regions.guided import RADIUS, _affine_functions, _window_mean, guided_upsampling


def halves(height=240, width=320, border=150):
    """Two colours side by side."""
    picture = torch.tensor([0.2, 0.3, 0.6]).view(1, 3, 1, 1).repeat(1, 1, height, width)
    picture[..., border:] = torch.tensor([0.7, 0.6, 0.2]).view(3, 1, 1)
    return picture


def test_a_coarse_border_moves_to_the_edge_nearby():
    """Cells of 16 pixels put the border at 144; the edge is at 150."""
    coarse = (torch.arange(20) < 9).float().view(1, 1, 1, 20).expand(1, 1, 15, 20)
    masks = guided_upsampling(torch.cat([coarse, 1 - coarse], dim=1), halves())
    left = masks[0, 0] > 0.5
    assert (left == (torch.arange(320) < 150)).float().mean() > 0.995


def test_shares_sum_to_one_and_constants_stay():
    picture = torch.rand(1, 3, 70, 50, generator=torch.Generator().manual_seed(0))
    maps = torch.rand(1, 4, 5, 3, generator=torch.Generator().manual_seed(1))
    masks = guided_upsampling(maps / maps.sum(dim=1, keepdim=True), picture)
    assert masks.shape == (1, 4, 70, 50)
    assert 0 <= masks.min() <= masks.max() <= 1
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(1, 70, 50))
    shares = torch.tensor([0.7, 0.2, 0.1]).view(1, 3, 1, 1)
    constant = guided_upsampling(shares.expand(1, 3, 5, 4), picture)
    torch.testing.assert_close(constant, shares.expand(1, 3, 70, 50), rtol=0, atol=1e-4)


def test_where_the_picture_is_flat_maps_are_blurred_and_nothing_else():
    picture = torch.full((1, 3, 256, 192), 0.4)
    maps = torch.rand(1, 1, 256, 192, generator=torch.Generator().manual_seed(0))
    maps = torch.cat([maps, 1 - maps], dim=1)
    masks = guided_upsampling(maps, picture)
    torch.testing.assert_close(masks, _window_mean(_window_mean(maps)), rtol=0, atol=1e-4)


def test_what_is_affine_in_the_colors_is_reproduced():
    picture = torch.rand(1, 3, 64, 60, generator=torch.Generator().manual_seed(0))
    slope, offset = torch.tensor([0.3, -0.2, 0.1]), 0.4
    maps = (slope.view(1, 3, 1, 1) * picture).sum(dim=1, keepdim=True) + offset
    a, b = _affine_functions(picture, maps)
    torch.testing.assert_close(a[0, 0].mean(dim=(1, 2)), slope, rtol=0.02, atol=0.005)
    assert float(b.mean()) == pytest.approx(offset, abs=0.01)


def test_window_means_by_hand():
    image = torch.rand(1, 2, 30, 25, generator=torch.Generator().manual_seed(0)).double()
    mean = _window_mean(image)
    for i, j in ((0, 0), (3, 20), (15, 12), (29, 24)):
        window = image[
            ..., max(0, i - RADIUS) : i + RADIUS + 1, max(0, j - RADIUS) : j + RADIUS + 1
        ]
        torch.testing.assert_close(mean[..., i, j], window.mean(dim=(2, 3)))
