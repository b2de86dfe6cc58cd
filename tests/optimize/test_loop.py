import math
from copy import copy

import pytest
import torch
from objectives import START, Listed, Quadratic, Stuck

from nst_tutorial.losses.objective import Evaluation
from nst_tutorial.optimize.loop import NOTHING_BETTER, SETTLED, minimize
from nst_tutorial.optimize.methods import FIRST_STEP, OPTIMIZERS
from nst_tutorial.optimize.parametrization import PARAMETRIZATIONS
from nst_tutorial.optimize.result import Result
from nst_tutorial.settings import Settings


@pytest.mark.parametrize("parameters", PARAMETRIZATIONS)
@pytest.mark.parametrize("method", OPTIMIZERS)
def test_finds_the_minimum(method, parameters):
    objective = Quadratic()
    steps = 150 if method == "lbfgs" else 600
    found = minimize(objective, START, steps=steps, method=method, parametrization=parameters)
    first, last = found.history[0]["total"], min(row["total"] for row in found.history)
    assert last < 1e-3 * first
    assert (found.image - objective.c).abs().max() < 0.05


def test_the_size_of_the_loss_does_not_matter():
    """A loss times 1000 takes the same way: the first step has a length, not a rate."""
    one, thousand = Quadratic(), Quadratic(scale=1000.0)
    for objective in (one, thousand):
        minimize(objective, START, steps=12)
    for a, b in zip(one.seen, thousand.seen, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("shift", [-100.0, 1e3])
def test_a_constant_added_to_the_loss_changes_nothing(shift):
    """Below zero too, where an estimate of a distance can fall."""

    class Shifted(Quadratic):
        def value_and_gradient(self, image):
            found = super().value_and_gradient(image)
            return Evaluation(found.total + shift, found.terms, found.gradient)

    plain, shifted = Quadratic(), Shifted()
    for objective in (plain, shifted):
        minimize(objective, START, steps=60)
    for a, b in zip(plain.seen, shifted.seen, strict=True):
        assert torch.equal(a, b)


def test_a_gradient_that_is_not_finite_rolls_back_too():
    class Broken(Quadratic):
        def value_and_gradient(self, image):
            found = super().value_and_gradient(image)
            if len(self.seen) == 5:
                found.gradient[0, 0, 0, 0] = float("inf")
            return found

    found = minimize(Broken(), START, steps=120)
    assert found.image.isfinite().all()
    assert min(row["total"] for row in found.history[5:]) < 1e-2 * found.history[0]["total"]


def test_first_step_length():
    objective = Quadratic()
    minimize(objective, START, steps=2, parametrization="pixel")
    step = objective.seen[1] - objective.seen[0]
    assert float(step.square().mean().sqrt()) == pytest.approx(FIRST_STEP)


def test_one_evaluation_per_step_and_the_best_is_kept():
    class Wobbling(Quadratic):
        def value_and_gradient(self, image):
            found = super().value_and_gradient(image)
            total = found.total * (1 + (len(self.seen) % 4))
            return Evaluation(total, {}, found.gradient)

    objective = Wobbling()
    found = minimize(objective, START, steps=30, method="adam", learning_rate=1e-3)
    assert len(objective.seen) == len(found.history) == 30
    totals = [row["total"] for row in found.history]
    assert torch.equal(found.image, objective.seen[totals.index(min(totals))])
    assert [row["evaluation"] for row in found.history] == list(range(1, 31))
    assert min(totals) < totals[-1]  # so "the best" differs from "the last" here


def test_no_steps_return_the_start():
    found = minimize(Quadratic(), START, steps=0)
    assert torch.equal(found.image, START)
    assert found.history == []
    assert torch.equal(minimize(Quadratic(), START, steps=1).image, START)


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_a_loss_that_is_not_finite_rolls_back_and_goes_on(method):
    objective = Quadratic(bad=(8, 9, 20))
    found = minimize(objective, START, steps=200, method=method, parametrization="pixel")
    totals = [row["total"] for row in found.history]
    assert [i + 1 for i, t in enumerate(totals) if math.isnan(t)] == [8, 9, 20]
    assert found.image.isfinite().all()
    best = totals.index(min(totals[:7]))
    back = objective.seen[8] - objective.seen[best]  # the ninth picture is a step from the best
    assert back.square().mean().sqrt() <= FIRST_STEP * 2.1
    assert min(totals[20:]) < 1e-2 * min(totals[:7])
    if method == "lbfgs":  # each return halves the step
        again = objective.seen[9] - objective.seen[best]
        assert float(again.norm() / back.norm()) == pytest.approx(0.5)


def test_a_loss_that_explodes_rolls_back_too():
    class Cliff(Quadratic):
        def value_and_gradient(self, image):
            found = super().value_and_gradient(image)
            if len(self.seen) == 6:
                return Evaluation(found.total * 1e5, found.terms, found.gradient * 1e9)
            return found

    found = minimize(Cliff(), START, steps=120, parametrization="pixel")
    assert min(row["total"] for row in found.history[6:]) < 0.01 * found.history[0]["total"]


def test_not_finite_at_the_start_is_an_error():
    with pytest.raises(ValueError, match="not finite at the start.*'distance': nan"):
        minimize(Quadratic(bad=(1,)), START, steps=5)


def test_nothing_is_clamped_on_the_way():
    objective = Quadratic()
    objective.c = objective.c * 4 - 1.5
    minimize(objective, START, steps=40)
    assert max(float(x.max()) for x in objective.seen) > 1.5


def test_callback_sees_each_evaluation_and_may_stop():
    seen = []

    def callback(progress):
        seen.append(progress)
        return progress.evaluation == 7

    objective = Quadratic()
    found = minimize(objective, START + 0.7, steps=50, callback=callback)
    assert found.stopped == "callback"
    assert [p.evaluation for p in seen] == list(range(1, 8))
    assert len(objective.seen) == 7
    last = seen[-1]
    assert (last.steps, last.size) == (50, START.shape[2:])
    assert last.total == found.history[-1]["total"]
    assert last.terms == {"distance": last.total}
    assert torch.equal(last.image, objective.seen[-1].clamp(0, 1))
    assert not torch.equal(last.image, objective.seen[-1])
    assert minimize(Quadratic(), START, steps=3, callback=lambda p: None).stopped is None


@pytest.mark.parametrize("where", ["evaluation", "callback"])
def test_ctrl_c_gives_the_best_so_far(where):
    class Interrupted(Quadratic):
        def value_and_gradient(self, image):
            if where == "evaluation" and len(self.seen) == 9:
                raise KeyboardInterrupt
            return super().value_and_gradient(image)

    def callback(progress):
        if where == "callback" and progress.evaluation == 9:
            raise KeyboardInterrupt

    objective = Interrupted()
    found = minimize(objective, START, steps=50, callback=callback)
    assert found.stopped == "interrupted"
    totals = [row["total"] for row in found.history]
    assert len(totals) == 9
    assert torch.equal(found.image, objective.seen[totals.index(min(totals))])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "steps must be a whole number ≥ 0, got -1"),
        ({"steps": 2.5}, "got 2.5"),
        ({"steps": float("nan")}, "steps must be a whole number ≥ 0, got nan"),
        ({"steps": "ten"}, "steps must be a whole number ≥ 0, got 'ten'"),
        ({"steps": 3, "lbfgs_pairs": 2.5}, "lbfgs_pairs must be a whole number ≥ 1, got 2.5"),
        ({"steps": 3, "method": "sgd"}, "method must be one of lbfgs, adam.*got 'sgd'"),
        ({"steps": 3, "parametrization": "wavelet"}, "parametrization must be one of"),
        ({"steps": 3, "lbfgs_pairs": 0}, "lbfgs_pairs must be a whole number ≥ 1, got 0"),
        ({"steps": 3, "learning_rate": 0.0}, "learning_rate must be a number above 0"),
    ],
)
def test_bad_values_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        minimize(Quadratic(), START, **options)


