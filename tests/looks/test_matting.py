import itertools
import math

import numpy as np
import pytest
import torch

from nst_tutorial.looks import matting
from nst_tutorial.looks.matting import matting_laplacian, project


def drawn(height, width, seed=0):
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed)).double()


def brute_force(picture, epsilon):
    """Every window, every pair of its pixels, as the formula has it."""
    height, width = picture.shape[2:]
    L = np.zeros((height * width, height * width))
    for top, left in itertools.product(range(height - 2), range(width - 2)):
        pixels = [(top + i, left + j) for i, j in itertools.product(range(3), range(3))]
        colors = np.array([picture[0, :, h, w].numpy() for h, w in pixels])
        centred = colors - colors.mean(0)
        inverse = np.linalg.inv(centred.T @ centred / 9 + epsilon / 9 * np.eye(3))
        for (i, a), (j, b) in itertools.product(enumerate(pixels), enumerate(pixels)):
            entry = (i == j) - (1 + centred[i] @ inverse @ centred[j]) / 9
            L[a[0] * width + a[1], b[0] * width + b[1]] += entry
    return L


@pytest.mark.parametrize(("height", "width"), [(5, 5), (5, 8), (7, 6)])
@pytest.mark.parametrize("epsilon", [1e-7, 1e-2])
def test_it_is_the_sum_over_all_windows(height, width, epsilon):
    picture = drawn(height, width)
    L = matting_laplacian(picture, epsilon).toarray()
    np.testing.assert_allclose(L, brute_force(picture, epsilon), atol=1e-8)


def flat(height, width):
    return torch.full((1, 3, height, width), 0.3).double()


def grey(height, width):
    return drawn(height, width)[:, :1].expand(-1, 3, -1, -1)


@pytest.mark.parametrize("kind", [drawn, grey, flat])
def test_symmetric_positive_and_of_sum_zero(kind):
    """Of a grey picture, or one of one colour, too: there the covariance has no inverse."""
    L = matting_laplacian(kind(8, 9)).toarray()
    assert np.isfinite(L).all()
    assert np.array_equal(L, L.T)
    assert np.linalg.eigvalsh(L).min() > -1e-10
    np.testing.assert_allclose(L.sum(1), 0, atol=1e-8)


def test_what_is_affine_in_the_colours_costs_nothing_and_anything_else_does():
    picture = drawn(12, 10)
    L = matting_laplacian(picture)
    slope = torch.tensor([0.5, -2.0, 1.0]).double()
    affine = torch.einsum("c,nchw->hw", slope, picture) + 0.7
    # Where the maps of two halves differ, the windows across their border alone cost something.
    halves = affine.clone()
    halves[:6] = 2 - 3 * affine[:6]
    noise = drawn(12, 10, seed=1)[0, 0]

    def energy(channel):
        return channel.flatten().numpy() @ (L @ channel.flatten().numpy())

    windows, epsilon = 10 * 8, 1e-7
    assert 0 < energy(affine) <= windows * epsilon * slope @ slope  # what the slope costs
    assert energy(noise) > 1
    border = torch.zeros(12, 10, dtype=torch.bool)
    border[4:8] = True
    outside = (L @ halves.flatten().numpy()).reshape(12, 10)[~border.numpy()]
    np.testing.assert_allclose(outside, 0, atol=1e-5)
    assert energy(halves) > 0.1


def test_the_projection_solves_its_equations():
    content, result = drawn(9, 8), drawn(9, 8, seed=1)
    for strength in (0.5, 30.0):
        found = project(result, content, strength, epsilon=1e-4)
        system = np.eye(72) + strength * brute_force(content, 1e-4)
        exact = np.linalg.solve(system, result[0].flatten(1).numpy().T).T
        # The residual is at most 1e-5 of the picture, and no eigenvalue of the system is under 1.
        error = np.linalg.norm(found[0].flatten(1).numpy() - exact, axis=1)
        assert (error <= 1e-5 * result[0].flatten(1).norm(dim=1).numpy()).all()


def test_strength_0_changes_nothing_and_more_comes_nearer_to_affine():
    content, result = drawn(16, 16), drawn(16, 16, seed=1)
    L = matting_laplacian(content)
    torch.testing.assert_close(project(result, content, 0), result)
    energies = []
    for strength in (0.0, 1.0, 10.0, 1000.0):
        channel = project(result, content, strength)[0, 1].flatten().numpy()
        energies.append(channel @ (L @ channel))
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] < energies[0] / 1000


def test_a_picture_in_other_colours_stays_as_it_is_and_its_noise_goes():
    """A smooth content, in other colours, with noise: what stays is the picture without noise."""
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, 24), torch.linspace(0, 1, 24), indexing="ij"
    )
    content = torch.stack([rows, columns, rows * columns])[None].double()
    turned = 0.8 * content.flip(1) + 0.1
    torch.testing.assert_close(project(turned, content, 1e3), turned, rtol=0, atol=4e-3)
    noisy = turned + 0.05 * (drawn(24, 24, seed=2) - 0.5)
    cleaned = project(noisy, content, 1e3)
    assert (cleaned - turned).norm() < 0.35 * (noisy - turned).norm()


def test_the_projection_is_of_the_results_type(picture):
    found = project(picture.float(), picture)
    assert (found.dtype, found.shape) == (torch.float32, picture.shape)


def test_bad_input(picture, monkeypatch):
    for call, message in (
        (lambda: matting_laplacian(picture[:, :, :4]), "at least 5 pixels a side, got 4×36"),
        (lambda: matting_laplacian(picture, 0), "epsilon must be a number above 0, got 0"),
        (lambda: matting_laplacian(picture[0]), "must be a picture"),
        (lambda: project(picture, picture[:, :, 1:]), "result and content differ in size"),
        (lambda: project(picture, picture, -1), "strength must be finite and ≥ 0"),
        (lambda: project(picture * math.nan, picture), "the result has values that are not fin"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    monkeypatch.setattr(matting, "MOST_ITERATIONS", 2)
    with pytest.raises(ValueError, match="no projection of strength 1e.06 within 2 steps"):
        project(picture, picture.flip(3), 1e6)
