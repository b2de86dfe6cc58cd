"""`nst apply-look`, in this process."""

import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from folders import names_in
from invoking import invoke
from PIL import ExifTags, Image
from tensors import features

from nst_tutorial import load_image, load_settings
from nst_tutorial.cli import pictures as commands
from nst_tutorial.images import reading, writing
from nst_tutorial.looks import Guide, Look, identity_grid, load_look, save_look
from nst_tutorial.optimize.result import Result
from nst_tutorial.storage import tensor_files


def run(capsys, *arguments, command="apply-look"):
    return invoke(capsys, command, *arguments)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "photos").mkdir()
    return tmp_path


@pytest.fixture
def look(here) -> Look:
    """In the file dusk.safetensors; no result of it leaves 0..1."""
    grid = 0.3 * identity_grid(4, 2, 3) + 0.02 * features(1, 12, 4, 2, 3).float()
    grid[:, 3::4] += 0.3
    look = Look(grid, Guide(), {"style": "dusk.jpg", "smoothness": 0.05, "keep": [1, "[red]"]})
    save_look(look, here / "dusk.safetensors")
    return look


def photo(path, size=(40, 30), mode="RGB", **options) -> Path:
    array = np.random.default_rng(sum(size)).integers(0, 256, (size[1], size[0], 4), np.uint8)
    Image.fromarray(array, "RGBA").convert(mode).save(path, **options)
    return Path(path)


def test_one_photograph(here, capsys, look):
    photo("photos/a.png")
    code, out, err = run(capsys, "dusk.safetensors", "photos/a.png", "--strength", "0.7")
    assert (code, err) == (0, "")
    assert "s; the picture is results/a_dusk.png" in out
    expected = look.apply(load_image("photos/a.png"), 0.7)
    assert (load_image("results/a_dusk.png") - expected).abs().max() <= 0.51 / 255
    assert load_settings("results/a_dusk.png") == {
        "look": "dusk", "content": "a.png", "strength": 0.7, "average": False, "size": [30, 40],
        "fitted": look.record,
    }  # fmt: skip


def test_average_is_the_same_everywhere(here, capsys, look):
    photo("photos/a.png")
    code, _, err = run(capsys, "dusk.safetensors", "photos/a.png", "--average", "--out", "b.tiff")
    assert code == 0, err
    expected = look.averaged().apply(load_image("photos/a.png"))
    assert (load_image("b.tiff") - expected).abs().max() <= 0.51 / 255
    assert load_settings("b.tiff")["average"] is True


def deep(path):
    """Grey, 16 bits."""
    Image.fromarray(np.linspace(0, 65535, 1200).astype(np.uint16).reshape(30, 40)).save(path)


