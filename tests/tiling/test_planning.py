import json
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import torch

from nst_tutorial.kernels.registry import get_kernel, kernels_of_layers
from nst_tutorial.optimize.grid import Coordinates
from nst_tutorial.presets import PRESETS, Settings
from nst_tutorial.setting_values import MOST_PAIRS
from nst_tutorial.tiling import memory_needs, planning
from nst_tutorial.tiling.planning import plan
from nst_tutorial.vgg.paths import PATHS

DEFAULT = PRESETS["default"]
GB = 1e9


def test_the_plan_takes_the_ratio_of_the_settings():
    made = plan(512, 512, settings=Settings(scale_factor=2**0.5), memory=100, device="cpu")
    assert [stage.height for stage in made.stages] == [256, 362, 512]


def test_the_plan_follows_numbers_for_each_scale():
    settings = Settings(steps=[12, 7, 5])
    made = plan(512, 1024, settings=settings, memory=100, device="cpu", seconds_per_megapixel=8)
    assert [(s.width, s.steps, s.pairs) for s in made.stages] == [
        (256, 12, 11), (512, 7, 6), (1024, 5, 4)
    ]  # fmt: skip
    pixels = (12 * 128 * 256 + 7 * 256 * 512 + 5 * 512 * 1024) / 1e6
    assert made.seconds == pytest.approx(8 * pixels)
    with pytest.raises(ValueError, match=r"each of 2 scales \(256, 512 px\)"):
        plan(512, 512, settings=settings)


def test_the_plan_begins_where_it_is_told_to():
    settings = Settings(steps=200)
    whole, last = (
        plan(512, 2048, settings=replace(settings, begin_at=begin), memory=100, device="cpu")
        for begin in (None, 1024)
    )
    assert last.stages == whole.stages[-2:]


def test_what_fits_is_done_in_one_piece():
    made = plan(512, 512, memory=100, device="cpu")
    assert [s.tile for s in made.stages] == [None, None]
    assert [s.pairs for s in made.stages] == [20, 20]
    assert made.fits
    assert made.memory == max(s.memory for s in made.stages)


@pytest.mark.parametrize("memory", [2.0, 2.5, 4.0, 8.0])
def test_what_does_not_fit_is_cut_into_tiles_that_do(memory):
    made = plan(2048, 3000, memory=memory, device="cpu")
    assert [s.height for s in made.stages] == [256, 512, 1024, 2048]
    assert made.stages[-1].tile is not None
    assert made.fits == (made.memory <= memory * GB)
    if memory >= 4:
        assert made.fits
    roomier = plan(2048, 3000, memory=2 * memory, device="cpu")
    assert (roomier.stages[-1].tile or 9999) >= made.stages[-1].tile
    assert roomier.stages[-1].pairs >= made.stages[-1].pairs


def test_pairs_are_given_up_before_tiles_get_narrow():
    """Small tiles have margins wider than themselves; so rather two pairs, and six if it may be."""
    pairs = set()
    for memory in torch.arange(1.6, 5.0, 0.05).tolist():
        last = plan(2048, 2048, memory=memory, device="cpu").stages[-1]
        if last.memory > memory * GB:
            continue
        pairs.add(min(last.pairs, 6))
        if last.tile < 384:
            wider = plan(2048, 2048, memory=memory, tile=384, device="cpu").stages[-1]
            assert wider.memory > memory * GB or wider.pairs < 2
        elif last.pairs < 6:
            assert last.pairs >= 2
            narrowest = plan(2048, 2048, memory=memory, tile=384, device="cpu").stages[-1]
            assert narrowest.pairs < 6
    assert pairs >= {2, 6}


def test_a_plan_that_cannot_fit_says_so():
    made = plan(4096, 4096, memory=1.2, device="cpu")
    assert not made.fits
    assert made.stages[-1].pairs == 1
    assert "more than the 1.2 GB that may be used" in str(made)


def test_the_tile_can_be_chosen():
    assert plan(600, 600, memory=9, tile=128, device="cpu").stages[-1].tile == 128
    assert plan(9000, 9000, memory=1.5, tile="whole", device="cpu").stages[-1].tile is None
    for bad in ("half", 3, 1.5):
        with pytest.raises(ValueError, match="tile must be"):
            plan(600, 600, tile=bad)
    for name, value in (("height", 0), ("memory", -1), ("memory", float("nan"))):
        with pytest.raises(ValueError, match=name):
            plan(**{"height": 64, "width": 64, name: value})


def test_time_is_that_of_the_pixels_seen():
    one = plan(512, 512, memory=99, device="cpu", seconds_per_megapixel=10)
    steps = [s.steps for s in one.stages]
    assert one.seconds == pytest.approx(10 * 1e-6 * (steps[0] * 256**2 + steps[1] * 512**2))
    tiled = plan(512, 512, memory=99, device="cpu", seconds_per_megapixel=10, tile=256)
    assert tiled.seconds > 1.3 * one.seconds
    assert plan(512, 512, device="cpu").seconds is None
    assert "about 90 s" not in str(one)
    assert "evaluations in one piece, 20 pairs" in str(one)