def test_a_loss_that_stops_improving_is_noticed_and_ends_the_loop():
    found = minimize(Stuck(falls=10), START, steps=500)
    assert found.stopped == "no improvement"
    events = {row["evaluation"]: row["event"] for row in found.history if "event" in row}
    assert events == {60: "no better for 50 evaluations: back to the best picture, half the step"}
    assert len(found.history) == 110


@pytest.mark.parametrize("method", OPTIMIZERS)
def test_nothing_better_than_the_start_is_said(method):
    """A learning rate, a weight, a bandwidth beyond all bounds gave the content back in silence."""
    wild = minimize(Quadratic(), START, steps=8, method=method, learning_rate=1e9)
    assert wild.stopped == NOTHING_BETTER == "nothing better than the start"
    assert torch.equal(wild.image, START)
    flat = minimize(Stuck(falls=0), START, steps=500)
    assert flat.stopped == NOTHING_BETTER
    assert minimize(Quadratic(), START, steps=8, method=method).stopped is None
    rounding = Stuck(falls=3, by=1e-3)  # of 1000
    assert minimize(rounding, START, steps=8, method=method).stopped == NOTHING_BETTER
    assert minimize(Quadratic(), START, steps=1, method=method).stopped is None
    left = minimize(
        Quadratic(), START, steps=8, learning_rate=1e9, callback=lambda p: p.evaluation == 3
    )
    assert left.stopped == "callback"


