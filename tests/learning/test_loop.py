"""The loop of a training: budgets, rates, averages, checkpoints. Time is a clock of the test's."""

import math

import pytest
import torch
from torch import nn

from nst_tutorial.learning.budget import Budget, rate_at
from nst_tutorial.learning.checkpoint import FORMAT
from nst_tutorial.learning.loop import PATIENCE, Step, learn


class Clock:
    """Goes on by what each step takes."""

    def __init__(self, seconds=1.0):
        self.now, self.seconds = 100.0, seconds

    def __call__(self):
        return self.now

    def tick(self):
        self.now += self.seconds


class Problem:
    """Least squares on random lines, drawn by the number of the step."""

    def __init__(self, clock=None, spoilt=()):
        torch.manual_seed(0)
        self.network = nn.Linear(3, 1).double()
        self.clock, self.spoilt, self.steps = clock or Clock(), spoilt, []

    def step(self, number):
        self.steps.append(number)
        numbers = torch.Generator().manual_seed(number)
        x = torch.rand(8, 3, generator=numbers, dtype=torch.float64)
        loss = (self.network(x) - x @ torch.tensor([[1.0], [-2.0], [0.5]]).double()).square().mean()
        loss.backward()
        self.clock.tick()
        value = math.nan if number in self.spoilt else float(loss.detach())
        return Step(value, {"square": value}, torch.zeros(1, 3, 16, 16))

    def learn(self, budget, **options):
        return learn(self.network, self.step, budget, **{
            "learning_rate": 0.05, "clock": self.clock, **options,
        })  # fmt: skip


def state(network):
    return torch.cat([t.flatten() for t in network.state_dict().values()])


def test_steps_are_done_and_the_loss_falls():
    problem = Problem()
    learnt = problem.learn(Budget(steps=300), decay=0.9)
    assert problem.steps == list(range(300))
    assert learnt.stopped is None
    assert learnt.history[-1]["total"] < 1e-3 * learnt.history[0]["total"]
    assert learnt.seconds == 300


@pytest.mark.parametrize("seconds", [0.7, 1.0, 2.9])
def test_the_time_is_kept(seconds):
    clock = Clock(seconds)
    learnt = Problem(clock).learn(Budget(minutes=2))
    assert abs(learnt.seconds - 120) <= seconds / 2 + 1e-9
    assert abs(learnt.seconds / 120 - 1) < 0.05


def test_preparations_count():
    clock = Clock(1.0)
    begun = clock() - 60
    learnt = Problem(clock).learn(Budget(minutes=2), begun=begun)
    assert len(learnt.history) == 60
    assert learnt.seconds == 120


def test_time_and_steps_together_and_one_step_at_least():
    assert len(Problem().learn(Budget(steps=20, minutes=1)).history) == 20
    assert len(Problem().learn(Budget(steps=90, minutes=1)).history) == 60
    assert len(Problem(Clock(100)).learn(Budget(minutes=0.1)).history) == 1


def test_the_rate_is_half_a_wave():
    learnt = Problem().learn(Budget(steps=200))
    rates = [row["learning_rate"] / 0.05 for row in learnt.history]
    assert rates == pytest.approx([rate_at(k / 200) for k in range(200)])
    assert max(rates) == pytest.approx(1)
    assert rates.index(max(rates)) == 4  # 2 % of them
    falling = rates[4:]
    assert falling == sorted(falling, reverse=True)
    assert rates[-1] < 0.02
    assert rate_at(0.51) == pytest.approx((1 + 0.01) / 2)