def test_durations():
    assert planning.duration(40.4) == "40 s"
    assert planning.duration(150) == "2.5 min"
    assert planning.duration(4 * 3600) == "4.0 h"


MEASURED = textwrap.dedent("""
    import json, sys
    from dataclasses import replace
    from pathlib import Path
    import nst_tutorial as nst
    from nst_tutorial.presets import PRESETS

    size, tile = int(sys.argv[1]), sys.argv[2]
    tile = int(tile) if tile.isdigit() else tile
    content = nst.resize(nst.load_image("astronaut"), (size, size))
    style = nst.resize(nst.load_image("starry_night"), (size, size))
    settings = replace(PRESETS["default"], steps=3, coarse_to_fine=False)
    planned = nst.plan(size, size, settings=settings, tile=tile, device="cpu", memory=99).memory
    nst.stylize(content, style, steps=3, coarse_to_fine=False, tile=tile, device="cpu")
    status = Path("/proc/self/status").read_text()
    print(json.dumps([planned, 1024 * int(status.split("VmHWM:")[1].split()[0])]))
""")


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.slow
@pytest.mark.parametrize(("size", "tile"), [(320, "whole"), (640, "whole"), (704, "256")])
def test_the_estimate_is_within_a_quarter_of_what_was_needed(size, tile):
    """The default preset and the real network, in a fresh process each."""
    command = [sys.executable, "-c", MEASURED, str(size), tile]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    planned, needed = json.loads(found.stdout.splitlines()[-1])
    assert planned == pytest.approx(needed, rel=0.25)


@pytest.mark.parametrize("size", [(64, 64), (300, 451), (1024, 1024), (2048, 1365)])
@pytest.mark.parametrize("history", [1, 2, 6, 20, 100, 137])
def test_as_many_pairs_as_fit(size, history):
    """The same as counting down by one until the memory suffices."""
    counts = set()
    for memory in (0.5, 1.05, 1.4, 2.0, 2.6, 3.3, 4.1, 5.7, 9.0, 40.0):
        for steps in (1, 2, 5, 90, 300):
            settings = replace(DEFAULT, lbfgs_pairs=history, steps=steps, coarse_to_fine=False)
            (stage,) = plan(*size, settings=settings, memory=memory, device="cpu").stages
            pairs = max(1, min(history, steps - 1))
            more = planning.PER_PAIR * stage.height * stage.width
            without = stage.memory - more * stage.pairs
            while pairs > 1 and without + more * pairs > memory * GB:
                pairs -= 1
            counts.add(pairs)
            assert stage.pairs == pairs
    assert len(counts) > 2 or history < 20