def test_nothing_better_is_said_after_a_resumed_run_too():
    kept = []

    def keep(state, ends):
        kept.append(state)

    wild = {"steps": 8, "learning_rate": 1e9}
    minimize(Quadratic(), START, **{**wild, "steps": 3}, keep=keep)
    assert minimize(Quadratic(), START, **wild, resume=kept[-1]).stopped == NOTHING_BETTER
    minimize(Quadratic(), START, steps=3, keep=keep)
    assert minimize(Quadratic(), START, steps=4, resume=kept[-1]).stopped is None


def test_a_loss_that_falls_slowly_is_left_alone():
    found = minimize(Stuck(falls=10**6), START, steps=180)
    assert found.stopped is None
    assert not any("event" in row for row in found.history)


@pytest.mark.parametrize("k", [2, 7, 30])
def test_what_went_wrong_is_in_the_history(k):
    objective = Quadratic(bad=(k,))
    found = minimize(objective, START, steps=40)
    events = {row["evaluation"]: row["event"] for row in found.history if "event" in row}
    assert events == {k: "not finite: back to the best picture, half the step"}
    assert found.image.isfinite().all()


def test_a_state_goes_on_bit_for_bit():
    """Stopped after any number of evaluations: the rest is as if nothing had happened."""
    for method in OPTIMIZERS:
        whole = minimize(Quadratic(), START, steps=25, method=method)
        for k in (1, 2, 13):
            kept = []
            first = minimize(
                Quadratic(),
                START,
                steps=k,
                method=method,
                keep=lambda state, ends, notes=kept: notes.append(state),
            )
            rest = minimize(Quadratic(), START, steps=25, method=method, resume=kept[-1])
            assert torch.equal(rest.image, whole.image)
            totals = [row["total"] for row in first.history + rest.history]
            assert totals == [row["total"] for row in whole.history]


# --- a loss that has settled ---------------------------------------------------------------------


def decaying(rate, noise, seed=0, count=120):
    """Losses that fall towards 1, not every time."""
    dice = torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    return [1 + rate**n * (1 + noise * float(dice[n])) for n in range(count)]


def settles_at(totals, settle):
    """The first evaluation after which the best of all fell by too little in ten; None: none."""
    best = [min(totals[: n + 1]) for n in range(len(totals))]
    late = (n for n in range(10, len(best)) if best[n - 10] - best[n] < settle * best[n - 10])
    return next((n + 1 for n in late), None)


@pytest.mark.parametrize("settle", [0.0, 1e-4, 0.002, 0.01, 0.1, 0.9])
@pytest.mark.parametrize(("rate", "noise"), [(0.9, 0.0), (0.95, 0.3), (0.7, 3.0), (0.99, 0.1)])
def test_the_loop_ends_where_the_loss_has_settled(settle, rate, noise):
    totals = decaying(rate, noise)
    seen = []
    found = minimize(Listed(totals), START, steps=100, settle=settle, callback=seen.append)
    end = settles_at(totals[:99], settle)  # after the last there is nothing to end
    assert found.stopped == (None if end is None else "settled")
    assert [row["total"] for row in found.history] == totals[: end or 100]
    assert (seen[-1].fraction, seen[-1].steps) == (1.0, end or 100)
    assert {p.steps for p in seen[:-1]} == {100}


