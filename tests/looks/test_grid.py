import itertools
import math

import pytest
import torch
from tensors import features, relative

from nst_tutorial.images.resizing import resize
from nst_tutorial.looks import grid as module
from nst_tutorial.looks.grid import (
    apply_grid,
    grid_shape,
    hats,
    identity_grid,
    pull_back_to_grid,
    read_maps,
    roughness,
)

SHAPES = [(4, 3, 5), (1, 1, 1), (2, 1, 3), (8, 12, 16)]


def drawn(height=13, width=17, seed=0):
    generator = torch.Generator().manual_seed(seed)
    picture = torch.rand(1, 3, height, width, generator=generator).double()
    return picture, torch.rand(1, 1, height, width, generator=generator).double()


def brute_force(grid, picture, guide):
    """Eight corners for each pixel, one after another."""
    _, _, depth, rows, columns = grid.shape
    height, width = picture.shape[2:]
    result = torch.zeros_like(picture)
    for h, w in itertools.product(range(height), range(width)):
        corners = []
        for value, count in (
            (float(guide[0, 0, h, w]), depth), ((h + 0.5) / height, rows),
            ((w + 0.5) / width, columns),
        ):  # fmt: skip
            place = min(max(value * count - 0.5, 0), count - 1)
            below = min(math.floor(place), max(count - 2, 0))
            above = min(below + 1, count - 1)
            corners.append([(below, 1 - (place - below)), (above, place - below)])
        A = sum(
            a * b * c * grid[0, :, d, r, s].reshape(3, 4)
            for (d, a), (r, b), (s, c) in itertools.product(*corners)
        )
        result[0, :, h, w] = A @ torch.cat([picture[0, :, h, w], torch.ones(1).double()])
    return result


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_is_trilinear(shape):
    picture, guide = drawn()
    grid = features(1, 12, *shape)
    torch.testing.assert_close(
        apply_grid(grid, picture, guide), brute_force(grid, picture, guide), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_maps_are_those_that_are_applied(shape):
    picture, guide = drawn()
    grid = features(1, 12, *shape)
    A = read_maps(grid, guide).reshape(3, 4, 13, 17)
    applied = torch.einsum("ojhw,jhw->ohw", A[:, :3], picture[0]) + A[:, 3]
    torch.testing.assert_close(apply_grid(grid, picture, guide)[0], applied)


@pytest.mark.parametrize("shape", SHAPES)
def test_pulling_back_is_the_adjoint(shape):
    picture, guide = drawn()
    grid, y = features(1, 12, *shape), features(1, 3, 13, 17, seed=1)
    forth = (apply_grid(grid, picture, guide) * y).sum()
    torch.testing.assert_close(forth, (grid * pull_back_to_grid(y, picture, guide, shape)).sum())


def test_gradient_is_that_of_autograd_and_of_differences():
    picture, guide = drawn(5, 6)
    grid = features(1, 12, 3, 2, 2).requires_grad_()
    y = features(1, 3, 5, 6, seed=1)
    (gradient,) = torch.autograd.grad((apply_grid(grid, picture, guide) * y).sum(), grid)
    torch.testing.assert_close(gradient, pull_back_to_grid(y, picture, guide, (3, 2, 2)))
    assert torch.autograd.gradcheck(lambda g: apply_grid(g, picture, guide), grid)
    assert torch.autograd.gradcheck(roughness, grid)


def test_in_strips_it_is_the_same(monkeypatch):
    picture, guide = drawn(60, 50)
    grid, y = features(1, 12, 4, 5, 4), features(1, 3, 60, 50, seed=1)
    whole = apply_grid(grid, picture, guide), pull_back_to_grid(y, picture, guide, (4, 5, 4))
    maps = read_maps(grid, guide)
    monkeypatch.setattr(module, "STRIP", 50 * 7 * 28)  # seven rows, and four at the end
    assert len(list(module._strips(picture, grid.shape))) == 9
    torch.testing.assert_close(apply_grid(grid, picture, guide), whole[0])
    torch.testing.assert_close(pull_back_to_grid(y, picture, guide, (4, 5, 4)), whole[1])
    torch.testing.assert_close(read_maps(grid, guide), maps)


def test_pulling_back_is_the_same_every_time():
    picture, guide, y = (t.float() for t in (*drawn(90, 70), features(1, 3, 90, 70)))
    first, *others = (pull_back_to_grid(y, picture, guide, (8, 12, 16)) for _ in range(3))
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_identity_changes_nothing(shape):
    picture, guide = drawn()
    torch.testing.assert_close(
        apply_grid(identity_grid(*shape).double(), picture, guide), picture, rtol=0, atol=1e-14
    )


def test_hats_are_a_partition_of_unity_with_their_tops_at_the_centres():
    positions = torch.linspace(-0.3, 1.3, 101).double()
    torch.testing.assert_close(hats(positions, 7).sum(-1), torch.ones(101).double())
    centres = (torch.arange(7).double() + 0.5) / 7
    torch.testing.assert_close(hats(centres, 7), torch.eye(7).double(), rtol=0, atol=1e-14)


def test_a_grid_does_not_depend_on_the_size_of_the_picture():
    """Applied at four times the size and made small again it is what it is at once.

    Apart from what resizing does to a product of two smooth functions.
    """
    wave = torch.linspace(0, 3, 64).double()
    small = torch.stack(
        [torch.sin(wave)[:, None] * torch.cos(a * wave)[None] for a in (1, 2, 3)]
    ).mul(0.4).add(0.5)[None]  # fmt: skip
    large = resize(small, (256, 256))
    grid = identity_grid(4, 4, 4).double() + 0.3 * features(1, 12, 4, 4, 4)
    ours, theirs = (apply_grid(grid, p, p.mean(1, keepdim=True)) for p in (small, large))
    assert relative(resize(theirs, (64, 64)) - small, ours - small) < 0.01
    assert (resize(theirs, (64, 64)) - ours).abs().max() < 0.02


def test_a_grid_cannot_represent_white_noise():
    """Least squares over all grids leaves at least the share of noise that it has no numbers for.

    The projection of noise of variance 1 onto a space of n dimensions has n on average, of the N
    that it has; the content is flat, so of the twelve only the three offsets tell anything new.
    """
    torch.manual_seed(0)
    height, width, shape = 36, 48, (2, 3, 4)
    picture, guide = torch.full((1, 3, height, width), 0.5).double(), torch.rand(1, 1, 36, 48)
    noise = features(1, 3, height, width)
    unit = torch.eye(24).double()
    columns = [  # of the design, for one channel: what each offset contributes
        apply_grid(_offsets(cell, shape), picture, guide.double())[0, 0].flatten() for cell in unit
    ]
    design = torch.stack(columns, 1)
    target = noise[0].flatten(1).T  # (N, 3)
    residual = target - design @ torch.linalg.lstsq(design, target).solution
    unknowns = 3 * 24
    assert residual.square().sum() / target.square().sum() > 1 - 1.5 * unknowns / target.numel()


def _offsets(values, shape):
    grid = torch.zeros(1, 12, *shape).double()
    grid[:, 3::4] = values.reshape(shape)
    return grid


def test_roughness_is_the_mean_over_neighbours():
    grid = features(1, 12, 2, 3, 4)
    cells = grid[0].reshape(12, 2, 3, 4)
    expected = 0.0
    for axis in range(3):
        pairs = []
        for place in itertools.product(range(2), range(3), range(4)):
            other = list(place)
            other[axis] += 1
            if other[axis] < (2, 3, 4)[axis]:
                pairs.append((cells[(slice(None), *other)] - cells[(slice(None), *place)]) ** 2)
        expected += torch.stack(pairs).mean()
    torch.testing.assert_close(roughness(grid), expected)
    assert roughness(identity_grid(8, 12, 16)) == 0
    assert roughness(features(1, 12, 1, 1, 1)) == 0


@pytest.mark.parametrize(
    ("pixels", "shape"),
    [((480, 640), (8, 12, 16)), ((640, 480), (8, 16, 12)), ((16, 640), (8, 1, 16))],
)
def test_cells_are_nearly_square(pixels, shape):
    assert grid_shape(*pixels, 16, 8) == shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((40, 36, 41, 8), "grid_size must be at most 40, the pixels of the picture's longer side"),
        ((40, 36, 0, 8), "grid_size must be a whole number ≥ 1, got 0"),
        ((40, 36, 16, 0), "grid_depth must be a whole number ≥ 1, got 0"),
    ],
)
def test_grids_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        grid_shape(*arguments)


def test_shapes_that_do_not_belong_together():
    picture, guide = drawn()
    with pytest.raises(ValueError, match=r"a grid must be .* got \(1, 12, 0, 2, 2\)"):
        apply_grid(torch.zeros(1, 12, 0, 2, 2), picture, guide)
    with pytest.raises(ValueError, match=r"needs a guide .* \(1, 1, 5, 5\)"):
        apply_grid(identity_grid(2, 2, 2), picture, torch.rand(1, 1, 5, 5))
