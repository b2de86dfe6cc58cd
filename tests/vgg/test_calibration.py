"""The choice of convolutions by measurement: with a clock and a processor that are not real."""

import json
import multiprocessing
import re
import time
import warnings

import pytest
import torch
from runs import TINY

import nst_tutorial as nst
from nst_tutorial.vgg import calibration, measuring
from nst_tutorial.vgg.calibration import calibrate, fastest, file_of, recall
from nst_tutorial.vgg.measuring import BusyError, quickest
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.vgg.paths import candidates, written

CPU = torch.device("cpu")
LONG = 1e12
NAMES = ("direct", "winograd", "winograd-onednn", "direct-bfloat16", "winograd-bfloat16")
FAST = ("direct-bfloat16", "direct", "winograd", "winograd-bfloat16", "winograd-onednn")


class Machine:
    """A processor on which each path takes the seconds that the test says."""

    def __init__(self, monkeypatch, fast=FAST):
        self.now, self.works, self.fast = 0.0, [], fast
        monkeypatch.setattr(measuring, "clock", lambda: self.now)
        monkeypatch.setattr(measuring, "layer", self.layer)
        monkeypatch.setattr(calibration, "candidates", self.candidates)
        self.cosine = 0.995
        monkeypatch.setattr(calibration, "cosine_with_float32", lambda model, paths: self.cosine)

    def candidates(self, device, precision="auto"):
        reduced = [name for name in NAMES if "bfloat16" in name]
        exact = [name for name in NAMES if name not in reduced]
        return tuple({"auto": NAMES, "float32": exact, "bfloat16": reduced}[precision])

    def layer(self, name, channels, size, device):
        """The first one of each path is that by which the sizes are chosen."""
        block = len(self.works) // len(NAMES) - 1
        self.works.append((name, channels, size))

        def work():
            self.now += 0.01 if name == self.fast[max(0, block)] else 0.02

        return work


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    monkeypatch.delenv("NST_CONVOLUTIONS", raising=False)
    monkeypatch.setattr(calibration, "_known", {})
    monkeypatch.setattr(calibration, "_given_up", set())
    return tmp_path


@pytest.fixture
def machine(cache, monkeypatch):
    return Machine(monkeypatch)


@pytest.fixture
def network(cache):
    return VGG19("random", channels=TINY, device="cpu")


# --- the choice ------------------------------------------------------------------------------


def test_each_block_gets_its_fastest_path(machine, network):
    known = calibrate(network)
    assert known.paths == FAST
    chosen = fastest(network, LONG)
    assert chosen.paths == FAST
    assert chosen.conv1_1_weight is network.conv1_1_weight
    assert network.convolutions == "winograd"  # as it was
    measured = machine.works[len(NAMES) :]
    assert [work[0] for work in measured] == list(NAMES) * 5
    assert [work[1] for work in measured[::5]] == [64, 128, 256, 512, 512]


def test_measuring_is_bounded(machine, network):
    begin = machine.now
    calibrate(network)
    assert machine.now - begin < 2 * measuring.BUDGET


def test_paths_that_are_slow_here_are_measured_in_time(monkeypatch):
    """And the seconds in which threads are made are not the measuring's."""
    now, cost = [0.0], {"direct": 0.4e-9, "winograd": 0.2e-9, "winograd-onednn": 4e-9}

    def layer(name, channels, size, device):
        def work():
            now[0] += size[0] * size[1] * channels**2 * cost[name] + (5 if now[0] == 0 else 0)

        return work

    monkeypatch.setattr(measuring, "clock", lambda: now[0])
    monkeypatch.setattr(measuring, "layer", layer)
    seconds = measuring.measure(list(cost), CPU, limit=calibration.LIMIT)
    assert quickest(seconds, list(cost)) == ("winograd",) * 5


def test_reduced_precision_must_be_faster_by_what_one_notices():
    seconds = [{"winograd": 1.0, "direct-bfloat16": s} for s in (0.95, 0.91, 0.89)]
    assert quickest(seconds, NAMES) == ("winograd", "winograd", "direct-bfloat16")


