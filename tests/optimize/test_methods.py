import pytest
import torch
from objectives import START, Quadratic

from nst_tutorial.optimize.methods import FIRST_STEP, LBFGS, OPTIMIZERS


def test_two_loop_recursion_against_its_matrix():
    """H by the BFGS formula, Nocedal & Wright equation 6.17, built as a matrix."""
    generator = torch.Generator().manual_seed(1)
    n = 6
    root = torch.randn(n, n, generator=generator).double()
    A = root @ root.T + torch.eye(n)
    method = LBFGS(history=4)
    points = torch.randn(4, n, generator=generator).double()
    for z in points:
        method.step(z, A @ z)
    s, y, rho = method.pairs[-1]
    H = torch.eye(n).double() / (rho * (y @ y))
    for s, y, rho in method.pairs:
        V = torch.eye(n) - rho * torch.outer(y, s)
        H = V.T @ H @ V + rho * torch.outer(s, s)
    g = torch.randn(n, generator=generator).double()
    torch.testing.assert_close(method.direction(g), H @ g)
    torch.testing.assert_close(H @ method.pairs[-1][1], method.pairs[-1][0])  # the secant equation


def test_same_iterates_as_torch_optim():
    objective = Quadratic()
    x = START.clone().requires_grad_()
    scale = float((objective.a * (START - objective.c)).square().mean().sqrt())
    torchs = torch.optim.LBFGS([x], lr=1, max_iter=25, max_eval=99, history_size=9,
                               tolerance_grad=0, tolerance_change=0)  # fmt: skip
    seen = []

    def closure():
        seen.append(x.detach().clone())
        value = 0.5 * (objective.a * (x - objective.c) ** 2).sum()
        (x.grad,) = torch.autograd.grad(value, x)
        return value

    # torch's first step is gradient / Σ|gradient|: begin where both have made the same one
    gradient = objective.a * (START - objective.c)
    torchs.step(closure)
    ratio = (seen[1] - START).norm() / (FIRST_STEP * gradient / scale).norm()
    method = LBFGS(history=9)
    z, ours = START, [START]
    for i in range(24):
        step = method.step(z, objective.a * (z - objective.c))
        z = z + (ratio * step if i == 0 else step)
        ours.append(z)
    for mine, theirs in zip(ours, seen, strict=False):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_curvature_pairs_are_kept_whatever_the_units(scale):
    objective, method = Quadratic(scale=scale), LBFGS()
    z = START
    for _ in range(10):
        z = z + method.step(z, objective.value_and_gradient(z).gradient)
    assert len(method.pairs) == 9


def test_pairs_of_negative_curvature_are_left_out():
    method = LBFGS()
    z = torch.tensor([1.0, 2.0])
    for gradient in ([1.0, 1.0], [2.0, 2.0]):  # grows along the step downhill: a concave function
        z = z + method.step(z, torch.tensor(gradient))
    assert len(method.pairs) == 0


def test_adam_takes_the_steps_of_torch_optim():
    objective = Quadratic()
    x = START.clone().requires_grad_()
    theirs = torch.optim.Adam([x], lr=0.05, betas=(0.9, 0.99), eps=1e-12)
    method, z = OPTIMIZERS["adam"](learning_rate=0.05), START
    for _ in range(20):
        torch.testing.assert_close(z, x.detach(), rtol=1e-9, atol=1e-12)
        x.grad = objective.value_and_gradient(x.detach()).gradient
        theirs.step()
        z = z + method.step(z, objective.value_and_gradient(z).gradient)


def test_after_a_reset_nothing_of_the_past_is_used():
    objective, method = Quadratic(), LBFGS()
    z = START
    for _ in range(5):
        z = z + method.step(z, objective.value_and_gradient(z).gradient)
    method.reset(0.5)
    gradient = objective.value_and_gradient(START).gradient
    step = method.step(START, gradient)
    torch.testing.assert_close(step / step.norm(), -gradient / gradient.norm())
    assert len(method.pairs) == 0
