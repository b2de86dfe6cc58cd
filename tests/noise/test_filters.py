import math
import re

import pytest
import torch
from runs import COMMAND, QUICK, quick
from tensors import white

from nst_tutorial import cli, images
from nst_tutorial.images.reading import load_image, load_settings
from nst_tutorial.noise.filters import FILTERS, NEED_GUIDE, denoise, find_strength
from nst_tutorial.noise.level import flat_regions, noise_level
from nst_tutorial.noise.strength import level_of, visible_grain
from nst_tutorial.presets import DENOISERS, options_from
from nst_tutorial.transfer.style_transfer import stylize


def psnr(a, b):
    return -10 * math.log10(max((a.double() - b.double()).square().mean(), 1e-12))


@pytest.fixture(scope="module")
def clean():
    return load_image("temple", 192)


@pytest.fixture(scope="module")
def noisy(clean):
    return (clean + 5 / 255 * white(*clean.shape, seed=4).float()).clamp(0, 1)


def test_the_names_are_those_of_the_methods():
    assert tuple(FILTERS) == DENOISERS
    assert set(NEED_GUIDE) < set(DENOISERS)


# --- what each does --------------------------------------------------------------------------


@pytest.mark.parametrize("method", FILTERS)
def test_a_clean_picture_stays(method, clean):
    """It has the photograph's own grain already."""
    assert torch.equal(denoise(clean, method, clean), clean)
    assert torch.equal(denoise(clean, method, clean, where="everywhere"), clean)


@pytest.mark.parametrize("method", FILTERS)
def test_known_noise_falls(method, clean, noisy):
    """Noise of 5 grey levels; the content as the guide, as after a style transfer."""
    flat = flat_regions(clean)
    found = denoise(noisy, method, clean)
    assert noise_level(noisy, flat) > 4.5
    assert visible_grain(found, flat) <= visible_grain(noisy, flat) / 3
    assert psnr(found, clean) > psnr(noisy, clean)
    everywhere = denoise(noisy, method, clean, where="everywhere")
    assert torch.equal(everywhere[flat.expand_as(clean)], found[flat.expand_as(clean)])


@pytest.mark.parametrize("method", FILTERS)
def test_more_strength_less_noise(method, clean, noisy):
    levels = [level_of(denoise(noisy, method, clean, s), clean) for s in (0.0, 1.0, 3.0)]
    assert levels[0] > levels[1] > levels[2]
    assert torch.equal(denoise(noisy, method, clean, 0.0), noisy)


def test_texture_outside_the_flat_regions_is_not_touched(clean, noisy):
    busy = ~flat_regions(clean, 0.38)
    found = denoise(noisy, "bilateral", clean)
    assert torch.equal(found[busy.expand_as(found)], noisy[busy.expand_as(found)])


def test_a_number_is_a_number(clean, noisy):
    painting = 0.5 + 9 / 255 * white(1, 3, 200, 150, seed=6).float()
    strong = denoise(noisy, "bilateral", clean, 4.0, style=painting)
    assert torch.equal(strong, denoise(noisy, "bilateral", clean, 4.0))


@pytest.mark.parametrize("method", FILTERS)
def test_auto_is_the_strength_that_can_be_asked_for(method, clean, noisy):
    strength = find_strength(noisy, method, clean)
    assert torch.equal(denoise(noisy, method, clean), denoise(noisy, method, clean, strength))
    assert find_strength(noisy, method, clean, 2) == 2.0


@pytest.mark.parametrize("method", ["bilateral", "total-variation", "non-local-means"])
def test_without_a_guide_it_works_everywhere(method, clean, noisy):
    flat = flat_regions(noisy)
    assert visible_grain(denoise(noisy, method), flat) <= visible_grain(noisy, flat) / 3
    assert noise_level(denoise(noisy, method)) < 3 / 4 * noise_level(noisy)  # texture counts too
    assert psnr(denoise(noisy, method, strength=1.5), clean) > psnr(noisy, clean)


@pytest.mark.parametrize("method", FILTERS)
def test_dtype_range_and_the_picture_given(method, clean):
    image = (clean.double() * 1.2 - 0.1)[..., :40, :56]
    before = image.clone()
    found = denoise(image, method, clean[..., :40, :56], 20.0, "everywhere")
    assert found.dtype == torch.float64
    assert found.shape == image.shape
    assert 0 <= found.min() <= found.max() <= 1
    assert torch.equal(image, before)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("method", FILTERS)
