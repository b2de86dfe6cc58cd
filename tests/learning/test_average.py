import pytest
import torch
from torch import nn

from nst_tutorial.learning.average import WeightAverage


def weights_at(step):
    return torch.tensor([[1.0 * step, step**2.0]], dtype=torch.float64)


def averaged(decay, steps):
    layer = nn.Linear(2, 1, bias=False).double()
    average = WeightAverage(layer, decay)
    for step in range(1, steps + 1):
        layer.weight.data.copy_(weights_at(step))
        average.update()
    return layer, average


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_it_is_the_sum_by_hand(decay):
    """a_n = Σ_k (1 - d_k) Π_{j>k} d_j w_k, the first weights having the factor Π d_j."""
    layer = nn.Linear(2, 1, bias=False).double()
    first = layer.weight.detach().clone()
    average = WeightAverage(layer, decay)
    steps = 30
    for step in range(1, steps + 1):
        layer.weight.data.copy_(weights_at(step))
        average.update()
    d = [min(decay, n / (n + 10)) for n in range(1, steps + 1)]
    expected, factor = torch.zeros(1, 2, dtype=torch.float64), 1.0
    for k in reversed(range(steps)):
        expected += (1 - d[k]) * factor * weights_at(k + 1)
        factor *= d[k]
    expected += factor * first
    assert torch.allclose(average.weights["weight"], expected, rtol=1e-12)


def test_it_does_not_change_the_network_until_it_is_applied():
    layer, average = averaged(0.9, 5)
    assert torch.equal(layer.weight, weights_at(5))
    average.apply()
    assert torch.equal(layer.weight, average.weights["weight"])
    assert not torch.equal(layer.weight, weights_at(5))


def test_counters_are_copied():
    norm = nn.BatchNorm1d(2)
    average = WeightAverage(norm, 0.9)
    norm(torch.rand(3, 2))
    average.update()
    assert average.weights["num_batches_tracked"] == 1
    assert average.weights["running_mean"].is_floating_point()


def test_decays_out_of_range():
    with pytest.raises(ValueError, match="decay must be below 1"):
        WeightAverage(nn.Linear(1, 1), 1.0)