def test_what_went_wrong_does_not_count_as_settled():
    """Ten evaluations from anew: the method has forgotten its past and steps half as far."""
    totals = decaying(0.8, 0.0)
    totals[6] = math.nan
    alone = minimize(Listed(totals), START, steps=100, settle=0.5)
    assert settles_at([t for t in totals if t == t], 0.5) == 11
    assert (len(alone.history), alone.stopped) == (7 + 11, SETTLED)


def test_nothing_better_than_the_start_has_not_settled():
    found = minimize(Stuck(falls=0), START, steps=500, settle=0.01)
    assert (len(found.history), found.stopped) == (11, NOTHING_BETTER)


def test_a_loss_that_settles_goes_on_bit_for_bit():
    class Floored(Quadratic):
        def value_and_gradient(self, image):
            seen = super().value_and_gradient(image)
            return Evaluation(seen.total + 20.0, seen.terms, seen.gradient)

    options = {"steps": 150, "settle": 0.002}
    kept = []
    whole = minimize(Floored(), START, keep=lambda s, ends: kept.append((copy(s), ends)),
                     **options)  # fmt: skip
    assert whole.stopped == SETTLED
    assert [ends for _, ends in kept] == [*[False] * (len(kept) - 1), True]
    assert 12 < len(kept) < 140
    for k in (1, 9, 11, len(kept) - 1, len(kept)):
        notes = []
        minimize(Floored(), START, keep=lambda s, ends, notes=notes: notes.append(s),
                 **{**options, "steps": k})  # fmt: skip
        rest = minimize(Floored(), START, resume=notes[-1], **options)
        assert rest.stopped == SETTLED
        assert torch.equal(rest.image, whole.image)
        assert [r["total"] for r in rest.history] == [r["total"] for r in whole.history[k:]]


def test_a_loop_that_has_settled_ends_with_the_loss_of_its_average():
    totals = decaying(0.8, 0.0)
    found = minimize(Listed(totals), START, steps=100, settle=0.01, method="adam", average=0.9)
    end = settles_at(totals, 0.01)
    assert (len(found.history), found.stopped) == (end + 1, SETTLED)
    best = minimize(Listed(totals), START, steps=100, settle=0.01, method="adam")
    assert len(best.history) == end
    assert not torch.equal(found.image, best.image)


@pytest.mark.parametrize(
    ("settle", "message"),
    [(-0.1, "settle must be finite and ≥ 0, got -0.1"),
     (1, "settle must be below 1, say 0.002 (0: no scale ends early); got 1"),
     ("x", "settle must be finite and ≥ 0, got 'x'")],
)  # fmt: skip
def test_fractions_that_are_none_are_refused(settle, message):
    for use in (
        lambda: minimize(Quadratic(), START, steps=3, settle=settle),
        lambda: Settings(settle=settle),
    ):
        with pytest.raises(ValueError, match="settle") as raised:
            use()
        assert str(raised.value) == message


# --- averages ------------------------------------------------------------------------------------


def adam(objective, steps, average=0.9, **options):
    return minimize(objective, START, steps=steps, method="adam", average=average, **options)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
@pytest.mark.parametrize("parameters", PARAMETRIZATIONS)
def test_the_average_is_the_weighted_mean_of_what_was_evaluated(parameters, decay):
    objective = Quadratic()
    found = adam(objective, 12, decay, parametrization=parameters)
    *iterates, last = objective.seen
    weights = [decay ** (11 - i) for i in range(1, 12)]
    expected = sum(w * x for w, x in zip(weights, iterates, strict=True)) / sum(weights)
    torch.testing.assert_close(found.image, expected)
    assert torch.equal(last, found.image)  # whose loss is the last in the history
    assert found.history[-1]["total"] == objective.value_and_gradient(found.image).total


def test_without_an_average_the_best_is_returned():
    plain, none = Quadratic(), Quadratic()
    first = minimize(plain, START, steps=30, method="adam")
    second = adam(none, 30, average=0.0)
    assert torch.equal(first.image, second.image)
    assert all(torch.equal(a, b) for a, b in zip(plain.seen, none.seen, strict=True))