def test_half_precision(method, dtype, clean, noisy):
    image, guide = noisy.to(dtype), clean.to(dtype)
    for strength in ("auto", 5.0, 0.0):
        found = denoise(image, method, guide, strength, style=guide)
        assert found.dtype == dtype
        expected = denoise(image.float(), method, guide.float(), strength, style=guide.float())
        assert torch.equal(found, expected.to(dtype))


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("method", FILTERS)
def test_blank_pictures(method, value):
    blank = torch.full((1, 3, 20, 24), value)
    for strength in ("auto", 2.0):
        found = denoise(blank, method, blank, strength)
        assert torch.allclose(found, blank, atol=1e-5)


@pytest.mark.parametrize("method", FILTERS)
def test_a_strength_that_rounding_swallows_changes_nothing(method, clean):
    """Its square would be 0, which methods divide by."""
    for strength in (1e-308, 1e-30, 1e-4):
        assert torch.equal(denoise(clean, method, clean, strength), clean)


@pytest.mark.parametrize("method", FILTERS)
def test_the_smallest_picture(method):
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.isfinite(denoise(image, method, image)).all()


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "median"}, "method must be one of bilateral, .*; got 'median'"),
        ({"method": None}, "method must be one of"),
        ({"strength": -0.1}, "strength must be finite and ≥ 0, got -0.1"),
        ({"strength": math.nan}, "strength must be finite and ≥ 0, got nan"),
        ({"strength": "much"}, "a strength that is no number must be one of auto; got 'much'"),
        ({"guide": torch.rand(1, 3, 20, 30)}, "guide must have the size .*: 30×20 is not 32×24"),
        ({"guide": torch.full((1, 3, 24, 32), math.nan)}, "guide has values that are not finite"),
        ({"method": "guided"}, "method guided needs a guide"),
        ({"method": "poisson"}, "method poisson needs a guide"),
        ({"where": "flat"}, "where='flat' needs a guide"),
        ({"where": "sky"}, "where must be one of flat, everywhere; got 'sky'"),
        ({"strength": 256}, "strength must be at most 255, got 256"),
        ({"style": torch.full((1, 3, 24, 32), math.nan)}, "style has values that are not finite"),
        ({"image": torch.rand(3, 24, 32)}, "image must be a picture .1, 3, H, W."),
        ({"image": torch.full((1, 3, 24, 32), math.inf)}, "image has values that are not finite"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        denoise(**{"image": torch.rand(1, 3, 24, 32), **options})


# --- in stylize ------------------------------------------------------------------------------


def test_stylize_cleans_its_result_at_the_end(pair, tiny):
    raw = quick(pair, tiny)
    both = quick(pair, tiny, denoise={"method": "bilateral", "strength": 3.0})
    assert raw.settings["denoise"] is None
    assert torch.equal(both.image, denoise(raw.image, "bilateral", pair[0], 3.0))
    assert not torch.equal(both.image, raw.image)
    assert [r["total"] for r in both.history] == [r["total"] for r in raw.history]
    assert both.settings["denoise"] == {"method": "bilateral", "strength": 3.0}
    again = quick(pair, tiny, **options_from(both.settings))
    assert torch.equal(again.image, both.image)
    style = images.resize(pair[1], 40)  # as large as the content
    found = quick(pair, tiny, denoise="poisson").image
    assert torch.equal(found, denoise(raw.image, "poisson", pair[0], style=style))


def test_a_checkpoint_knows_of_it(pair, tiny, tmp_path):
    options = {"checkpoint": tmp_path / "run", "denoise": "bilateral"}
    whole = quick(pair, tiny, denoise="bilateral")
    quick(pair, tiny, callback=lambda p: p.evaluation == 6, checkpoint_every=2, **options)
    assert torch.equal(quick(pair, tiny, **options).image, whole.image)
    with pytest.raises(ValueError, match="denoise was 'bilateral' and is None now"):
        quick(pair, tiny, checkpoint=tmp_path / "run")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("median", "the method of denoise must be one of bilateral"),
        (3, "the method of denoise must be one of bilateral"),
        ({"strength": 2.0}, "denoise must be a method, or a mapping with a method"),
        ({"method": "bilateral", "power": 2}, "denoise must be a method, or a mapping"),
        ({"method": "bilateral", "strength": -1}, "the strength of denoise must be finite and ≥ 0"),
        ({"method": "bilateral", "strength": "x"}, "the strength of denoise must be finite"),
        ({"method": "bilateral", "where": "sky"}, "where in denoise must be one of"),
        ({"method": "bilateral", "strength": 1e308}, "the strength of denoise must be at most 255"),
    ],
)
def test_bad_options_are_refused_before_any_work(pair, tiny, given, message):
    def never(progress):
        raise AssertionError("work was done")

    with pytest.raises(ValueError, match=message):
        stylize(*pair, model=tiny, steps=2, denoise=given, callback=never)