def turned(path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    photo(path, (40, 30), exif=exif)


KINDS = {
    "grey.jpg": lambda path: photo(path, mode="L"),
    "palette.png": lambda path: photo(path, mode="P"),
    "transparent.webp": lambda path: photo(path, mode="RGBA", lossless=True),
    "ink.tif": lambda path: photo(path, mode="CMYK"),
    "deep.png": deep,
    "turned.jpg": turned,
}


def test_a_folder_of_all_kinds_of_pictures(here, capsys, look):
    for name, write in KINDS.items():
        write(here / "photos" / name)
    code, out, err = run(capsys, "dusk.safetensors", "photos", "--out", "new")
    assert (code, err) == (0, "")
    assert names_in(here / "new") == sorted(f"{Path(name).stem}_dusk.png" for name in KINDS)
    for name in KINDS:
        picture = load_image(f"photos/{name}")
        assert picture.shape[2:] == ((40, 30) if name == "turned.jpg" else (30, 40))
        found = load_image(f"new/{Path(name).stem}_dusk.png")
        assert (found - look.apply(picture)).abs().max() <= 0.51 / 255, name
    assert out.count("the picture is") == len(KINDS)


def test_several_by_path_name_and_folder(here, capsys, look):
    photo("photos/a.png")
    photo("b.jpg")
    photo("a.jpg")
    code, _, err = run(capsys, "dusk.safetensors", "b.jpg", "photos", "a.jpg", "temple")
    assert (code, err) == (0, "")
    expected = ["a_dusk-2.png", "a_dusk.png", "b_dusk.png", "temple_dusk.png"]
    assert names_in(here / "results") == expected
    assert load_settings("results/a_dusk-2.png")["content"] == "a.jpg"


def test_one_that_cannot_be_read_is_reported_and_the_others_go_on(here, capsys, look):
    (here / "photos" / "a.png").write_text("x")
    photo("photos/b.png")
    code, _, err = run(capsys, "dusk.safetensors", "photos")
    assert code == 1
    first, last = err.splitlines()
    assert first.startswith("nst: photos/a.png: cannot be read as a picture")
    assert last == "nst: 1 of 2 pictures could not be repainted"
    assert names_in(here / "results") == ["b_dusk.png"]


def test_what_does_not_fit_into_the_memory_is_named(here, capsys, look, monkeypatch):
    def too_large(self, picture, strength=1.0):
        raise MemoryError("x")

    monkeypatch.setattr(Look, "apply", too_large)
    photo("photos/b.png")
    code, _, err = run(capsys, "dusk.safetensors", "photos/b.png")
    told = "nst: photos/b.png: not enough memory; make the picture smaller first\n"
    assert (code, err) == (2, told)


def test_ctrl_c_tells_what_there_is(here, capsys, look, monkeypatch):
    for name in "abc":
        photo(f"photos/{name}.png")
    load = reading.load_image

    def second(path, *arguments, **options):
        if Path(path).stem == "c":
            raise KeyboardInterrupt
        return load(path, *arguments, **options)

    monkeypatch.setattr(reading, "load_image", second)
    code, _, err = run(capsys, "dusk.safetensors", "photos", "--out", "new")
    assert (code, err) == (130, "nst: interrupted; 2 of 3 are in new\n")
    code, _, err = run(capsys, "dusk.safetensors", "photos/c.png", "--cube", "d.cube", "--average")
    assert (code, err) == (130, "nst: interrupted before there was a picture; d.cube is there\n")


def test_a_full_disk_leaves_nothing_behind(here, capsys, look, full_disk):
    photo("photos/a.png")
    full_disk(writing)
    code, _, err = run(capsys, "dusk.safetensors", "photos/a.png", "--out", "b.png")
    assert code == 2
    assert "No space left on device" in err
    assert names_in(here) == ["dusk.safetensors", "photos", "spare"]


def test_sixteen_bits(here, capsys, look):
    deep(here / "deep.png")
    code, _, err = run(capsys, "dusk.safetensors", "deep.png", "--bits", 16, "--out", "b.png")
    assert (code, err) == (0, "")
    expected = (look.apply(load_image("deep.png")) * 65535).round()
    assert ((load_image("b.png") * 65535).round() - expected).abs().max() <= 1
    code, _, err = run(capsys, "dusk.safetensors", "deep.png", "temple", "--bits", 16)
    assert (code, err) == (0, "")
    assert ((load_image("results/deep_dusk.png") * 65535).round() - expected).abs().max() <= 1


def test_dithered(here, capsys, look):
    deep(here / "deep.png")
    code, _, err = run(capsys, "dusk.safetensors", "deep.png", "--dither", "--out", "b.png")
    assert (code, err) == (0, "")
    expected = np.asarray(writing.to_pil(look.apply(load_image("deep.png")), dither=True))
    assert (np.asarray(Image.open("b.png")) == expected).all()


def test_as_transparent_as_the_picture(here, capsys, look):
    photo("photos/a.webp", mode="RGBA", lossless=True)
    photo("photos/b.png", (30, 20))
    code, _, err = run(capsys, "dusk.safetensors", "photos", "--keep-alpha")
    assert (code, err) == (0, "nst: photos/b.png is opaque; --keep-alpha changes nothing\n")
    with Image.open("photos/a.webp") as before, Image.open("results/a_dusk.png") as after:
        assert (np.asarray(after)[..., 3] == np.asarray(before)[..., 3]).all()
        assert np.ptp(np.asarray(after)[..., 3]) > 200
        colours = torch.from_numpy(np.asarray(after)[..., :3].copy()).permute(2, 0, 1)[None]
    assert (colours / 255 - look.apply(load_image("photos/a.webp"))).abs().max() <= 0.51 / 255
    with Image.open("results/b_dusk.png") as opaque:
        assert opaque.mode == "RGB"


def test_a_folder_may_be_called_as_a_picture_if_it_is_there(here, capsys, look):
    (here / "2024.png").mkdir()
    photo("photos/a.png")
    code, _, err = run(capsys, "dusk.safetensors", "photos", "--out", "2024.png")
    assert (code, err) == (0, "")
    assert names_in(here / "2024.png") == ["a_dusk.png"]


def test_as_a_3d_lut(here, capsys, look):
    code, out, err = run(capsys, "dusk.safetensors", "--average", "--cube", "luts/dusk.cube",
                         "--strength", "0.5")  # fmt: skip
    assert (code, err) == (0, "")
    assert out == "the 3D LUT is luts/dusk.cube\n"
    lines = (here / "luts" / "dusk.cube").read_text().splitlines()
    assert lines[:2] == ['TITLE "dusk"', "LUT_3D_SIZE 33"]
    last = [float(number) for number in lines[-1].split()]
    white = look.averaged().apply(torch.ones(1, 3, 1, 1), 0.5).flatten().tolist()
    assert last == pytest.approx(white, abs=1e-6)
    assert not (here / "results").exists()
    code, _, _ = run(capsys, "dusk.safetensors", "--average", "--cube", "5.cube", "--cube-size", 5)
    assert code == 0
    assert "LUT_3D_SIZE 5\n" in (here / "5.cube").read_text()


def test_a_look_without_a_picture_is_described(here, capsys, look):
    code, out, _ = run(capsys, "dusk.safetensors")
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    for row in (
        ["cells", "3×2"], ["depth", "4"], ["guide", "luminance"], ["depends on position", "yes"],
        ["style", "dusk.jpg"], ["keep", "[1, '[red]']"],
    ):  # fmt: skip
        assert row in rows
    assert not (here / "results").exists()


def test_one_file_for_two_things_is_refused(here, capsys, look):
    photo("photos/a.png")
    before = (here / "dusk.safetensors").read_bytes()
    for arguments, told in (
        (["photos/a.png", "--out", "photos/a.png"], "--out and PICTURE are one file"),
        (["--average", "--cube", "dusk.safetensors"], "--cube and LOOK are one file"),
    ):
        code, _, err = run(capsys, "dusk.safetensors", *arguments, "--overwrite")
        assert code == 2
        assert told in err
    assert (here / "dusk.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.safetensors"], "no.safetensors: no such file; a look is what photo mode saves"),
        (["photos"], "photos: is a folder; name the file of a look in it"),
        (["old.safetensors"], "not a look, or damaged"),
        (["there.png", "dusk.safetensors"], "there.png is a picture; the look comes before it"),
        (["dusk.safetensors", "nothing"], "nothing: no such picture"),
        (["dusk.safetensors", "there.png", "nothing"], "nothing: no such picture"),
        (["dusk.safetensors", "photos"], "photos: no pictures in it"),
        (["dusk.safetensors", "there.png", "--strength", "2"], "strength must be at most 1.5, got"),
        (["dusk.safetensors", "there.png", "--strength", "-1"], "strength must be finite and ≥ 0"),
        (["dusk.safetensors", "there.png", "--out", "x.gif"], "the name must end in one of"),
        (["dusk.safetensors", "there.png", "--out", "there.tif"], "there.tif: exists already; giv"),
        (["dusk.safetensors", "--cube", "x.cube"], "x.cube: the look makes one colour one thing"),
        (["dusk.safetensors", "--average", "--cube", "x.lut"], "must end in .cube"),
        (
            ["dusk.safetensors", "--average", "--cube", "x.cube", "--cube-size", "1"],
            "size must be a whole number ≥ 2, got 1",
        ),
        (
            ["dusk.safetensors", "--average", "--cube", "there.cube"],
            "there.cube: exists already; give another --cube, or --overwrite",
        ),
        (["dusk.safetensors", "--average", "--cube", "photos"], "photos: is a folder"),
        (
            ["dusk.safetensors", "--strength", "9"],
            "--strength needs a picture or --cube beside dusk.safetensors",
        ),
        (["dusk.safetensors", "--strength", "1"], "--strength needs a picture or --cube"),
        (["dusk.safetensors", "--average"], "--average needs a picture or --cube"),
        (["dusk.safetensors", "--overwrite"], "--overwrite needs a picture or --cube"),
        (["dusk.safetensors", "--out", "x.png"], "--out needs a picture beside dusk.safetensors"),
        (["dusk.safetensors", "--bits", "16"], "--bits needs a picture beside"),
        (
            ["dusk.safetensors", "--cube", "x.cube", "--average", "--dither"],
            "--dither needs a pict",
        ),
        (["dusk.safetensors", "--cube", "x.cube", "--keep-alpha"], "--keep-alpha needs a picture"),
        (["dusk.safetensors", "there.png", "--cube-size", "9"], "--cube-size needs --cube beside"),
        (
            ["dusk.safetensors", "there.png", "temple", "--out", "several.png"],
            "several.png: the name of one picture, and several will be made; name a folder",
        ),
        (["dusk.safetensors", "there.png", "--bits", "12"], "bits must be 8 or 16, got 12"),
        (["dusk.safetensors", "there.png", "temple", "--bits", "12"], "bits must be 8 or 16, got"),
        (
            ["dusk.safetensors", "there.png", "--bits", "16", "--out", "x.jpg"],
            "x.jpg: JPEG has 8 bits a channel; for 16 the name must end in .png, .tif or .tiff",
        ),
        (
            ["dusk.safetensors", "there.png", "--keep-alpha", "--out", "x.jpg"],
            "x.jpg: JPEG has no transparency",
        ),
    ],
)
def test_bad_input_ends_with_one_line_and_2(here, capsys, look, arguments, message):
    for name in ("there.tif", "there.cube", "old.safetensors"):
        (here / name).write_text("x")
    photo("there.png")
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert err.startswith("nst: ")
    assert err.count("\n") == 1
    assert message in err
    assert not (here / "results").exists()
    assert (here / "there.cube").read_text() == "x"