@pytest.mark.parametrize("cosine", [0.98, float("nan")])
def test_reduced_precision_that_leads_astray_is_not_taken(machine, network, cosine):
    machine.cosine = cosine
    chosen = fastest(network, LONG)
    assert chosen.precision == "float32"
    assert chosen.paths[1:3] == ("direct", "winograd")


def test_each_network_is_probed_for_itself(machine, network, monkeypatch):
    """What the original weights bear says nothing of others."""
    cosines = {"random": 0.5, "other": 0.999}
    monkeypatch.setattr(
        calibration, "cosine_with_float32", lambda model, paths: cosines[model.weights]
    )
    other = VGG19("random", channels=TINY, device="cpu")
    other.weights = "other"
    assert fastest(network, LONG).precision == "float32"
    assert fastest(other, LONG).precision == "bfloat16"
    cosines["random"] = 0.999  # it was asked once
    assert fastest(network, LONG).precision == "float32"


def test_a_picture_that_continues_on_its_opposite_side_has_direct_paths(machine):
    model = VGG19("random", channels=TINY, device="cpu", padding="circular")
    chosen = fastest(model, LONG)
    assert chosen.paths[:2] == ("direct-bfloat16", "direct")
    assert set(chosen.paths) == {"direct-bfloat16", "direct"}


@pytest.mark.parametrize("name", candidates(CPU))
def test_measured_layers_do_not_depend_on_the_default_type(name):
    torch.set_default_dtype(torch.float64)
    try:
        (gradient,) = measuring.layer(name, 4, (8, 12), CPU)()
    finally:
        torch.set_default_dtype(torch.float32)
    assert gradient.shape == (1, 4, 8, 12)
    assert gradient.isfinite().all()


def test_a_precision_that_was_asked_for_is_kept_to(machine):
    for precision in ("float32", "bfloat16"):
        model = VGG19("random", channels=TINY, device="cpu", precision=precision)
        assert fastest(model, LONG).precision == precision


def test_chosen_paths_are_not_measured(machine, monkeypatch):
    model = VGG19("random", channels=TINY, device="cpu", convolutions="direct")
    assert fastest(model, LONG) is model
    monkeypatch.setenv("NST_CONVOLUTIONS", "direct")
    model = VGG19("random", channels=TINY, device="cpu")
    assert fastest(model, LONG) is model
    assert fastest(model.double(), LONG) is model
    assert not machine.works


def test_nothing_is_measured_for_a_short_run(machine, network):
    assert fastest(network, 1e6) is network
    assert not machine.works
    calibrate(network)
    assert fastest(network, 1e6).paths == FAST  # but what is known is used


def test_nothing_is_measured_where_there_is_no_choice(cache, network, monkeypatch):
    monkeypatch.setattr(calibration, "candidates", lambda device, precision="auto": ("direct",))
    assert fastest(network, LONG).convolutions == "direct"
    assert not list(cache.iterdir())


