"""What comes from outside: settings inside pictures, checkpoints, names of files."""

import copy
import json
import random

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from runs import QUICK

from nst_tutorial import cli
from nst_tutorial.cli.sources import recorded_options
from nst_tutorial.images.reading import SETTINGS_KEY
from nst_tutorial.optimize.checkpoint import FORMAT
from nst_tutorial.presets import PRESETS
from nst_tutorial.storage.tensor_files import read_tensors, write_tensors
from nst_tutorial.transfer.style_transfer import stylize

ABSURD = [
    None, True, False, 0, 1, -1, 0.5, 1e308, -1e308, 1e-308, float("nan"), float("inf"), 10**20,
    10**400, 10**7, "", "x", "gram", "picture", "\x1b]0;title\x07", "[red]", [], {}, [[]], [1, "a"],
    {"name": {}}, {"name": "gaussian", "pairs": 10**12}, {"name": "gaussian", "bandwidth": []},
    {"name": "polynomial", "degree": 7, "offset": "a"}, {"sum": [[1]]}, {"sum": "gram"},
    {"sum": [[1, "gram"], [2, "bn"]]}, {"relu1_1": "gram"}, {"relu9_9": 1}, {"": 0},
]  # fmt: skip
SETTINGS = {
    **PRESETS["default"].as_dict(),
    "kernel": {"name": "polynomial", "degree": 2, "offset": 0.0},
    "denoise": {"method": "bilateral", "strength": 1.0},
    "seed": 0,
}


def mutated(value, dice):
    """A copy of nested dicts and lists in which one to three things are absurd or gone."""
    value = copy.deepcopy(value)
    for _ in range(dice.choice([1, 1, 1, 2])):
        place = value
        while True:
            key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not (isinstance(place[key], dict | list) and place[key] and dice.random() < 0.7):
                break
            place = place[key]
        if isinstance(place, dict) and dice.random() < 0.1 and len(place) > 1:
            del place[key]
        else:
            place[key] = copy.deepcopy(dice.choice(ABSURD))
    return value


def with_settings(path, settings):
    text = PngInfo()
    text.add_text(SETTINGS_KEY, settings if isinstance(settings, str) else json.dumps(settings))
    Image.new("RGB", (20, 20)).save(path, pnginfo=text)
    return path


def nested(depth):
    """A sum of one kernel in a sum of one kernel in …"""
    return '{"sum":[[1,' * depth + '"gram"' + "]]}" * depth


def test_settings_of_any_content_are_used_or_refused_in_one_line(tmp_path, tiny):
    pictures = torch.rand(2, 1, 3, 18, 18, generator=torch.Generator().manual_seed(0)).double()
    outcomes = {"used": 0, "refused": 0}
    for number in range(300):
        settings = mutated(SETTINGS, random.Random(number))
        path = with_settings(tmp_path / "a.png", settings)
        options, message = attempt(lambda: recorded_options(path)[0])  # noqa: B023
        if options is None:
            assert message.startswith(f"{path}: ")
            outcomes["refused"] += 1
            continue
        options["steps"] = min(options.get("steps", 2), 2)
        _, message = attempt(lambda: stylize(*pictures, model=tiny, **options))  # noqa: B023
        if message:  # right by itself, but not for these pictures
            assert any(word in message for word in ("style", "finite", "kernel")), message
        outcomes["used"] += 1
    assert outcomes["refused"] > 100
    assert outcomes["used"] > 30


def attempt(work):
    """What it returns, and the message if it refuses."""
    try:
        return work(), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"vgg_weights": {}}, "vgg_weights must be a name or a file, got {}"),
        ({"lbfgs_pairs": 10**7}, "lbfgs_pairs must be at most 1000, got 10000000"),
        ({"seed": "x"}, "seed must be a whole number ≥ 0, got 'x'"),
        ({"style_scale": 1e308}, "style_scale must be at most 1875, got 1e+308"),
        (
            {"denoise": {"method": "guided", "strength": 300}},
            "denoise must be at most 255, got 300",
        ),
        ({"steps": 10**400}, "steps must be a whole number ≥ 0, got 1000"),
        (
            {"color": "matsh"},
            "one of style, luminance, match, histogram; got 'matsh'; did you mean match?",
        ),
        ({"kernel": "gramm"}, "unknown kernel 'gramm'; there are distribution, gram, linear"),
    ],
)
def test_what_is_absurd_is_named(tmp_path, settings, words):
    path = with_settings(tmp_path / "a.png", {**SETTINGS, **settings})
    with pytest.raises(ValueError, match="its settings cannot be used") as error:
        recorded_options(path)
    assert words in str(error.value)


def test_settings_nested_without_end_are_refused(tmp_path):
    text = json.dumps({**SETTINGS, "kernel": "HERE"})
    for depth in (200, 100_000):
        path = with_settings(tmp_path / "a.png", text.replace('"HERE"', nested(depth)))
        with pytest.raises(ValueError, match="a.png: .*settings"):
            recorded_options(path)


def test_what_a_file_holds_cannot_steer_the_terminal(tmp_path, capsys):
    """A kernel's name that would name the window, and a file's that would clear the screen."""
    path = tmp_path / "\x1b[2J[bold]a\nb.png"
    with_settings(path, {**SETTINGS, "kernel": "\x1b]0;owned\x07\u202e"})
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "cat", "tissue_stain", *QUICK, "--like", str(path)])
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"nst: {tmp_path}/\\x1b[2J[bold]a\\nb.png: its settings cannot be ")
    assert r"'\x1b]0;owned\x07\u202e'" in message
    assert message.count("\n") == 1
    assert message[:-1].isprintable()


def test_a_huge_value_is_cut(tmp_path, capsys):
    path = with_settings(tmp_path / "a.png", {**SETTINGS, "kernel": "x" * 100_000})
    with pytest.raises(SystemExit):
        cli.app(["stylize", "cat", "tissue_stain", *QUICK, "--like", str(path)])
    assert 1500 < len(capsys.readouterr().err) < 2500


@pytest.fixture
def stopped(tiny, picture, tmp_path):
    """How to go on with a run that was stopped after 3 of 5 evaluations."""
    options = {"model": tiny, "steps": 5, "checkpoint": tmp_path / "c.nst", "balance": "gradient"}
    pictures = picture, picture.flip(3)
    stylize(*pictures, callback=lambda progress: progress.evaluation == 3, **options)
    return pictures, options


def test_checkpoints_of_any_content_go_on_or_are_refused_in_one_line(stopped):
    pictures, options = stopped
    path = options["checkpoint"]
    header, tensors = read_tensors(path, FORMAT, "checkpoint")
    header.pop("checksum")
    outcomes = {"went on": 0, "refused": 0}
    for number in range(200):
        dice = random.Random(number)
        part = dice.choice(["record", "state", "names", "identity"])
        changed = {**header, part: json.dumps(mutated(json.loads(header[part]), dice))}
        shapes = dict(tensors)
        if number % 10 == 0:
            name = dice.choice(list(shapes))
            shapes[name] = dice.choice(
                [torch.zeros(3), shapes[name].half(), shapes[name].flatten()[:0]]
            )
        write_tensors(path, shapes, changed)  # with a checksum that fits
        result, message = attempt(lambda: stylize(*pictures, **options))
        if result is None:
            assert message.startswith(f"{path}")
            assert "\n" not in message
        else:
            assert len(result.history) >= 5
        outcomes["went on" if result else "refused"] += 1
    assert outcomes["refused"] > 100
    assert outcomes["went on"] > 5
