"""What kind of file the commands write: 16 bits, dithered, transparent."""

import numpy as np
import pytest
import tifffile
import torch
from folders import names_in
from PIL import Image
from runs import QUICK
from tensors import disc

from nst_tutorial import cli, images
from nst_tutorial.images.reading import load_image, load_opacity, load_settings


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.app(list(map(str, arguments)))
    return ended.value.code, capsys.readouterr()


@pytest.fixture
def cut_out(tmp_path):
    """The temple in a soft disc, transparent around it."""
    temple = load_image("temple", 96)
    opacity = disc(*temple.shape[2:]).float()
    return images.save_image(temple, tmp_path / "cut_out.png", opacity=opacity)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_stylize_in_16_bits_with_its_settings(tmp_path, capsys, suffix):
    eight, sixteen = tmp_path / f"8.{suffix}", tmp_path / f"16.{suffix}"
    for path, bits in ((eight, 8), (sixteen, 16)):
        code, streams = command(
            capsys, "stylize", "cat", "tissue_stain", *QUICK, "--out", path, "--bits", bits
        )
        assert code == 0, streams.err
    coarse, fine = load_image(eight), load_image(sixteen)
    assert 0.1 / 255 < (coarse - fine).abs().max() <= 0.51 / 255
    recorded = [load_settings(path) for path in (eight, sixteen)]
    assert all(record.pop("seconds") >= 0 for record in recorded)
    assert recorded[0] == recorded[1]
    if suffix == "tif":
        assert tifffile.imread(sixteen).dtype == np.uint16
    like = tmp_path / "like.png"
    assert command(capsys, "stylize", "cat", "tissue_stain", *QUICK, "--like", sixteen, "--out",
                   like, "--bits", 16)[0] == 0  # fmt: skip
    assert torch.equal(load_image(like), fine)


def test_dithered_is_one_level_off_at_most(tmp_path, capsys):
    found = {}
    for name in ("plain", "dithered"):
        path = tmp_path / f"{name}.png"
        more = ["--dither"] if name == "dithered" else []
        assert (
            command(capsys, "stylize", "cat", "tissue_stain", *QUICK, "--out", path, *more)[0] == 0
        )
        found[name] = (255 * load_image(path)).round()
    difference = (found["dithered"] - found["plain"]).abs()
    assert difference.max() == 1
    assert 0.1 < difference.mean() < 0.4  # ¼: of values spread evenly between two levels


@pytest.mark.parametrize("bits", [8, 16])
def test_the_contents_transparency_is_kept(tmp_path, capsys, cut_out, bits):
    out = tmp_path / "out.png"
    code, streams = command(capsys, "stylize", cut_out, "tissue_stain", *QUICK, "--out", out,
                            "--keep-alpha", "--bits", bits)  # fmt: skip
    assert code == 0, streams.err
    assert (load_opacity(out) - load_opacity(cut_out, 64)).abs().max() <= 1.01 / 255
    with Image.open(out) as image:
        assert image.mode == "RGBA"
    cleaned = tmp_path / "cleaned.tif"
    assert command(capsys, "denoise", out, "--keep-alpha", "--bits", bits, "--out", cleaned)[0] == 0
    assert (load_opacity(cleaned) - load_opacity(out)).abs().max() <= 1.01 / 255


def test_without_the_option_all_is_opaque(tmp_path, capsys, cut_out):
    out = tmp_path / "out.png"
    assert command(capsys, "stylize", cut_out, "tissue_stain", *QUICK, "--out", out)[0] == 0
    assert load_opacity(out) is None


def test_an_opaque_picture_is_told_of(tmp_path, capsys):
    out = tmp_path / "out.png"
    code, streams = command(
        capsys, "stylize", "cat", "tissue_stain", *QUICK, "--out", out, "--keep-alpha"
    )
    assert code == 0
    assert "cat.jpg is opaque; --keep-alpha changes nothing" in streams.err.replace("\n", " ")
    assert load_opacity(out) is None


def test_a_texture_in_16_bits(tmp_path, capsys):
    out = tmp_path / "texture.tiff"
    code, streams = command(capsys, "texture", "tissue_stain", "--size", 64, "--style-size", 64,
                            "--steps", 2, "--bits", 16, "--out", out)  # fmt: skip
    assert code == 0, streams.err
    assert tifffile.imread(out).dtype == np.uint16
    assert load_settings(out)["style"] == "tissue_stain.jpg"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "a.jpg", "--bits", "16"], "a.jpg: JPEG has 8 bits a channel; for 16 the name"),
        (["--out", "a.webp", "--bits", "16"], "a.webp: WEBP has 8 bits a channel"),
        (["--bits", "10"], "bits must be 8 or 16, got 10"),
        (["--bits", "16", "--dither"], "dither is for 8 bits a channel; 16 need none"),
        (["--out", "a.jpg", "--keep-alpha"], "a.jpg: JPEG has no transparency"),
    ],
)
def test_refused_before_any_work(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst_tutorial.cli.pictures.with_progress", None)  # whoever calls it fails
    code, streams = command(capsys, "stylize", "cat", "tissue_stain", *QUICK, *arguments)
    assert code == 2
    assert message in streams.err
    assert streams.err.count("\n") == 1
    assert names_in(tmp_path) == []