# --- the command -----------------------------------------------------------------------------


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.app(["denoise", *map(str, arguments)])
    return ended.value.code, capsys.readouterr()


def test_the_command_does_the_same(tmp_path, capsys, noisy):
    path = images.save_image(noisy, tmp_path / "raw.png", {"style_weight": 3.0})
    out = tmp_path / "clean.png"
    code, streams = command(capsys, path, "--guide", "temple", "--strength", "6", "--method",
                            "total-variation", "--out", out)  # fmt: skip
    assert code == 0, streams.err
    assert str(out) in streams.out.replace("\n", "")
    before, after = map(float, re.search(r"noise ([\d.]+) → ([\d.]+) grey", streams.err).groups())
    content = load_image("temple", 192)
    expected = denoise(load_image(path), "total-variation", content, 6.0)
    assert (load_image(out) - expected).abs().max() <= 1.01 / 255
    assert before == pytest.approx(level_of(load_image(path), content), abs=0.01)
    assert after == pytest.approx(level_of(expected, content), abs=0.01)
    assert load_settings(out) == {
        "style_weight": 3.0,
        "denoised": {"method": "total-variation", "strength": 6.0, "where": None},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--method", "median"], "method must be one of bilateral"),
        (["--strength", "-1"], "strength must be finite and ≥ 0, got -1.0"),
        (["--strength", "x"], "a strength that is no number must be one of auto; got 'x'"),
        (["--guide", "coffee"], "guide must have the size of the image"),
        (["--guide", "nowhere"], "nowhere: no such picture"),
        (["--method", "poisson"], "method poisson needs a guide"),
        (["--out", "clean.xyz"], "clean.xyz: the name must end in one of"),
    ],
)
def test_bad_options_of_the_command(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    images.save_image(torch.rand(1, 3, 30, 30), tmp_path / "raw.png")
    code, streams = command(capsys, "raw.png", *arguments)
    assert code == 2
    assert message in streams.err
    assert streams.err.count("\n") == 1
    assert sorted(p.name for p in tmp_path.rglob("*.png")) == ["raw.png"]


def test_an_existing_picture_is_not_overwritten_unasked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images.save_image(torch.rand(1, 3, 30, 30), tmp_path / "raw.png")
    for name in ("raw_denoised.png", "raw_denoised-2.png"):
        assert command(capsys, "raw.png")[0] == 0
        assert (tmp_path / "results" / name).exists()
    code, streams = command(capsys, "raw.png", "--out", "results/raw_denoised.png")
    assert code == 2
    assert "exists already" in streams.err


def test_stylize_on_the_command_line(tmp_path, capsys):
    out = tmp_path / "a.png"
    with pytest.raises(SystemExit) as ended:
        cli.app(
            [
                "stylize",
                "cat",
                "tissue_stain",
                *QUICK,
                "--denoise",
                "bilateral:4",
                "--out",
                str(out),
            ]
        )
    assert ended.value.code == 0, capsys.readouterr().err
    assert load_settings(out)["denoise"] == {"method": "bilateral", "strength": 4.0}
    with pytest.raises(SystemExit) as ended:
        cli.app(["stylize", "cat", "tissue_stain", *QUICK, "--like", str(out), "--out",
                 str(tmp_path / "b.png")])  # fmt: skip
    assert ended.value.code == 0
    assert torch.equal(load_image(out), load_image(tmp_path / "b.png"))
    for given in ("median", "bilateral:x", "bilateral:"):
        with pytest.raises(SystemExit) as ended:
            cli.app(["stylize", "cat", "tissue_stain", *QUICK, "--denoise", given])
        assert ended.value.code == 2
        assert "denoise must be" in capsys.readouterr().err


def test_the_command_is_quick_to_help():
    import subprocess

    found = subprocess.run([*COMMAND, "denoise", "--help"], capture_output=True, text=True)
    assert found.returncode == 0
    assert "--strength" in found.stdout
