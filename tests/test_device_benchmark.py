"""The script for a GPU, on the CPU and with tiny pictures."""

import importlib.util
import math
from pathlib import Path
from subprocess import CalledProcessError
from types import SimpleNamespace

import pytest
import torch
from runs import TINY

from nst_tutorial.vgg.network import VGG19

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
THEIRS = """
class StyleTransfer:
    def __init__(self, devices):
        assert devices == ["cpu"]

    def stylize(self, content, styles, *, min_scale, end_scale, initial_iterations, callback):
        assert min_scale == end_scale == content.width == styles[0].height
        for i in range(initial_iterations):
            callback(i)
"""


def tiny_network(device, precision) -> VGG19:
    return VGG19("random", channels=TINY, device=device, precision=precision)


@pytest.fixture
def device(monkeypatch):
    """The script as a module, with a tiny network and two evaluations a row."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    spec = importlib.util.spec_from_file_location("benchmark_device", BENCHMARKS / "device.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SECONDS", 0.0)
    monkeypatch.setattr(module, "PRECISIONS", ("float32",))
    monkeypatch.setattr(module, "network", tiny_network)
    return module


@pytest.fixture
def folder(tmp_path):
    """A checkout of a style-transfer-pytorch that does nothing."""
    (tmp_path / "style_transfer").mkdir()
    (tmp_path / "style_transfer" / "style_transfer.py").write_text(THEIRS)
    return tmp_path


def rows(printed: str) -> list[list[str]]:
    lines = [line.strip("| ").split(" | ") for line in printed.splitlines() if line[:1] == "|"]
    return [cells for cells in lines if "---" not in cells[0]]


def test_both_tables_are_there_and_every_check_passes(device, capsys):
    assert device.main(["--device", "cpu", "--sizes", "64", "48", "--minutes", "5"]) == 0
    printed = capsys.readouterr().out
    first, *_ = printed.splitlines()
    assert f"cpu, torch {torch.__version__}" in first
    table = rows(printed)
    checks, (heading, *speeds) = table[1:6], table[6:]
    assert [(cells[1].split(",")[0], cells[-1]) for cells in checks] == [
        ("features", "passed"),
        ("gradient", "passed"),
        ("gradient in tiles of 64 px", "passed"),
        ("the same run twice", "passed"),
        ("resumed from its checkpoint", "passed"),
    ]
    assert heading == ["px", "precision", "tiles", "evaluations a second", "peak memory"]
    assert [(px, precision, tiles) for px, precision, tiles, *_ in speeds] == [
        ("64", "float32", "whole"),
        ("48", "float32", "whole"),
    ]
    assert all(float(cells[3]) > 0 for cells in speeds)


def test_a_wrong_network_fails(device, monkeypatch, capsys):
    """The weights of one layer are wrong: two checks fail, and the exit status says so."""
    exact = device.reference()
    monkeypatch.setattr(device, "reference", lambda: exact)

    def wrong(*arguments):
        model = tiny_network(*arguments)
        model.conv4_1_weight.neg_()
        return model

    monkeypatch.setattr(device, "network", wrong)
    assert device.main(["--device", "cpu", "--sizes", "64", "--minutes", "0"]) == 1
    failed = [cells[1] for cells in rows(capsys.readouterr().out) if cells[-1] == "**failed**"]
    assert [name.split(",")[0] for name in failed] == ["features", "gradient"]


def test_differences_are_failures(device):
    x = torch.rand(1, 3, 4, 4)
    bounds = device.Bounds(1e-3, 0.999)
    assert device.check_equal("", x, x.clone()).passed
    assert not device.check_equal("", x, x.nextafter(x + 1)).passed
    assert device.check_gradient("", 2 * x, x, bounds).passed  # its norm is shown
    assert not device.check_gradient("", x.flip(3), x, bounds).passed
    assert not device.check_gradient("", x * math.nan, x, bounds).passed
    for features, passed in ((1.0005 * x, True), (1.002 * x, False), (x * math.nan, False)):
        check = device.check_features({"a": x, "b": features}, {"a": x, "b": x}, bounds)
        assert check.passed == passed
        assert check.name == "features, b"


def test_when_the_time_is_over_it_says_what_is_left(device, folder, monkeypatch, capsys):
    monkeypatch.setattr(device, "print_checks", lambda models: True)
    arguments = ["--device", "cpu", "--sizes", "64", "96", "--minutes", "0"]
    assert device.main([*arguments, "--crowsonkb", str(folder)]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last == (
        "The time was over: not measured are 64 px, float32; 64 px, style-transfer-pytorch; "
        "96 px, float32; 96 px, style-transfer-pytorch."
    )


def test_a_precision_that_there_is_not_is_left_out(device, monkeypatch, capsys):
    monkeypatch.setattr(device, "PRECISIONS", ("float32", "float8"))
    monkeypatch.setattr(device, "print_checks", lambda models: list(models) == ["float32"])
    assert device.main(["--device", "cpu", "--minutes", "0"]) == 0
    assert "float8 is left out: precision must be one of" in capsys.readouterr().out


def test_the_other_program_is_timed_beside(device, folder):
    """In a process of its own, whose first two iterations do not count."""
    tiles, rate, memory = rows(device.theirs(48, folder, torch.device("cpu")))[0]
    assert (tiles, memory) == ("whole", "–")
    assert float(rate) > 0


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (CalledProcessError(1, "others.py", stderr="…\nImportError: no aiohttp\n"),
         "failed: ImportError: no aiohttp"),
        (None, "killed: not enough memory"),
    ],
)  # fmt: skip
def test_the_other_programs_failure_is_a_row(device, folder, monkeypatch, outcome, words):
    def fail(*arguments):
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(device, "in_a_fresh_process", fail)
    assert rows(device.theirs(48, folder, torch.device("cpu"))) == [["–", words]]


def test_a_folder_without_the_other_program_is_refused(device, tmp_path, capsys):
    with pytest.raises(SystemExit):
        device.main(["--crowsonkb", str(tmp_path)])
    assert f"{tmp_path}: not a checkout of style-transfer-pytorch" in capsys.readouterr().err


def test_a_device_that_there_is_not_is_refused(device, capsys):
    with pytest.raises(SystemExit):
        device.main(["--device", "abacus"])
    assert "device 'abacus' cannot be used here" in capsys.readouterr().err


# --- a GPU that is not there -----------------------------------------------------------------


@pytest.fixture
def card(monkeypatch):
    """A stand-in for CUDA: with `card.most`, passes over more pixels find no memory there."""
    card = SimpleNamespace(most=None, fractions=[])
    look = VGG19.look

    def limited(self, image, layers):
        if card.fractions and card.fractions[-1] < 1 and image[0, 0].numel() > card.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return look(self, image, layers)

    monkeypatch.setattr(VGG19, "look", limited)
    for name, function in {
        "memory_allocated": lambda device: 1000,
        "empty_cache": lambda: None,
        "get_device_properties": lambda device: SimpleNamespace(total_memory=10000),
        "set_per_process_memory_fraction": lambda limit, device: card.fractions.append(limit),
    }.items():
        monkeypatch.setattr(torch.cuda, name, function)
    return card


@pytest.mark.parametrize(
    ("most", "measured", "passed"),
    [
        (320**2 - 1, "cosine 1.00000, norm × 1.0000", True),
        (10**9, "one piece fits in a third", False),
        (100, "no tiles are small enough", False),
    ],
)
def test_too_little_memory_goes_on_in_tiles(device, card, monkeypatch, most, measured, passed):
    monkeypatch.setattr(device, "LARGE", 320)
    monkeypatch.setattr(device, "peak_of", lambda work, device: 4000.0)
    card.most = most
    model = tiny_network("cpu", "float32")
    check = device.check_too_little_memory(model, device.BOUNDS["float32"])
    assert (check.measured, check.passed) == (measured, passed)
    assert card.fractions == [0.2, 1.0]  # what is held and a third of the rest, then all again
