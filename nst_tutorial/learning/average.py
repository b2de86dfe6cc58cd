"""The mean of a network's weights over the steps of a training, late ones counting more."""

from __future__ import annotations

from torch import Tensor, nn

from ..setting_values import check_decay


class WeightAverage:
    """Exponential moving average of a network's weights (Polyak & Juditsky 1992, in this form
    usual since Tarvainen & Valpola 2017, arXiv 1703.01780):

        a ← d a + (1 - d) w,  d = min(decay, n / (n + 10)) at update n = 1, 2, …

    The first updates count less past, so that the random weights of the beginning are forgotten
    soon. What is no floating point number is copied.

    Parameters
    ----------
    network
        Whose weights are averaged; `update` reads them.
    decay
        d of late updates, in 0 ≤ d < 1; 0: the latest weights alone.
    """

    def __init__(self, network: nn.Module, decay: float):
        self.network, self.decay = network, check_decay("decay", decay)
        self.updates = 0
        self.weights = {n: t.detach().clone() for n, t in network.state_dict().items()}

    def update(self) -> None:
        """Count the network's weights as they are now."""
        self.updates += 1
        d = min(self.decay, self.updates / (self.updates + 10))
        for name, weight in self.network.state_dict().items():
            average = self.weights[name]
            if average.is_floating_point():
                average.lerp_(weight.detach(), 1 - d)
            else:
                average.copy_(weight)

    def apply(self) -> None:
        """Give the network the averages."""
        self.network.load_state_dict(self.weights)

    def restore(self, weights: dict[str, Tensor], updates: int) -> None:
        """Go on from averages that were stored."""
        for name, average in self.weights.items():
            average.copy_(weights[name])
        self.updates = updates