def test_no_more_pairs_than_the_steps_can_use_and_the_memory_holds():
    def pairs(steps):
        settings = replace(DEFAULT, coarse_to_fine=False, lbfgs_pairs=MOST_PAIRS, steps=steps)
        stage = plan(512, 512, settings=settings, memory=3.0, device="cpu").stages[-1]
        assert stage.memory <= 3.0 * GB
        return stage.pairs

    kernels = kernels_of_layers(DEFAULT.kernel, DEFAULT.style_layers)
    need = memory_needs.memory_of_evaluation(
        (512, 512), None, [], torch.device("cpu"), kernels=kernels
    )
    room = 3.0e9 - need
    assert pairs(steps=30) == 29
    assert pairs(steps=10**9) == int((room / 512**2 - 150) // 24) < MOST_PAIRS


def test_adam_keeps_no_pairs():
    settings = replace(DEFAULT, method="adam")
    assert {s.pairs for s in plan(512, 512, settings=settings, memory=9).stages} == {0}


def test_tiles_for_a_statistic_that_reaches_farther_have_a_wider_margin():
    """10 positions of relu5_1 are 160 pixels more than the 70 that the network sees."""
    cut = {"memory": 99, "tile": 512, "device": "cpu"}
    settings = replace(DEFAULT, kernel={"name": "autocorrelation", "reach": 10})
    near, far = (plan(1024, 1024, settings=s, **cut).stages[-1] for s in (DEFAULT, settings))
    assert far.work / near.work == pytest.approx((512 + 240) ** 2 / (512 + 80) ** 2)
    assert far.memory > near.memory


@pytest.mark.parametrize(
    ("kernel", "numbers"),
    [
        ("sliced_wasserstein", 64 * 65 + 16 * 129),
        ({"name": "sliced_wasserstein", "directions": 7}, 64 * 8 + 16 * 8),
        ("nearest_neighbours", 64 * 65 + 16 * 129),
        ({"name": "gaussian", "pairs": 5}, 2 * 5 * 64 + 2 * 5 * 128),
        ({"sum": [[1, "gram"], [1, "nearest_neighbours"]]}, 64 * 65 + 16 * 129),
        ("gaussian", 0),
    ],
    ids=str,
)
def test_what_a_statistic_keeps_is_what_is_planned(kernel, numbers):
    """Of 8×8 pixels, at two layers: counted in the statistics themselves, and in the plan."""
    kernels = dict.fromkeys(("relu1_1", "relu2_1"), get_kernel(kernel))
    assert memory_needs.numbers_kept((8, 8), kernels) == numbers
    kept = 0
    for channels, side in ((64, 8), (128, 4)):
        statistic = kernels["relu1_1"].statistic(torch.rand(1, channels, side, side))
        parts = statistic if isinstance(statistic, tuple) else (statistic,)
        kept += sum(
            part.numel() for part in parts if part.dim() > 2 and part.numel() != channels**2
        )
    if numbers:
        assert kept == numbers
    settings = replace(DEFAULT, kernel=kernel)
    one_or_several = "distribution" if isinstance(kernel, dict) and "sum" in kernel else "gram"
    additive = replace(DEFAULT, kernel=one_or_several)
    more, less = (plan(512, 512, settings=s, memory=99).memory for s in (settings, additive))
    more -= less
    whole = memory_needs.numbers_kept(
        (512, 512), dict.fromkeys(settings.style_layers, get_kernel(kernel))
    )
    assert more == pytest.approx(28 * whole)


def test_tileable_pictures_are_cut_only_where_that_is_possible():
    for side, cut in ((2048, True), (2050, False)):
        made = plan(side, side, memory=2.2, device="cpu", circular=True)
        assert (made.stages[-1].tile is not None) == cut


def test_tiles_of_a_tileable_picture_have_their_margin_on_every_side():
    cut = {"memory": 99, "tile": 512, "device": "cpu"}
    flat, round_about = (plan(1024, 1024, circular=c, **cut).stages[-1] for c in (False, True))
    assert round_about.work / flat.work == pytest.approx((512 + 160) ** 2 / (512 + 80) ** 2)
    assert round_about.memory > flat.memory


def test_each_path_of_the_convolutions_needs_its_own_memory(monkeypatch):
    """In reduced precision a larger picture fits; what the machine would take is planned with."""

    def needs(name):
        return memory_needs.memory_of_evaluation(
            (1024, 1024), None, ["relu4_2"], torch.device("cpu"), paths=(name,) * 5
        )

    assert needs("winograd-bfloat16") < needs("direct-bfloat16") < needs("direct")
    mixed = ("direct-bfloat16", "direct-bfloat16", *("winograd-bfloat16",) * 3)
    between = memory_needs.memory_of_evaluation(
        (1024, 1024), None, ["relu4_2"], torch.device("cpu"), paths=mixed
    )
    assert needs("winograd-bfloat16") < between < needs("direct")
    for name in ("winograd-bfloat16", "direct"):
        monkeypatch.setenv("NST_CONVOLUTIONS", name)
        planned = planning.plan(1024, 1024, memory=50, device="cpu")
        assert planned == planning.plan(1024, 1024, memory=50, device="cpu", paths=(name,) * 5)
    assert set(memory_needs.PER_SEEN_PIXEL) == set(PATHS)


def test_the_factor_of_a_grids_coordinates_is_counted():
    settings = replace(Settings(), parametrization="grid", method="adam", grid_depth=6)
    one, many = (
        plan(64, 64, device="cpu", settings=replace(settings, grid_size=size)).memory
        for size in (1, 12)
    )
    content = torch.rand(1, 3, 64, 64)
    band, single = (
        Coordinates(content, content[:, :1], (6, size, size), 1.0).factor.nbytes for size in (12, 1)
    )
    assert many - one == pytest.approx(band - single)


def test_what_lbfgs_remembers_of_a_grid_takes_hardly_any_memory():
    """Its pairs are of the grid's size, not of the picture's: all of them fit."""
    little = plan(
        4096, 4096, device="cpu", settings=replace(Settings(), parametrization="grid"), memory=6
    )
    pixels = plan(4096, 4096, device="cpu", memory=6)
    assert little.stages[-1].pairs == min(20, little.stages[-1].steps - 1)
    assert pixels.stages[-1].pairs < little.stages[-1].pairs
    assert little.stages[-1].tile > pixels.stages[-1].tile


def test_a_sum_of_statistics_is_planned_with_more_memory():
    """0.2 GB and 200 bytes a pixel more than one of them alone, whatever it is summed of."""
    alone, several = (
        plan(512, 512, settings=replace(DEFAULT, kernel=kernel), memory=99, device="cpu").memory
        for kernel in ("gram", "distribution")
    )
    assert several - alone == pytest.approx(0.2e9 + 200 * 512**2)
