"""Which step to take, given a gradient: L-BFGS and Adam.

Each remembers what it needs. `state` and `restore` are for checkpoints: a method that was restored
takes bit for bit the steps that it would have taken.
"""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

FIRST_STEP = 0.01  # root mean square of the first change: 2.5 grey levels of 255


class LBFGS:
    """Limited-memory BFGS with a fixed step (Nocedal & Wright, Numerical Optimization, §7.2).

    Remembers the last `history` changes s of the parameters and y of the gradient, and turns a
    gradient into a step by the two-loop recursion (algorithm 7.4). There is no line search: along
    these steps a length of 1 is nearly always good, and trying others costs evaluations.
    """

    def __init__(self, history: int = 20, learning_rate: float = 1.0):
        self.pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=history)
        self.learning_rate = learning_rate
        self.last: tuple[Tensor, Tensor] | None = None

    def step(self, z: Tensor, gradient: Tensor) -> Tensor:
        """Return the change of z to make, given the gradient there."""
        if self.last is not None:
            s, y = z - self.last[0], gradient - self.last[1]
            curvature = _dot(s, y)
            # Else H would not stay positive definite. A cosine: the loss's units do not matter.
            if curvature > 1e-8 * s.norm() * y.norm():
                self.pairs.append((s, y, 1 / curvature))
        self.last = (z, gradient)
        if not self.pairs:
            first = FIRST_STEP * self.learning_rate
            return -gradient * (first / gradient.square().mean().sqrt().clamp(min=1e-30))
        return self.direction(gradient).mul_(-self.learning_rate)

    def direction(self, gradient: Tensor) -> Tensor:
        """Return H g, H being the estimate of the inverse Hessian."""
        q = gradient.clone()
        alphas = []
        for s, y, rho in reversed(self.pairs):
            alpha = rho * _dot(s, q)
            q.addcmul_(alpha, y, value=-1)
            alphas.append(alpha)
        s, y, rho = self.pairs[-1]
        r = q.div_(rho * _dot(y, y))
        for (s, y, rho), alpha in zip(self.pairs, reversed(alphas), strict=True):
            beta = rho * _dot(y, r)
            r.addcmul_(alpha - beta, s)
        return r

    def reset(self, factor: float) -> None:
        """Forget the past and take steps shorter by `factor`."""
        self.pairs.clear()
        self.last = None
        self.learning_rate *= factor

    def state(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """What is remembered, as named tensors and numbers."""
        tensors: dict[str, Tensor] = {}
        for i, pair in enumerate(self.pairs):
            tensors |= {f"pairs.{i}.{name}": t for name, t in zip("sy1", pair, strict=True)}
        if self.last is not None:
            tensors |= {"last.z": self.last[0], "last.gradient": self.last[1]}
        return tensors, {
            "learning_rate": self.learning_rate,
            "pairs": len(self.pairs),
            "history": self.pairs.maxlen or 0,
        }

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, float]) -> None:
        self.learning_rate = numbers["learning_rate"]
        self.pairs = deque(maxlen=int(numbers["history"]))
        self.last = None
        for i in range(int(numbers["pairs"])):
            s, y, inverse = (tensors[f"pairs.{i}.{name}"] for name in "sy1")
            self.pairs.append((s, y, inverse))
        if "last.z" in tensors:
            self.last = tensors["last.z"], tensors["last.gradient"]


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Σ a b, without a tensor of the products."""
    return torch.dot(a.flatten(), b.flatten())


class Adam:
    """Adam (Kingma & Ba, arXiv 1412.6980, algorithm 1); the learning rate is in units of 0..1."""

    def __init__(self, learning_rate: float = 0.02, betas: tuple[float, float] = (0.9, 0.99)):
        self.learning_rate, self.betas = learning_rate, betas
        self.t = 0
        self.m: Tensor | float = 0.0  # mean of the gradients
        self.v: Tensor | float = 0.0  # mean of their squares

    def step(self, z: Tensor, gradient: Tensor) -> Tensor:
        self.t += 1
        first, second = self.betas
        mean = self.m * first + gradient * (1 - first)
        square = self.v * second + gradient.square() * (1 - second)
        self.m, self.v = mean, square
        m, v = mean / (1 - first**self.t), square / (1 - second**self.t)
        return -self.learning_rate * m / (v.sqrt() + 1e-12)

    def reset(self, factor: float) -> None:
        self.t, self.m, self.v = 0, 0.0, 0.0
        self.learning_rate *= factor

    def state(self) -> tuple[dict[str, Tensor], dict[str, float]]:
        """What is remembered, as named tensors and numbers."""
        moments = {"m": self.m, "v": self.v}
        tensors = {name: m for name, m in moments.items() if isinstance(m, Tensor)}
        return tensors, {"learning_rate": self.learning_rate, "t": self.t}

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, float]) -> None:
        self.reset(1.0)
        self.learning_rate, self.t = numbers["learning_rate"], int(numbers["t"])
        self.m, self.v = tensors.get("m", 0.0), tensors.get("v", 0.0)


OPTIMIZERS: dict[str, type[LBFGS] | type[Adam]] = {"lbfgs": LBFGS, "adam": Adam}