@pytest.mark.parametrize("budget", [Budget(steps=40), Budget(minutes=40 / 60)])
@pytest.mark.parametrize("killed_at", [7, 10, 39])
def test_resumed_is_uninterrupted(tmp_path, budget, killed_at):
    """Bit for bit: killed between two steps, it goes on from the last note."""
    whole = Problem()
    wanted = whole.learn(budget, decay=0.95)
    path = tmp_path / "run.training"
    options = {"checkpoint": path, "checkpoint_every": 5, "decay": 0.95, "identity": {"x": 1}}
    first = Problem()

    def kill(progress):
        if progress.evaluation == killed_at:
            raise MemoryError

    with pytest.raises(MemoryError):
        first.learn(budget, callback=kill, **options)
    again = Problem(Clock())
    learnt = again.learn(budget, **options)
    assert again.steps[0] == killed_at // 5 * 5 - (5 if killed_at % 5 == 0 else 0)
    assert torch.equal(state(again.network), state(whole.network))
    assert learnt.history == wanted.history
    finished = Problem()
    finished.learn(budget, **options)  # a training that is done has nothing left to do
    assert finished.steps == []
    assert torch.equal(state(finished.network), state(whole.network))


def test_checkpoints_of_others(tmp_path):
    path = tmp_path / "run.training"
    options = {"checkpoint": path, "checkpoint_every": 1}
    Problem().learn(Budget(steps=2), identity={"style": "a"}, **options)
    for change, message in (
        ({"identity": {"style": "b"}}, "style was 'a' and is 'b' now"),
        ({"identity": {"style": "a"}, "learning_rate": 0.1}, "learning_rate was 0.05 and is 0.1"),
    ):
        with pytest.raises(ValueError, match=message):
            Problem().learn(Budget(steps=2), **{**options, **change})
    with pytest.raises(ValueError, match="budget was"):
        Problem().learn(Budget(steps=3), identity={"style": "a"}, **options)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ValueError, match="not a checkpoint of a training, or damaged"):
        Problem().learn(Budget(steps=2), identity={"style": "a"}, **options)
    assert FORMAT.endswith(" 1")


def test_a_callback_stops():
    learnt = Problem().learn(Budget(steps=9), callback=lambda progress: progress.evaluation == 4)
    assert (learnt.stopped, len(learnt.history)) == ("callback", 4)


def test_what_a_callback_sees():
    seen = []
    Problem(Clock(2.0)).learn(Budget(minutes=1), callback=lambda p: seen.append(p) and None)
    assert [p.evaluation for p in seen] == list(range(1, 31))
    assert {p.steps for p in seen} == {30}  # estimated from the time, and right
    assert seen[14].fraction == pytest.approx(0.5)
    assert seen[-1].size == (16, 16)


def test_an_interruption_keeps_the_average():
    problem = Problem()

    def interrupt(progress):
        if progress.evaluation == 6:
            raise KeyboardInterrupt

    learnt = problem.learn(Budget(steps=20), callback=interrupt)
    assert (learnt.stopped, len(learnt.history)) == ("interrupted", 6)
    other = Problem()
    other.learn(Budget(steps=20), callback=lambda p: p.evaluation == 6)
    assert torch.equal(state(problem.network), state(other.network))


def test_a_step_that_is_not_finite_changes_nothing():
    problem = Problem(spoilt={3})
    learnt = problem.learn(Budget(steps=6), decay=0.0)
    assert learnt.history[3]["event"] == "the loss or its gradient is not finite"
    assert learnt.stopped is None
    assert state(problem.network).isfinite().all()
    before = Problem()
    before.learn(Budget(steps=6), decay=0.0, callback=lambda p: p.evaluation == 3)
    after = Problem(spoilt={3})
    after.learn(Budget(steps=6), decay=0.0, callback=lambda p: p.evaluation == 4)
    assert torch.equal(state(after.network), state(before.network))


def test_many_of_them_end_the_training():
    learnt = Problem(spoilt=range(5, 100)).learn(Budget(steps=100))
    assert learnt.stopped == "diverged"
    assert len(learnt.history) == 5 + PATIENCE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "a training needs a budget: give minutes, or steps"),
        ({"minutes": 0}, "minutes must be a number above 0, got 0"),
        ({"minutes": -3}, "minutes must be a number above 0, got -3"),
        ({"minutes": math.inf}, "minutes must be"),
        ({"steps": 0}, "steps must be a whole number ≥ 1, got 0"),
        ({"steps": 2.5}, "steps must be a whole number"),
    ],
)
def test_budgets_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        Budget(**options)