def test_a_busy_machine_is_told_of_and_remembered_for_nothing(machine, network, cache):
    ticks = iter(range(10**6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "clock", lambda: float(next(ticks)))
        with pytest.raises(BusyError):
            calibrate(network, limit=3)
        machine.works = []
        with pytest.warns(UserWarning, match=r"is the machine busy\?\); nst doctor --calibrate"):
            assert fastest(network, LONG) is network
        machine.works = []
        assert fastest(network, LONG) is network  # and it is not tried again
        assert not machine.works
    assert not list(cache.glob("*.json"))


# --- what is kept ----------------------------------------------------------------------------


def test_a_later_program_reads_what_an_earlier_one_measured(machine, network, monkeypatch):
    known = calibrate(network)
    monkeypatch.setattr(calibration, "_known", {})  # as in another process
    monkeypatch.setattr(calibration, "measure", None)
    assert recall(CPU) == known
    assert fastest(network, LONG).paths == FAST


def test_measured_anew_on_demand(machine, network):
    calibrate(network)
    machine.fast, machine.works = FAST[::-1], []
    assert calibrate(network).paths == FAST
    assert not machine.works
    assert calibrate(network, anew=True).paths == FAST[::-1]
    assert recall(CPU).paths == FAST[::-1]


def test_threads_processors_and_versions_have_files_of_their_own(cache, monkeypatch):
    names = {file_of(CPU)}
    torch.set_num_threads(torch.get_num_threads() + 1)
    names.add(file_of(CPU))
    monkeypatch.setattr(calibration, "describe_processor", lambda device: "an abacus")
    names.add(file_of(CPU))
    monkeypatch.setattr(torch, "__version__", "99.0")
    names.add(file_of(CPU))
    monkeypatch.setattr(calibration, "FORMAT", "nst_tutorial convolutions 99")
    names.add(file_of(CPU))
    assert len(names) == 5
    assert all(path.parent == cache for path in names)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: "\0\0\0",
        lambda text: text.replace("winograd-bfloat16", "winograd-quick"),
        lambda text: text.replace("0.01", "NaN"),
        lambda text: text.replace("0.01", "0"),
        lambda text: text.replace(calibration.FORMAT, "nst_tutorial convolutions 0"),
        lambda text: re.sub(r'"machine": "', '"machine": "another ', text),
        lambda text: json.dumps({**json.loads(text), "seconds": None}),
        lambda text: json.dumps({**json.loads(text), "seconds": [{}] * 5}),
    ],
)
def test_a_damaged_file_is_told_of_and_replaced(machine, network, monkeypatch, damage):
    calibrate(network)
    path = file_of(CPU)
    path.write_text(damage(path.read_text()))
    monkeypatch.setattr(calibration, "_known", {})
    machine.works = []
    with pytest.warns(UserWarning, match=re.escape(path.name) + " is damaged .*measuring anew"):
        assert fastest(network, LONG).paths == FAST
    assert machine.works
    monkeypatch.setattr(calibration, "_known", {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fastest(network, LONG).paths == FAST


def test_where_nothing_can_be_kept_each_program_measures(machine, network, tmp_path, monkeypatch):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("NST_CACHE", str(blocked))
    with pytest.warns(UserWarning, match=r"cannot be kept in .*a file.*; set NST_CACHE to"):
        assert fastest(network, LONG).paths == FAST
    machine.works = []
    assert fastest(network, LONG).paths == FAST  # this one knows it now
    assert not machine.works


def _calibrate_in_a_process(barrier, answers):
    model = VGG19("random", channels=TINY, device="cpu")
    torch.set_num_threads(1)
    count = 0

    def measure(names, device, limit):
        nonlocal count
        count += 1
        time.sleep(0.5)  # so that the other one comes meanwhile
        return tuple({name: 1.0 + (name == "direct") for name in names} for _ in range(5))

    calibration.measure = measure
    barrier.wait()
    answers.put((calibrate(model).paths, count))


def test_of_two_processes_one_measures(cache):
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(2), context.Queue()
    both = [
        context.Process(target=_calibrate_in_a_process, args=(barrier, answers)) for _ in range(2)
    ]
    for process in both:
        process.start()
    got = [answers.get(timeout=120) for _ in range(2)]
    for process in both:
        process.join()
    assert sorted(count for _, count in got) == [0, 1]
    assert got[0][0] == got[1][0] == ("winograd",) * 5


# --- really ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_this_machine_is_measured_and_led_to_no_other_picture(cache, temple, starry):
    """With the real network: the probe's gradient, and a whole run judged in float32."""
    model = VGG19(device="cpu")
    known = calibrate(model)
    assert known.cosine is None or known.cosine > 0.99
    assert all(set(times) == set(known.seconds[0]) for times in known.seconds)
    chosen, exact = (
        nst.stylize(temple, starry, steps=30, model=network)
        for network in (fastest(model, 0), model.with_paths("direct"))
    )
    assert chosen.settings["convolutions"] == written(known.paths)
    totals = [result.history[-1]["total"] for result in (chosen, exact)]
    assert abs(totals[0] - totals[1]) < 0.1 * totals[1]