def test_a_look_of_another_version(here, capsys, look, monkeypatch):
    monkeypatch.setattr("nst_tutorial.looks.look.FORMAT", "nst_tutorial look 7")
    save_look(look, here / "new.safetensors")
    monkeypatch.undo()
    code, _, err = run(capsys, here / "new.safetensors", "temple")
    assert code == 2
    assert "a look of version 7, and this program reads version 1; update nst_tutorial" in err


# --- the look of a run -----------------------------------------------------------------------


ROWS = [{"size": 64, "total": total} for total in (2.0, 1.0, 0.5)]


@pytest.fixture
def fitting(capsys, look, monkeypatch):
    """`nst stylize --photo --look a.safetensors`, whose run ends as it is told to."""

    def ends(*arguments, rows=ROWS, stopped=None):
        result = Result(torch.rand(1, 3, 43, 64), rows, stopped=stopped, look=look)
        monkeypatch.setattr("nst_tutorial.transfer.stylize", lambda *a, **options: result)
        return run(capsys, "temple", "starry_night", "--size", 64, "--photo", "--out", "a.png",
                   "--look", "a.safetensors", *arguments, command="stylize")  # fmt: skip

    return ends


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ({}, 0),
        ({"stopped": "interrupted"}, 130),
        ({"rows": [ROWS[0]] * 3}, 1),  # nothing was better than the start
        ({"rows": []}, 0),
    ],
)
def test_however_a_run_ends_its_look_is_kept_with_its_picture(here, fitting, look, ending, code):
    found, out, err = fitting(**ending)
    assert found == code, err
    assert out.endswith("the picture is a.png\nthe look is a.safetensors\n")
    assert torch.equal(load_look("a.safetensors").grid, look.grid.float())
    assert (here / "a.png").exists()


