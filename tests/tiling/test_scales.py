"""Which scales, and how many evaluations at each."""

from itertools import pairwise

import pytest

from nst_tutorial.settings import Settings
from nst_tutorial.tiling.scales import schedule


@pytest.mark.parametrize(
    ("size", "steps", "expected"),
    [
        (256, 300, [(256, 300)]),
        (512, 300, [(256, 200), (512, 100)]),
        (1024, 70, [(256, 39), (512, 20), (1024, 11)]),
        (1024, 1, [(1024, 1)]),
        (1024, 2, [(512, 1), (1024, 1)]),
        (500, 0, [(500, 0)]),
        (385, 9, [(192, 6), (385, 3)]),
    ],
)
def test_schedule(size, steps, expected):
    assert schedule(size, steps) == expected
    assert schedule(size, steps, coarse_to_fine=False) == [(size, steps)]


@pytest.mark.parametrize(
    ("factor", "sizes"),
    [(2**0.5, [256, 362, 512]), (1.3, [233, 303, 394, 512]), (2.6, [197, 512]), (3, [512])],
)
def test_scales_at_another_ratio(factor, sizes):
    scales = schedule(512, 900, factor=factor)
    assert [size for size, _ in scales] == sizes
    assert sum(count for _, count in scales) == 900
    for (small, many), (large, few) in pairwise(scales):
        assert many / few == pytest.approx(large / small, rel=0.03)


@pytest.mark.parametrize("factor", [1.1, 1.15, 1.25, 2**0.5, 2, 3])
def test_every_scale_has_an_evaluation_and_none_more_than_a_coarser_one(factor):
    for size in (256, 500, 1024, 4096):
        for steps in range(1, 120):
            sizes, counts = zip(*schedule(size, steps, factor=factor), strict=True)
            assert sum(counts) == steps
            assert min(counts) >= 1
            assert list(counts) == sorted(counts, reverse=True)
            assert list(sizes) == sorted(sizes)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1, "scale_factor must be a number above 1, got 1"),
        (0.5, "scale_factor must be a number above 1, got 0.5"),
        (float("nan"), "scale_factor must be a number above 1, got nan"),
        (1.01, "scale_factor must be at least 1.1, or there are very many scales with hardly an "
         "evaluation each; got 1.01"),
    ],
)  # fmt: skip
def test_ratios_that_give_no_scales_are_refused(factor, message):
    for use in (lambda f: schedule(512, 90, factor=f), lambda f: Settings(scale_factor=f)):
        with pytest.raises(ValueError, match="scale_factor") as raised:
            use(factor)
        assert str(raised.value) == message


def test_narrow_pictures_are_not_made_too_small():
    assert schedule(512, 90, narrowest=24 / 600) == [(512, 90)]
    assert schedule(1024, 90, narrowest=0.04) == [(512, 60), (1024, 30)]


@pytest.mark.parametrize("size", [512, 700])
@pytest.mark.parametrize("factor", [2.0, 2.5])
def test_two_scales_are_as_far_apart_in_evaluations_as_in_size(size, factor):
    """Their finer one has enough by itself: nothing is moved there."""
    for steps in range(2, 400):
        fine = max(1, int(steps * factor**-1 / (1 + factor**-1)))
        counts = [count for _, count in schedule(size, steps, factor=factor)]
        assert counts == [steps - fine, fine]


@pytest.mark.parametrize("factor", [1.3, 2**0.5, 2, 4])
def test_the_finest_scale_has_enough_and_no_more_is_moved_there_than_that(factor):
    lowered = 0
    for size in (600, 1024, 2048, 4096):
        for steps in (70, 150, 200, 333, 1000):
            counts = [count for _, count in schedule(size, steps, factor=factor)]
            enough = min(30, 0.15 * steps)
            geometric = int(steps / sum(factor**i for i in range(len(counts))))
            if steps // len(counts) < enough:  # as many scales as that share less
                assert set(counts[1:]) == {steps // len(counts)}
            elif geometric < enough:
                assert enough <= counts[-1] < enough + 1
                lowered += 1
            else:
                assert counts[-1] == geometric
    assert lowered > 2


def test_a_number_for_each_scale():
    assert schedule(1024, [9, 3, 20]) == [(256, 9), (512, 3), (1024, 20)]
    assert schedule(1024, (7,), coarse_to_fine=False) == [(1024, 7)]
    assert schedule(1024, [5, 4], begin_at=300) == [(512, 5), (1024, 4)]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([9, 3], "steps must be one number, or one for each of 3 scales (256, 512, 1024 px), coarse"
         " to fine; got [9, 3]"),
        ([], "steps must be a number, or one for each scale; got []"),
        ([9, 0, 3], "a number in steps must be a whole number ≥ 1, got 0"),
        ([9, "x", 3], "a number in steps must be a whole number ≥ 1, got 'x'"),
        (-1, "steps must be a whole number ≥ 0, got -1"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_steps_are_refused(steps, message):
    with pytest.raises(ValueError, match="steps") as raised:
        schedule(1024, steps)
    assert str(raised.value) == message
    if steps != [9, 3]:
        with pytest.raises(ValueError, match="steps"):
            Settings(steps=steps)


@pytest.mark.parametrize("steps", [1, 5, 60, 200])
def test_a_run_that_begins_later_is_the_end_of_the_whole_one(steps):
    whole = schedule(2048, steps)
    for begin in (1, 256, 257, 900, 1024, 2048):
        assert schedule(2048, steps, begin_at=begin) == [s for s in whole if s[0] >= begin]


def test_a_run_cannot_begin_above_its_size():
    with pytest.raises(ValueError, match="begin_at") as raised:
        schedule(512, 90, begin_at=513)
    assert str(raised.value) == "begin_at must be at most the longer side, 512 px; got 513"
    with pytest.raises(ValueError, match="begin_at must be a whole number ≥ 1, got 0"):
        Settings(begin_at=0)
