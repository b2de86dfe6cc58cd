from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from tensors import features, relative

from nst_tutorial.looks.grid import apply_grid, identity_grid, roughness
from nst_tutorial.looks.guide import Guide
from nst_tutorial.losses.objective import Evaluation
from nst_tutorial.optimize.grid import (
    LEAST,
    TIED,
    Coordinates,
    Grid,
    GridAtScales,
    check_cells,
)
from nst_tutorial.optimize.loop import minimize
from nst_tutorial.presets import PRESETS
from nst_tutorial.setting_values import MOST_SMOOTHNESS
from nst_tutorial.tiling.planning import Stage

SHAPE = (3, 2, 4)


@pytest.fixture
def content():
    generator = torch.Generator().manual_seed(2)
    return torch.rand(1, 3, 14, 20, generator=generator).double()


@pytest.fixture
def scale(content):
    return Coordinates(content, Guide()(content), SHAPE, 0.7)


@pytest.fixture
def grid(content, scale):
    return Grid(content, Guide(), scale, 0.7)


class Distance:
    """Mean squared distance from a picture."""

    term_weights = {"distance": 1.0}  # noqa: RUF012

    def __init__(self, target):
        self.target = target

    def value_and_gradient(self, image):
        apart = image - self.target
        total = float(apart.square().mean())
        return Evaluation(total, {"distance": total}, 2 * apart / apart.numel())


def test_coordinates_lead_to_a_grid_and_back(scale):
    z = features(1, 12, *SHAPE)
    torch.testing.assert_close(scale.from_grid(scale.to_grid(z)), z)


def test_pulling_back_is_the_adjoint(content, scale, grid):
    z, y = features(1, 12, *SHAPE), features(1, 12, *SHAPE, seed=1)
    torch.testing.assert_close((scale.to_grid(z) * y).sum(), (z * scale.pull_back(y)).sum())
    y = features(*content.shape, seed=1)
    torch.testing.assert_close((grid.to_image(z) * y).sum(), (z * grid.pull_back(y)).sum())


def test_length_in_coordinates_is_change_of_picture_and_roughness(content, scale):
    """|z|² = n (mean |dx|² + TIED · smoothness · roughness(dA)) + LEAST |dA|²."""
    n = 12 * 3 * 2 * 4
    z = features(1, 12, *SHAPE)
    dA = scale.to_grid(z)
    dx = apply_grid(dA, content, Guide()(content))
    length = n * (dx.square().mean() + TIED * 0.7 * roughness(dA)) + LEAST * dA.square().sum()
    torch.testing.assert_close(length, z.square().sum())


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 1), (2, 1, 4), (4, 1, 1)])
def test_so_it_is_for_grids_with_a_single_cell_along_an_axis(content, shape):
    scale = Coordinates(content, Guide()(content), shape, 3.0)
    z = features(1, 12, *shape)
    dA = scale.to_grid(z)
    dx = apply_grid(dA, content, Guide()(content))
    length = dx.square().mean() + TIED * 3.0 * roughness(dA)
    n = 12 * shape[0] * shape[1] * shape[2]
    torch.testing.assert_close(n * length + LEAST * dA.square().sum(), z.square().sum())
    torch.testing.assert_close(scale.from_grid(dA), z)


def test_one_map_for_all_is_rough_nowhere(content):
    """A grid of a single cell: its nearest picture is that of one affine map."""
    one = Grid(content, Guide(), Coordinates(content, Guide()(content), (1, 1, 1), 3.0), 3.0)
    penalty = one.penalties(features(1, 12, 1, 1, 1))["smoothness"]
    assert penalty.value == 0
    assert not penalty.gradient.any()
    darker = 0.5 * content + 0.1
    torch.testing.assert_close(one.to_image(one.from_image(darker)), darker, rtol=0, atol=1e-3)


@pytest.mark.parametrize("shape", [(8, 16, 16), (8, 1, 1), (1, 3, 40), (64, 4, 4)])
@pytest.mark.parametrize("grey", [0.0, 0.4])
def test_the_largest_smoothness_leaves_digits_for_a_flat_content(shape, grey):
    flat = torch.full((1, 3, 40, 40), grey)
    scale = Coordinates(flat, Guide()(flat), shape, MOST_SMOOTHNESS)
    z = features(1, 12, *shape)
    torch.testing.assert_close(scale.from_grid(scale.to_grid(z)), z)