def test_an_average_has_less_noise_than_any_picture():
    class Noisy(Quadratic):
        """Its gradient has noise, as if pairs were drawn anew each time."""

        def value_and_gradient(self, image):
            found = super().value_and_gradient(image)
            generator = torch.Generator().manual_seed(len(self.seen))
            noise = torch.randn(image.shape, generator=generator).double()
            return Evaluation(found.total, found.terms, found.gradient + 3 * noise)

    found = adam(Noisy(), 400, 0.98, learning_rate=0.05, parametrization="pixel")
    assert found.history[-1]["total"] < 0.7 * min(row["total"] for row in found.history[:-1])


def test_a_picture_that_diverged_is_not_in_the_average():
    objective = Quadratic(bad=(5,))
    found = adam(objective, 9, 0.5)
    assert "event" in found.history[4]
    iterates = [x for i, x in enumerate(objective.seen[:-1], 1) if i != 5]
    weights = [0.5 ** (len(iterates) - i) for i in range(1, len(iterates) + 1)]
    expected = sum(w * x for w, x in zip(weights, iterates, strict=True)) / sum(weights)
    torch.testing.assert_close(found.image, expected)


def test_an_average_of_what_got_no_better_is_not_returned():
    class Uphill(Quadratic):
        def value_and_gradient(self, image):
            found = super().value_and_gradient(image)
            return Evaluation(found.total, found.terms, -found.gradient)

    found = adam(Uphill(), 20, parametrization="pixel")
    assert found.stopped == NOTHING_BETTER
    assert torch.equal(found.image, START)


def test_a_loop_that_is_stuck_ends_with_the_loss_of_its_average():
    found = adam(Stuck(falls=30), 1000)
    assert found.stopped == "no improvement"
    assert len(found.history) == 30 + 100 + 1


def test_an_average_that_is_not_finite_gives_way_to_the_best():
    found = adam(Quadratic(bad=(8,)), 8)
    assert found.history[-1]["event"].startswith("the average is not finite: the best picture")
    totals = [row["total"] for row in found.history[:-1]]
    assert Quadratic().value_and_gradient(found.image).total == pytest.approx(min(totals))


def test_a_callback_ends_with_the_average_so_far():
    objective = Quadratic()
    found = adam(objective, 50, 0.5, callback=lambda progress: progress.evaluation == 2)
    assert found.stopped == "callback"
    first, second = objective.seen
    torch.testing.assert_close(found.image, (first + 2 * second) / 3)


@pytest.mark.parametrize(
    ("decay", "message"),
    [
        (1, "average must be below 1, say 0.99 (0: the best picture instead); got 1"),
        (-0.1, "average must be finite and ≥ 0, got -0.1"),
    ],
)
def test_averages_that_are_none_are_refused(decay, message):
    for use in (lambda d: adam(Quadratic(), 3, d), lambda d: Settings(average=d)):
        with pytest.raises(ValueError, match="average") as raised:
            use(decay)
        assert str(raised.value) == message


# --- the losses of a result ----------------------------------------------------------------------


def rows(*totals, size=64):
    return [{"size": size, "total": total} for total in totals]


@pytest.mark.parametrize(
    ("history", "average", "expected"),
    [
        ([], 0.9, None),
        (rows(9.0, 1.0, 2.0), 0.0, 1.0),
        (rows(9.0, 1.0, 2.0), 0.9, 2.0),
        (rows(9.0, 1.0, math.nan), 0.9, 1.0),  # then the best was taken
        (rows(9.0, 10.0, 11.0), 0.9, 9.0),  # nothing better than the start: that was taken
        ([*rows(0.1, 0.2, size=32), *rows(9.0, 1.0, 2.0)], 0.9, 2.0),
        ([*rows(0.1, 0.2, size=32), *rows(9.0, 1.0, 2.0)], 0.0, 1.0),
    ],
)
def test_the_row_of_a_result_is_that_of_its_picture(history, average, expected):
    result = Result(START, history, {"average": average})
    assert result.row.get("total") == expected
