"""Objectives without a network, whose optimum is known."""

import torch

from nst_tutorial.losses.objective import Evaluation

START = torch.full((1, 3, 16, 13), 0.5).double()  # of an optimisation


class Quadratic:
    """½ Σ a (x - c)², with curvatures a over two decades."""

    def __init__(self, scale=1.0, bad=()):
        generator = torch.Generator().manual_seed(0)
        self.a = scale * 10 ** (2 * torch.rand(START.shape, generator=generator).double())
        self.c = torch.rand(START.shape, generator=generator).double()
        self.term_weights = {"distance": 1.0}
        self.scale, self.bad, self.seen = scale, bad, []

    def value_and_gradient(self, image):
        self.seen.append(image.clone())
        d = image - self.c
        total = float(0.5 * (self.a * d * d).sum())
        if len(self.seen) in self.bad:
            total = float("nan")
        return Evaluation(total, {"distance": total}, self.a * d)


class Stuck:
    """A loss that falls for a while and then never again, whatever is done."""

    term_weights = {"x": 1.0}  # noqa: RUF012

    def __init__(self, falls, by=1.0):
        self.falls, self.by, self.count = falls, by, 0

    def value_and_gradient(self, image):
        self.count += 1
        total = 1000.0 - self.by * min(self.count, self.falls)
        return Evaluation(total, {"x": total}, torch.ones_like(image))


class Listed:
    """Losses from a list, whatever the picture is."""

    term_weights = {"x": 1.0}  # noqa: RUF012

    def __init__(self, totals, done=0):
        self.totals, self.count = totals, done

    def value_and_gradient(self, image):
        total = float(self.totals[self.count])
        self.count += 1
        return Evaluation(total, {"x": total}, torch.ones_like(image))
