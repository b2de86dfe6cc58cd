"""`nst train-painter`, `train-decoder`, `paint`, `export`, and `apply` of a painter."""

import numpy as np
import pytest
from folders import names_in
from invoking import invoke as run
from PIL import Image
from runs import TINY

from nst_tutorial import load_image, load_settings
from nst_tutorial.learning import loop
from nst_tutorial.one_pass import files
from nst_tutorial.one_pass.decoder import Decoder
from nst_tutorial.one_pass.files import load_decoder, save_decoder
from nst_tutorial.texture_networks.files import load_painter, save_painter
from nst_tutorial.texture_networks.painter import Painter
from nst_tutorial.vgg.network import VGG19


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with photographs and styles, and a network of few channels everywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    numbers = np.random.default_rng(0)
    for kind in ("photos", "styles"):
        (tmp_path / kind).mkdir()
        for i in range(3):
            coarse = numbers.uniform(0, 255, (5, 6, 3)).astype(np.uint8)
            Image.fromarray(coarse).resize((72, 60)).save(tmp_path / kind / f"{kind[0]}{i}.png")
    few = VGG19("random", channels=TINY, device="cpu")
    for name in ("transfer.builder", "one_pass.training", "one_pass.painting", "vgg.network"):
        monkeypatch.setattr(f"nst_tutorial.{name}.load_vgg19", lambda *a, **k: few)
    return tmp_path


SHORT = ["--size", "32", "--steps", "2", "--batch", "1", "--device", "cpu"]
PAINTER = ["train-painter", "styles/s0.png", "--photos", "photos", "--width", "4", "--blocks", "1",
           "--style-size", "48", *SHORT]  # fmt: skip


def test_train_a_painter_and_apply_it(here, capsys):
    (here / "photos" / "broken.png").write_text("x")
    code, out, err = run(capsys, *PAINTER, "--kernel", "bn", "--steps", "30")
    assert code == 0, err
    assert "30 steps" in out
    assert "temple at 384 px: style distance" in out
    assert "skipped: photos/broken.png: cannot be read as a picture" in err
    assert names_in(here / "results") == ["s0_painter.safetensors"]  # no state is left
    painter = load_painter("results/s0_painter.safetensors", "cpu")
    assert painter.settings["style"] == "s0.png"
    assert painter.settings["kernel"] == "bn"
    assert painter.settings["measured"]["content"] == "temple"
    code, _, err = run(capsys, "apply", "results/s0_painter.safetensors", "photos/p0.png",
                       "--size", "40", "--device", "cpu")  # fmt: skip
    assert code == 0, err
    image = load_image("results/p0_s0_painter.png")
    assert (image - painter.repaint(load_image("photos/p0.png", 40))).abs().max() <= 0.51 / 255
    code, _, err = run(capsys, "apply", "results/s0_painter.safetensors")
    assert code == 2
    assert "repaints pictures: name one, or a folder of them" in err


def test_a_killed_training_goes_on_with_the_same_command(here, capsys, monkeypatch):
    note, noted = loop.note, []

    def dies(*parts):
        note(*parts)
        noted.append(len(parts[-1]))
        if len(noted) == 1:
            raise MemoryError("out of memory")

    monkeypatch.setattr(loop, "note", dies)
    command = [*PAINTER, "--steps", "52", "--out", "a.safetensors"]
    assert run(capsys, *command)[0] == 2
    assert {"a.training"} <= set(names_in(here))
    assert "a.safetensors" not in names_in(here)
    code, out, err = run(capsys, *command)
    assert code == 0, err
    assert "going on from a.training" in err
    assert "52 steps" in out
    assert noted == [50, 52]
    assert "a.training" not in names_in(here)


def test_an_interrupted_training_keeps_its_network_and_its_state(here, capsys, monkeypatch):
    move = loop._move

    def interrupted(*parts):
        if len(parts[-1]) == 51:
            monkeypatch.setattr(loop, "_move", move)
            raise KeyboardInterrupt
        return move(*parts)

    monkeypatch.setattr(loop, "_move", interrupted)
    command = [*PAINTER, "--steps", "52"]
    code, _, err = run(capsys, *command)
    assert code == 130
    assert "this is the network as far as it got; the same command goes on from" in err
    both = ["s0_painter.safetensors", "s0_painter.training"]
    assert names_in(here / "results") == both
    assert load_painter(f"results/{both[0]}", "cpu").settings["steps"] == 51
    code, _, err = run(capsys, *command)  # the same command, the same file
    assert code == 0, err
    assert names_in(here / "results") == both[:1]
    assert load_painter(f"results/{both[0]}", "cpu").settings["steps"] == 52
    code, _, err = run(capsys, *command[:-2], "--steps", "1")
    assert names_in(here / "results") == ["s0_painter-2.safetensors", both[0]]


def test_train_a_decoder(here, capsys, monkeypatch):
    monkeypatch.setattr("nst_tutorial.one_pass.decoder.CHANNELS", TINY)
    Image.new("RGB", (20, 90)).save(here / "styles" / "narrow.png")
    command = ["train-decoder", "--photos", "photos", "--styles", "styles", *SHORT]
    code, out, err = run(capsys, *command, "--layer", "relu2_1", "--steps", "12")
    assert code == 0, err
    assert "12 steps" in out
    assert "skipped: styles/narrow.png: 20×90 pixels are too few for cut-outs of 32" in err
    assert names_in(here / "results") == ["decoder.safetensors"]
    decoder = load_decoder("results/decoder.safetensors", "cpu")
    assert decoder.design["layer"] == "relu2_1"
    assert (decoder.settings["photographs"], decoder.settings["styles"]) == (3, 3)


