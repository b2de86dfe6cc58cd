import pytest
import torch

from nst_tutorial.kernels import Gram, get_kernel, gram_matrix, positions


def features(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_gram_matrix_written_out():
    f = features(2, 3, 4, 5)
    G = gram_matrix(f)
    for n in range(2):
        for i in range(3):
            for j in range(3):
                expected = sum(f[n, i, y, x] * f[n, j, y, x] for y in range(4) for x in range(5))
                torch.testing.assert_close(G[n, i, j], expected / 20)


def test_gram_distance_is_mmd_with_the_squared_inner_product():
    """Li et al. 2017, equation 6, by a double sum over all pairs of positions."""
    x, y = features(1, 4, 3, 5), features(1, 4, 2, 4, seed=1)

    def mean_kernel(a, b):
        pairs = [(p @ q) ** 2 for p in positions(a)[0] for q in positions(b)[0]]
        return sum(pairs) / len(pairs)

    kernel = Gram()
    distance = kernel.distance(kernel.statistic(x), kernel.statistic(y))
    mmd2 = mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)
    torch.testing.assert_close(distance, mmd2)


def test_gram_forgets_positions_and_only_these():
    f = features(1, 4, 3, 5)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(3))
    shuffled = f.flatten(2)[..., order].view_as(f)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(f))
    assert not torch.equal(shuffled, f)
    assert not torch.allclose(gram_matrix(2 * f), gram_matrix(f))


@pytest.mark.parametrize("format", [torch.contiguous_format, torch.channels_last])
def test_gradients(format):
    f = features(2, 3, 4, 2).contiguous(memory_format=format).requires_grad_()
    assert torch.autograd.gradcheck(gram_matrix, f)
    assert torch.autograd.gradgradcheck(gram_matrix, f)


def test_magnitude_is_the_distance_from_no_features():
    f = features(1, 4, 3, 5)
    kernel = Gram()
    S = kernel.statistic(f)
    torch.testing.assert_close(kernel.magnitude(S), kernel.distance(S, kernel.statistic(0 * f)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(dtype):
    f = torch.full((1, 2, 64, 64), 300.0, dtype=dtype)
    G = gram_matrix(f)
    assert G.dtype == torch.float32
    torch.testing.assert_close(G, torch.full((1, 2, 2), 90000.0), rtol=1e-2, atol=0)


def test_positions_of_channels_last_features_are_a_view():
    f = torch.rand(1, 8, 6, 5).contiguous(memory_format=torch.channels_last)
    assert positions(f).data_ptr() == f.data_ptr()


def test_bad_values_are_named():
    with pytest.raises(ValueError, match=r"got \(1, 3, 0, 4\)"):
        gram_matrix(torch.zeros(1, 3, 0, 4))
    with pytest.raises(ValueError, match=r"\(1, 3, 3\) and \(1, 4, 4\)"):
        Gram().distance(torch.zeros(1, 3, 3), torch.zeros(1, 4, 4))
    with pytest.raises(ValueError, match="unknown kernel 'grim'; there are gram"):
        get_kernel("grim")