def test_grids_that_would_fill_the_memory():
    with pytest.raises(ValueError, match="a grid of 100×100 cells of depth 8 needs 8.4 GB; take"):
        check_cells((8, 100, 100))


def test_cells_without_a_pixel_have_finite_coordinates():
    dark = torch.rand(1, 3, 14, 20, generator=torch.Generator().manual_seed(0)) * 0.2
    grid = Grid(dark, Guide(), Coordinates(dark, Guide()(dark), (8, 7, 10), 1.0))
    z = grid.from_image(dark)
    assert z.isfinite().all()
    assert grid.coordinates.to_grid(z).abs().max() < 1.01


def test_what_roughness_costs_and_its_gradient(scale, grid):
    """A quadratic form: its difference over a step of any length is its gradient in the middle."""
    z, step = features(1, 12, *SHAPE), features(1, 12, *SHAPE, seed=1)
    penalty = grid.penalties(z)["smoothness"]
    assert penalty.value == pytest.approx(roughness(scale.to_grid(z)).item())
    ahead, behind = (roughness(scale.to_grid(z + sign * step)) for sign in (1, -1))
    torch.testing.assert_close((penalty.gradient * step).sum(), (ahead - behind) / 2)


def test_the_content_is_the_identity(content, grid, scale):
    torch.testing.assert_close(
        scale.to_grid(grid.from_image(content)), identity_grid(*SHAPE).double()
    )


def test_the_nearest_picture_is_that_of_least_squares(content, grid, scale):
    """Against a dense solution of the normal equations."""
    target = features(*content.shape).mul(0.1) + content.flip(1)
    unit = torch.eye(12 * 24).double().reshape(-1, 1, 12, *SHAPE)
    A = torch.stack([apply_grid(g, content, Guide()(content)).flatten() for g in unit], 1)
    edges = [
        unit.diff(dim=axis).flatten(1).T / unit[:1].diff(dim=axis).numel() ** 0.5
        for axis in (3, 4, 5)
    ]
    rows = torch.cat([A / content.numel() ** 0.5, *(e * (TIED * 0.7) ** 0.5 for e in edges)])
    right = torch.zeros(len(rows), 1).double()
    right[: content.numel(), 0] = target.flatten() / content.numel() ** 0.5
    expected = torch.linalg.lstsq(rows, right).solution
    ours = scale.to_grid(grid.from_image(target)).flatten()
    residual = [(rows @ x - right[:, 0]).square().sum().item() for x in (ours, expected[:, 0])]
    assert residual[0] == pytest.approx(residual[1], rel=1e-6)


def flat(kind):
    """Contents (1, 3, 64, 64) in single precision that hardly tell one map from another."""
    rows, columns = torch.meshgrid(*2 * [torch.linspace(0.1, 0.9, 64)], indexing="ij")
    left, right = (torch.tensor(c).view(3, 1, 1) / 255 for c in ((120.0, 80, 200), (30.0, 160, 90)))
    return {
        "one colour": left.expand(3, 64, 64),
        "two colours": torch.where(columns < 0.5, left, right),
        "ramp": torch.stack([rows, columns, (rows + columns) / 2]),
        "black": torch.zeros(3, 64, 64),
    }[kind][None]


@pytest.mark.parametrize("smoothness", [0.0, 300.0, MOST_SMOOTHNESS])
@pytest.mark.parametrize("kind", ["one colour", "two colours", "ramp", "black"])
def test_of_a_flat_content_an_affine_map_is_reached(kind, smoothness):
    content = flat(kind)
    settings = replace(PRESETS["photo"], smoothness=smoothness)
    grid = GridAtScales(content, settings).at(Stage(64, 64, 1, None, 1, 0.0, 0.0))
    mixed = torch.tensor([[0.5, 0.3, 0.0], [0.1, 0.6, 0.1], [0.0, 0.2, 0.4]])
    target = torch.einsum("ij,bjhw->bihw", mixed, content) + 0.1
    z = grid.from_image(target)
    assert z.dtype == torch.float32
    torch.testing.assert_close(grid.to_image(z), target, rtol=0, atol=2e-6)
    assert grid.coordinates.to_grid(z).abs().max() < 2


