import numpy as np
import pytest
import scipy.sparse as sparse
import torch
from scipy.sparse.linalg import spsolve

from nst_tutorial.noise.poisson import screened_poisson


def rand(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)).double()


def differences(n):
    return sparse.diags([-np.ones(n - 1), np.ones(n - 1)], [0, 1], shape=(n - 1, n))


@pytest.mark.parametrize("shape", [(7, 5), (6, 6), (1, 9), (16, 11)])
@pytest.mark.parametrize("strength", [0.3, 1.0, 50.0])
def test_it_solves_the_sparse_linear_system(shape, strength):
    """(1 + λ DᵀD) u = r + λ DᵀD c, with the matrix D of all differences written out."""
    height, width = shape
    r, c = rand(1, 2, *shape), rand(1, 2, *shape, seed=1)
    down = sparse.kron(differences(height), sparse.eye(width))
    across = sparse.kron(sparse.eye(height), differences(width))
    D = sparse.vstack([down, across])
    L = D.T @ D
    found = screened_poisson(r, c, strength)
    for k in range(2):
        right = r[0, k].numpy().ravel() + strength * (L @ c[0, k].numpy().ravel())
        u = spsolve(sparse.csc_matrix(sparse.eye(height * width) + strength * L), right)
        assert abs(found[0, k].numpy().ravel() - u).max() < 1e-10


def test_both_ends():
    r, c = rand(1, 3, 20, 30), rand(1, 3, 20, 30, seed=1)
    assert torch.allclose(screened_poisson(r, c, 0.0), r)
    means = r.mean(dim=(2, 3), keepdim=True) - c.mean(dim=(2, 3), keepdim=True)
    assert torch.allclose(screened_poisson(r, c, 1e9), c + means, atol=1e-6)
    assert torch.allclose(screened_poisson(c, c, 3.0), c)
    u = screened_poisson(r, c, 5.0)
    assert torch.allclose(u.mean(dim=(2, 3)), r.mean(dim=(2, 3)))


def test_single_precision_stays_and_agrees():
    r, c = rand(1, 3, 40, 30), rand(1, 3, 40, 30, seed=1)
    found = screened_poisson(r.float(), c.float(), 2.0)
    assert found.dtype == torch.float32
    assert (found - screened_poisson(r, c, 2.0)).abs().max() < 1e-5


def test_bad_input():
    with pytest.raises(ValueError, match="must have one size, got .1, 3, 8, 8. and .1, 3, 8, 9."):
        screened_poisson(rand(1, 3, 8, 8), rand(1, 3, 8, 9), 1.0)
    for strength in (-1.0, float("nan"), "much"):
        with pytest.raises(ValueError, match="strength must be finite and ≥ 0"):
            screened_poisson(rand(1, 3, 8, 8), rand(1, 3, 8, 8), strength)
