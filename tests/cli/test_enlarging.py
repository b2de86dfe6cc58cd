"""`nst enlarge`, in this process."""

import pytest
import torch
from folders import names_in
from invoking import invoke

from nst_tutorial import images, load_image, load_settings
from nst_tutorial.presets import options_from
from nst_tutorial.tiling import scales
from nst_tutorial.transfer.style_transfer import stylize

PAIR = ("temple", "starry_night")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A result of 64 pixels."""
    path = tmp_path_factory.mktemp("small") / "a.png"
    content, style = (load_image(name, 64) for name in PAIR)
    result = stylize(content, style, steps=3, style_weight=4.0, device="cpu")
    names = {"content": "temple.jpg", "style": "starry_night.jpg"}
    return images.save_image(result.image, path, {**result.settings, **names})


def copy_of(small, path, picture=None, **changes):
    """The same result with another record, in which None takes something out."""
    record = {**load_settings(small), **changes}
    record = {name: value for name, value in record.items() if value is not None}
    return images.save_image(load_image(small) if picture is None else picture, path, record)


def test_it_goes_on_from_the_result_with_its_settings(capsys, small, tmp_path):
    path = tmp_path / "b.png"
    code, out, err = invoke(
        capsys, "enlarge", small, "--size", 96, "--steps", 2, "--device", "cpu", "-o", path
    )
    assert (code, "b.png" in out) == (0, True), err
    assert "a.png enlarged from 64 to 96 px" in err
    options = options_from(load_settings(small)) | {"steps": 2, "begin_at": 65}
    del options["start"]
    content, style = (load_image(name, 96) for name in PAIR)
    expected = stylize(content, style, start=load_image(small), device="cpu", **options)
    record = load_settings(path)
    own = {"content", "style", "seconds", "enlarged_result"}
    assert {name: value for name, value in record.items() if name not in own} == expected.settings
    assert (record["enlarged_from"], record["enlarged_result"]) == ([43, 64], "a.png")
    assert (record["content"], record["style"]) == ("temple.jpg", "starry_night.jpg")
    assert (record["style_weight"], record["evaluations"]) == (4.0, [2])
    images.save_image(expected.image, tmp_path / "c.png")
    assert torch.equal(load_image(path), load_image(tmp_path / "c.png"))


def test_only_the_scales_above_the_result_are_worked_on(capsys, small, tmp_path, monkeypatch):
    """With one number of steps they have the evaluations of the whole run."""
    monkeypatch.setattr(scales, "COARSEST", 32)
    wide = tmp_path / "wide.png"
    for more, counts in (
        (["--steps", 12], [3, 2]), (["--steps", "2,1"], [2, 1]),
        (["--steps", "2", "--begin-at", 100], [1]),
        (["--steps", "2,1,1", "--begin-at", 30], [2, 1, 1]),
    ):  # fmt: skip
        code, _, err = invoke(
            capsys, "enlarge", small, "--size", 160, *more, "--device", "cpu", "-o", wide,
            "--overwrite",
        )  # fmt: skip
        assert code == 0, err
        assert load_settings(wide)["evaluations"] == counts
    assert [count for _, count in scales.schedule(160, 12)] == [7, 3, 2]


def test_like_an_enlarged_result(capsys, small, tmp_path):
    """Alone it is a whole run, with a word; with the small result as start it is the same again."""
    big = tmp_path / "big.png"
    quick = ("--size", 96, "--device", "cpu", "-o")
    assert invoke(capsys, "enlarge", small, "--steps", 2, *quick, big)[0] == 0
    again, alone = tmp_path / "again.png", tmp_path / "alone.png"
    code, _, err = invoke(
        capsys, "stylize", *PAIR, "--like", big, "--start", small, *quick, again
    )  # fmt: skip
    assert (code, "enlarged" in err) == (0, False)
    assert torch.equal(load_image(again), load_image(big))
    code, _, err = invoke(capsys, "stylize", *PAIR, "--like", big, *quick, alone)
    assert code == 0
    assert err.splitlines()[0] == (
        f"nst: {big} was enlarged from a smaller result, which is not in it: this run goes through "
        "all scales, with its settings; --start with that result makes it again"
    )
    record = load_settings(alone)
    assert (record["begin_at"], record["start"], record["steps"]) == (None, "content", 2)
    assert record["style_weight"] == 4.0
    listed = copy_of(big, tmp_path / "listed.png", steps=[2])
    code, _, err = invoke(
        capsys, "stylize", *PAIR, "--like", listed, "--steps", 1, *quick, alone, "--overwrite"
    )
    assert "; its steps, one number for each larger scale, are left out too; --start" in err


def test_several_styles_and_pictures_from_elsewhere(capsys, small, tmp_path):
    shapes = [list(load_image(name, 64).shape[2:]) for name in ("stained_glass", "starry_night")]
    names = ["stained_glass.jpg", "gone.jpg"]
    several = copy_of(
        small, tmp_path / "s.png", style=names, style_size=shapes, style_mix=[0.3, 0.7],
        content="gone.jpg",
    )  # fmt: skip
    arguments = ["enlarge", several, "--size", 80, "--steps", 1, "--device", "cpu"]
    for more, message in (
        ([], "s.png: its content, gone.jpg, is neither here nor in images/content; give"),
        (["--content", "temple"], "s.png: its style, gone.jpg, is neither here nor in images"),
        (["--content", "temple", "--style", "starry_night"], "s.png: its styles are 2, and here are"
         " 1; give --style for each, in their order"),
        (["--content", "temple", "--style", "starry_night", "--style", "starry_night"],
         "s.png: its style was"),
    ):  # fmt: skip
        code, out, err = invoke(capsys, *arguments, *more)
        assert (code, out, err.count("\n"), message in err) == (2, "", 1, True), err
    styles = ["--style", "stained_glass", "--style", images.find_image("starry_night")]
    path = tmp_path / "t.png"
    code, _, err = invoke(capsys, *arguments, "--content", "temple", *styles, "-o", path)
    assert code == 0, err
    record = load_settings(path)
    assert record["style"] == ["stained_glass.jpg", "starry_night.jpg"]
    assert record["style_shares"] == {"style 1": pytest.approx(0.3), "style 2": pytest.approx(0.7)}


def test_what_cannot_be_enlarged_is_told_in_one_line(capsys, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo = copy_of(small, "photo.png", parametrization="grid")
    cropped = copy_of(small, "cropped.png", load_image(small)[..., :60])
    masked = copy_of(small, "masked.png", masks={"style content mask": "0" * 64})
    listed = copy_of(small, "listed.png", steps=[60, 40])
    unnamed = copy_of(small, "unnamed.png", content=None)
    sneaky = copy_of(small, "sneaky.png", style="../../private.png")
    unsized = copy_of(small, "unsized.png", style_size="large")
    texture = copy_of(small, "texture.png", content_layers={})
    other = copy_of(small, "other.png", content="cat.jpg")  # of the same shape
    square = copy_of(small, "square.png", style="tissue_stain.jpg")
    for name, more, message in (
        ("temple", [], "no settings of nst_tutorial are stored in this picture"),
        ("nothing.png", [], "nothing.png: no such picture"),
        (texture, [], "texture.png: it was not made by stylize"),
        (photo, [], "photo.png: --photo made it, which paints nothing that could be enlarged; "),
        (cropped, [], "cropped.png: it is 60×43 px, and was 64×43 when it was made; give the "),
        (masked, [], "masked.png: it was made with masks, and they are not in it; give them with "),
        (listed, [], "listed.png: its steps, 60,40, are for scales of its own; give --steps, one "),
        (unnamed, [], "unnamed.png: it does not say what its content was; give --content"),
        (sneaky, [], "sneaky.png: it does not say what its style was; give --style"),
        (unsized, [], "unsized.png: it does not say how large its pictures were"),
        (other, [], "other.png: its content was not what "),
        (square, [], "square.png: its style was 64×50 px, and "),
        (small, ["--content", "cat"], "cat.jpg shows; give the right one with --content"),
        (small, ["--content", "astronaut"], "64×64: another picture? give the right one with --c"),
        (small, ["--size", 64], "--size must be above the 64 px that "),
        (small, ["--begin-at", 97], "begin_at must be at most the longer side, 96 px; got 97"),
        (small, ["--steps", "3,2"], "steps must be one number, since there is one scale (96 px)"),
        (small, ["-o", small, "--overwrite"], "nst: --out and RESULT"),
    ):  # fmt: skip
        code, out, err = invoke(capsys, "enlarge", name, "--size", 96, *more)
        assert (code, out, err.count("\n"), message in err) == (2, "", 1, True), err
    words = []
    for command in (["enlarge", small], ["stylize", *PAIR]):
        code, _, err = invoke(capsys, *command, "--size", 96, "--bits", 16, "-o", "x.jpg")
        words.append((code, err))
    assert words[0] == words[1]
    assert words[0][0] == 2
    assert words[0][1].startswith("nst: x.jpg: JPEG has 8 bits a channel; for 16 the name must end")
    assert "x.jpg" not in names_in(tmp_path)