def test_what_no_map_can_make_of_a_flat_content_moves_no_map_far():
    """A chequered target: of a ramp only its rounding, a millionth, could be made into that."""
    content = flat("ramp")
    grid = GridAtScales(content, PRESETS["photo"]).at(Stage(64, 64, 1, None, 1, 0.0, 0.0))
    squares = (torch.arange(64)[:, None] + torch.arange(64)) % 2 - 0.5
    z = grid.from_image(content + squares / 2)
    assert (grid.to_image(z) - content).square().mean().sqrt() < 1e-3


def test_infinitely_smooth_it_is_one_affine_map_that_of_least_squares(content):
    target = content.flip(1) * 0.8 + 0.1 * content.square() + 0.1 * features(*content.shape)
    scale = Coordinates(content, Guide()(content), (2, 2, 2), 1e4)
    basis = Grid(content, Guide(), scale, 1e4)
    minimum = minimize(Distance(target), content, steps=400, parametrization=basis)
    fitted = scale.to_grid(minimum.z).reshape(3, 4, -1)
    assert (fitted - fitted[..., :1]).abs().max() < 1e-4
    ones = torch.cat([content[0].flatten(1), torch.ones(1, 280).double()]).T
    expected = torch.linalg.lstsq(ones, target[0].flatten(1).T).solution.T  # (3, 4)
    torch.testing.assert_close(fitted[..., 0], expected, rtol=0, atol=2e-3)


def test_white_noise_is_out_of_reach(content):
    """As many unknowns as pictures have in a sixtieth: what is left is nearly all of it."""
    big = torch.full((1, 3, 96, 128), 0.5).double()
    noise = 0.5 + 0.1 * features(1, 3, 96, 128)
    basis = Grid(big, Guide(), Coordinates(big, Guide()(big), SHAPE, 0.0))
    minimum = minimize(Distance(noise), big, steps=60, parametrization=basis)
    assert relative(minimum.image - noise, noise - 0.5) > 0.99


def test_the_total_is_that_of_the_objective_and_the_penalty(content, grid):
    seen = []
    minimum = minimize(
        Distance(content.flip(1)), content, steps=8, parametrization=grid, callback=seen.append
    )
    for progress in seen:
        assert progress.total == pytest.approx(
            sum(progress.term_weights[name] * value for name, value in progress.terms.items())
        )
    assert seen[0].terms["smoothness"] == pytest.approx(0, abs=1e-20)
    assert minimum.history[-1]["smoothness"] > 0
    torch.testing.assert_close(minimum.image, grid.to_image(minimum.z))


def test_without_a_step_it_is_the_nearest_picture(content, grid):
    start = content.flip(1)
    minimum = minimize(Distance(start), start, steps=0, parametrization=grid)
    torch.testing.assert_close(minimum.image, grid.to_image(grid.from_image(start)))


def test_an_average_is_of_pictures(content, grid):
    with pytest.raises(ValueError, match="with a grid it must be 0"):
        minimize(
            Distance(content), content, steps=1, method="adam", average=0.9, parametrization=grid
        )


def test_no_step_is_longer_than_the_longest(content):
    """Flat, then steep: what L-BFGS believes after the first is not followed to the end."""

    class Flat(Distance):
        def value_and_gradient(self, image):
            return Evaluation(1.0, {"distance": 1.0}, torch.full_like(image, 1e-3))

    basis = Grid(content, Guide(), Coordinates(content, Guide()(content), SHAPE, 0.0), 0.0)
    seen = []
    minimize(
        Flat(content), content, steps=6, parametrization=basis, learning_rate=1e3,
        keep=lambda state, ends: seen.append(state.z),
    )  # fmt: skip
    steps = [float((b - a).square().mean().sqrt()) for a, b in pairwise(seen)]
    assert max(steps) == pytest.approx(Grid.longest_step)
