"""`nst train-texture` and `nst apply`, in this process."""

import pytest
from conftest import names_in
from PIL import Image

from nst_tutorial import cli, load_image, load_settings
from nst_tutorial.texture_nets import Generator
from nst_tutorial.trained import bundled, load_generator, save_generator


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.app(list(map(str, arguments)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


QUICK = ["--size", "32", "--steps", "2", "--style-size", "48", "--device", "cpu"]


def test_train_and_apply(here, capsys):
    code, out, err = run(capsys, "train-texture", "tissue_stain", *QUICK, "--kernel", "bn",
                         "--seed", "4", "--normalization", "batch")  # fmt: skip
    assert code == 0, err
    assert "results/tissue_stain.safetensors" in out
    assert "style distance at 256 px" in out
    generator = load_generator(here / "results" / "tissue_stain.safetensors", "cpu")
    assert generator.design["normalization"] == "batch"
    assert generator.settings["style"] == "tissue_stain.jpg"
    assert generator.settings["kernel"] == "bn"
    assert (generator.settings["steps"], generator.settings["seed"]) == (2, 4)
    path = "results/tissue_stain.safetensors"
    code, out, _ = run(capsys, "apply", path, "--size", "40", "--seed", "2", "--device", "cpu")
    assert code == 0
    assert "results/tissue_stain_2.png" in out
    image = load_image("results/tissue_stain_2.png")
    assert (image - generator.sample(40, seed=2)).abs().max() <= 0.51 / 255
    settings = load_settings("results/tissue_stain_2.png")
    assert (settings["seed"], settings["size"]) == (2, [40, 40])
    assert settings["training"]["style"] == "tissue_stain.jpg"


def test_train_a_painter_and_repaint_a_folder(here, capsys):
    (here / "photos").mkdir()
    for i, size in enumerate(((60, 40), (50, 50))):
        Image.effect_noise(size, 50).convert("RGB").save(here / "photos" / f"p{i}.png")
    code, _, err = run(capsys, "train-texture", "tissue_stain", *QUICK, "--contents", "photos",
                       "--out", "a.safetensors", "--style-weight", "3")  # fmt: skip
    assert code == 0, err
    assert load_generator("a.safetensors", "cpu").settings["style_weight"] == 3
    code, _, _ = run(capsys, "apply", "a.safetensors", "photos", "--out", "painted")
    assert code == 0
    assert names_in(here / "painted") == ["p0_a.png", "p1_a.png"]
    assert load_image("painted/p0_a.png").shape == (1, 3, 40, 60)
    code, _, _ = run(capsys, "apply", "a.safetensors", "photos/p0.png", "--size", "30")
    assert code == 0
    assert load_image("results/p0_a.png").shape == (1, 3, 20, 30)
    assert load_settings("results/p0_a.png")["content"] == "p0.png"
    (here / "photos" / "bad.png").write_text("x")
    code, _, err = run(capsys, "apply", "a.safetensors", "photos", "--out", "again")
    assert code == 1
    assert "bad.png" in err
    assert "1 of 3 pictures could not be repainted" in err
    assert names_in(here / "again") == ["p0_a.png", "p1_a.png"]


def test_apply_alone_lists_the_bundled(capsys):
    code, out, _ = run(capsys, "apply")
    assert code == 0
    for name in bundled():
        assert name in out
    assert "repaints pictures" in out


def test_a_bundled_one_by_name(capsys):
    code, _, _ = run(capsys, "apply", "tissue_stain", "--size", "48", "--out", "t.png")
    assert code == 0
    assert load_image("t.png").shape == (1, 3, 48, 48)


def test_an_interrupted_training_goes_on(here, capsys, monkeypatch):
    """Killed between two steps, it is started again with the same line."""
    from nst_tutorial import training

    arguments = ["train-texture", "tissue_stain", *QUICK[:3], "60", *QUICK[4:]]
    lesson, taken = training._lesson, []

    def dies(*parts):
        taken.append(0)
        if len(taken) == 53:
            raise MemoryError("out of memory")
        return lesson(*parts)

    monkeypatch.setattr(training, "_lesson", dies)
    code, _, _ = run(capsys, *arguments, "--checkpoint", "run.training", "--out", "a.safetensors")
    assert code == 2
    assert names_in(here) == ["run.training"]
    taken.clear()
    code, _, _ = run(capsys, *arguments, "--checkpoint", "run.training", "--out", "a.safetensors")
    assert (code, len(taken)) == (0, 10)
    assert names_in(here) == ["a.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["apply", "nothing"], "nothing: no such file; by name there are the generators"),
        (["apply", "texture", "temple"], "texture makes textures from noise alone; give no pic"),
        (["apply", "painter"], "painter repaints pictures: name one, or a folder of them"),
        (["apply", "painter", "nothing"], "nothing: no such picture"),
        (["apply", "painter", "."], ".: no pictures in it"),
        (["apply", "texture", "--out", "new.gif"], "the name must end in one of"),
        (["apply", "texture", "--out", "there.png"], "there.png: exists already"),
        (["apply", "texture", "--size", "3"], "size must be a whole number ≥ 16, got 3"),
        (["train-texture", "nothing"], "nothing: no such picture"),
        (["train-texture", "starry_night", "--contents", "no"], "no: no such folder of pictures"),
        (["train-texture", "starry_night", "--out", "texture"], "texture: exists already"),
        (["train-texture", "starry_night", "--normalization", "x"], "normalization must be one"),
        (["train-texture", "starry_night", "--diversity", "1", "--batch", "1"], "at least 2"),
    ],
)
def test_bad_arguments_end_with_one_line_and_2(here, capsys, arguments, message):
    save_generator(Generator(width=2), here / "texture")
    save_generator(Generator(width=2, stylizes=True), here / "painter")
    (here / "there.png").write_text("")
    if arguments[-1] == ".":
        (here / "there.png").unlink()
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert err.splitlines()[-1].startswith("nst: ")
    assert message in err


def test_options_have_the_functions_defaults():
    import inspect

    from nst_tutorial.training import train_generator

    function = inspect.signature(train_generator).parameters
    command = inspect.signature(cli.networks.train_texture).parameters
    shared = set(function) & set(command) - {"style", "contents"}
    assert {"steps", "batch", "size", "learning_rate", "kernel", "diversity", "seed"} <= shared
    for name in shared:
        assert command[name].default == function[name].default, name