def test_ctrl_c_before_there_is_a_picture_leaves_no_look(here, fitting):
    code, out, err = fitting(rows=[], stopped="interrupted")
    assert (code, out) == (130, "")
    assert err.endswith("nst: interrupted before there was a picture; nothing was written\n")
    assert names_in(here) == ["dusk.safetensors", "photos"]


def test_a_real_run_that_is_interrupted_keeps_its_look(here, capsys, monkeypatch):
    """What the look makes of the content is the picture, as after a run that is done."""

    def until(last, callback):
        def call(progress):
            callback(progress)
            if progress.evaluation == 3:
                signal.raise_signal(signal.SIGINT)

        return call

    monkeypatch.setattr(commands, "until", until)
    code, _, err = run(
        capsys, "temple", "starry_night", "--size", 64, "--steps", 9, "--photo", "--device", "cpu",
        "--out", "a.png", "--look", "a.safetensors", command="stylize",
    )  # fmt: skip
    assert code == 130
    assert "interrupted after 3 evaluations; this is the best so far" in err
    expected = load_look("a.safetensors").apply(load_image("temple", 64)).clamp(0, 1)
    assert (load_image("a.png") - expected).abs().max() < 1 / 255
    assert (expected - load_image("temple", 64)).abs().max() > 2 / 255


@pytest.mark.parametrize("stopped", [None, "interrupted"])
def test_a_look_that_cannot_be_written_goes_where_there_is_room(fitting, look, full_disk, stopped):
    spare = full_disk(tensor_files)
    code, out, err = fitting(stopped=stopped)
    assert code == 1
    assert "nst: a.safetensors could not be written (No space left on device)\n" in err
    assert "the picture is a.png\n" in out
    assert f"the look is {spare / 'nst_look.safetensors'}\n" in out
    assert torch.equal(load_look(spare / "nst_look.safetensors").grid, look.grid.float())
    assert not Path("a.safetensors").exists()


def test_a_picture_that_cannot_be_written_does_not_take_its_look_with_it(fitting, full_disk):
    spare = full_disk(writing)
    code, out, _ = fitting()
    assert code == 1
    assert (spare / "nst_result.png").exists()
    assert out.endswith("the look is a.safetensors\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--parametrization", "pixel"],
            "a.safetensors: a look needs --parametrization grid, and here it is pixel; "
            "leave --look out, or take grid",
        ),
        (["--parametrization", "grid", "--look", "b.png"], "b.png: a look is a file of the type"),
    ],
)
def test_a_look_that_the_run_would_not_make_is_refused(here, fitting, arguments, message):
    code, out, err = fitting(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"nst: {message}")
    assert err.count("\n") == 1
    assert not (here / "a.png").exists()