def test_a_decoder_for_another_network(here, capsys):
    command = ["train-decoder", "--photos", "photos", "--styles", "styles", *SHORT]
    code, _, err = run(capsys, *command)
    assert code == 2
    assert "the decoder takes 64 channels of relu1_1, and the network has 4" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--minutes", "0"], "minutes must be a number above 0, got 0.0"),
        (["--photos", "nowhere"], "nowhere: no such folder of pictures"),
        (["--photos", "empty"], "empty: no pictures in it"),
        (["--out", "a.pt"], "a.pt: the name of a network must end in .safetensors"),
        (["--kernel", "grem"], "unknown kernel 'grem'"),
        (["--degree", "2"], "--degree belongs to a kernel; name it with --kernel"),
        (["--size", "64"], "none of its 3 pictures can be used; the first: photos/p"),
        (["--out", "there.safetensors"], "there.safetensors: exists already"),
    ],
)
def test_painters_that_cannot_be_trained(here, capsys, arguments, message):
    (here / "empty").mkdir()
    (here / "there.safetensors").write_bytes(b"somebody's")
    code, _, err = run(capsys, *PAINTER, *arguments)
    assert code == 2
    assert message in err
    assert (here / "there.safetensors").read_bytes() == b"somebody's"


@pytest.fixture
def decoder(here):
    network = Decoder(layer="relu3_1", channels=TINY[:3], width=16)
    save_decoder(network, here / "d.safetensors")
    return "d.safetensors"


def test_paint(here, capsys, decoder):
    code, out, err = run(capsys, "paint", "photos/p0.png", "styles/s0.png", "--size", "48",
                         "--decoder", decoder, "--device", "cpu", "--method", "wct",
                         "--strength", "0.5")  # fmt: skip
    assert code == 0, err
    assert "s; the picture is results/p0_s0.png" in out
    assert load_image("results/p0_s0.png").shape == (1, 3, 40, 48)
    settings = load_settings("results/p0_s0.png")
    assert settings["style"] == ["s0.png"]
    assert (settings["method"], settings["strength"]) == ("wct", 0.5)


def test_paint_with_several_styles_and_masks(here, capsys, decoder):
    Image.fromarray(np.repeat([[0, 255]], 30, 1).repeat(60, 0).astype(np.uint8)).save("m.png")
    code, _, err = run(capsys, "paint", "photos/p0.png", "styles/s0.png", "--also", "styles/s1.png",
                       "--content-mask", "m.png", "--content-mask", "-", "--mix", "2,1",
                       "--decoder", decoder, "--size", "60", "--out", "x.png",
                       "--device", "cpu")  # fmt: skip
    assert code == 0, err
    assert load_settings("x.png")["style_mix"] == [2, 1]


def test_paint_a_folder(here, capsys, decoder):
    (here / "photos" / "bad.png").write_text("x")
    code, _, err = run(capsys, "paint", "photos", "styles/s0.png", "--size", "48", "--decoder",
                       decoder, "--out", "painted", "--device", "cpu")  # fmt: skip
    assert code == 1
    assert "1 of 4 pictures could not be repainted" in err
    assert names_in(here / "painted") == ["p0_s0.png", "p1_s0.png", "p2_s0.png"]


def test_without_a_decoder(here, capsys, monkeypatch):
    monkeypatch.setattr(files, "BUNDLED", here / "decoders" / "decoder.safetensors")
    command = "nst train-decoder --photos FOLDER --styles FOLDER trains one"
    for arguments in (
        ("paint", "photos/p0.png", "styles/s0.png"),
        ("export", "decoder"),
        ("stylize", "photos/p0.png", "styles/s0.png", "--start", "one-pass", "--steps", "2"),
    ):
        code, _, err = run(capsys, *arguments)
        assert code == 2
        assert f"there is no decoder; {command}" in err
    assert "results" not in names_in(here) or not names_in(here / "results")


def test_an_optimisation_starts_from_it(here, capsys, monkeypatch, decoder):
    monkeypatch.setattr(files, "BUNDLED", here / decoder)
    pair = ["photos/p0.png", "styles/s0.png"]
    code, _, err = run(capsys, "stylize", *pair, "--start", "one-pass", "--steps", "0",
                       "--size", "48", "--out", "x.png", "--device", "cpu")  # fmt: skip
    assert code == 0, err
    from nst_tutorial.one_pass.painting import paint

    content, style = load_image("photos/p0.png", 48), load_image("styles/s0.png", 48)
    painted = paint(content, style, decoder=load_decoder(decoder, "cpu"))
    assert (load_image("x.png") - painted).abs().max() < 0.02
    assert load_settings("x.png")["start"] == "one-pass"


def test_export_of_what_cannot_be(here, capsys):
    save_painter(Painter(width=4, blocks=0), here / "p.safetensors")
    for arguments, message in (
        (
            ["p.safetensors", "--features"],
            "p.safetensors is no decoder, so --features",
        ),
        (["p.safetensors", "--out", "p.txt"], "p.txt: the name of an ONNX file must end in .onnx"),
        (["nothing"], "nothing: no such file; by name there are the networks"),
    ):
        code, _, err = run(capsys, "export", *arguments)
        assert code == 2
        assert message in err


@pytest.mark.slow
def test_export(here, capsys):
    pytest.importorskip("onnxscript")
    save_painter(Painter(width=4, blocks=0), here / "p.safetensors")
    code, out, err = run(capsys, "export", "p.safetensors", "--out", "p.onnx")
    assert code == 0, err
    assert "as PyTorch to" in out
    assert "from content. The network is p.onnx" in out
    code, _, err = run(capsys, "export", "p.safetensors", "--out", "p.onnx")
    assert code == 2
    assert "p.onnx: exists already" in err
