"""`nst train-texture` and `nst apply`, in this process."""

import os
import signal
from pathlib import Path

import pytest
from folders import names_in
from invoking import invoke as run
from PIL import Image

from nst_tutorial import cli, load_image, load_settings
from nst_tutorial.cli import terminal
from nst_tutorial.storage import tensor_files
from nst_tutorial.texture_networks.files import bundled, load_generator, save_generator
from nst_tutorial.texture_networks.generator import Generator


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


@pytest.mark.slow
def test_an_interrupted_training_goes_on(here, capsys, monkeypatch):
    """Killed between two steps, it is started again with the same line."""
    from nst_tutorial.texture_networks import training

    arguments = ["train-texture", "tissue_stain", *QUICK[:3], "60", *QUICK[4:]]
    evaluate, taken = training._evaluate, []

    def dies(*parts):
        taken.append(0)
        if len(taken) == 53:
            raise MemoryError("out of memory")
        return evaluate(*parts)

    monkeypatch.setattr(training, "_evaluate", dies)
    code, _, _ = run(capsys, *arguments, "--checkpoint", "run.training", "--out", "a.safetensors")
    assert code == 2
    assert names_in(here) == ["run.training"]
    taken.clear()
    code, _, _ = run(capsys, *arguments, "--checkpoint", "run.training", "--out", "a.safetensors")
    assert (code, len(taken)) == (0, 10)
    assert names_in(here) == ["a.safetensors"]


def test_a_network_is_safe_before_it_is_measured(here, capsys, monkeypatch):
    """Whatever goes wrong there: what was trained for hours is on the disk."""

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nst_tutorial.texture_networks.objective.style_distance", interrupted)
    code, out, err = run(capsys, "train-texture", "tissue_stain", *QUICK, "--out", "a.safetensors",
                         "--checkpoint", "run.training")  # fmt: skip
    assert code == 130
    assert "2 steps" in out
    assert "interrupted; a.safetensors is there, without its style distance" in err
    assert names_in(here) == ["a.safetensors"]
    settings = load_generator("a.safetensors", "cpu").settings
    assert settings["style"] == "tissue_stain.jpg"
    assert "style_distance" not in settings
    monkeypatch.undo()


def test_the_distance_is_written_into_the_network(here, capsys):
    code, out, _ = run(capsys, "train-texture", "tissue_stain", *QUICK, "--out", "a.safetensors")
    assert code == 0
    distance = load_generator("a.safetensors", "cpu").settings["style_distance"]
    assert f"style distance at 256 px {distance:.3g}" in out
    assert names_in(here) == ["a.safetensors"]


def meanwhile(monkeypatch, act):
    """Do something while the network is trained."""
    from nst_tutorial.texture_networks import training

    evaluate = training._evaluate
    monkeypatch.setattr(training, "_evaluate", lambda *parts: act() or evaluate(*parts))


def test_a_name_that_is_taken_meanwhile_is_left_alone(here, capsys, monkeypatch):
    meanwhile(monkeypatch, lambda: (here / "a.safetensors").write_bytes(b"another's") and None)
    code, out, _ = run(capsys, "train-texture", "tissue_stain", *QUICK, "--out", "a.safetensors")
    assert code == 0
    assert "a-2.safetensors" in out
    assert (here / "a.safetensors").read_bytes() == b"another's"
    assert "style_distance" in load_generator("a-2.safetensors", "cpu").settings


def test_a_full_disk_loses_no_network(here, capsys, full_disk):
    spare = full_disk(tensor_files)
    code, out, err = run(capsys, "train-texture", "tissue_stain", *QUICK, "--out", "a.safetensors")
    assert code == 1
    assert "a.safetensors could not be written (No space left on device)" in err
    assert str(spare / "nst_network.safetensors") in out
    assert load_generator(spare / "nst_network.safetensors", "cpu").settings["steps"] == 2


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_is_kept(capsys, monkeypatch, number, code):
    monkeypatch.setattr(terminal._Ended, "number", None)  # put back at the end
    steps = []

    def end_at_the_second():
        steps.append(0)
        if len(steps) == 2:
            os.kill(os.getpid(), number)

    meanwhile(monkeypatch, end_at_the_second)
    arguments = ["train-texture", "tissue_stain", *QUICK, "--steps", "90"]
    found, _, err = run(capsys, *arguments, "--out", "a.safetensors")
    assert found == code
    assert "this is the network as far as it got" in err
    assert load_generator("a.safetensors", "cpu").settings["steps"] == 1


def test_interrupted_before_a_step(here, capsys, monkeypatch):
    """What is said is true: with a checkpoint that is there, something was written before."""
    arguments = ["train-texture", "tissue_stain", *QUICK, "--out", "a.safetensors"]

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("nst_tutorial.texture_networks.training.train_generator", interrupted)
    arguments += ["--checkpoint", "run.training"]
    for told in (
        "nst: interrupted before there was a network; nothing was written",
        "nst: interrupted; the same command goes on from run.training",
    ):
        code, _, err = run(capsys, *arguments)
        assert (code, err.splitlines()[-1]) == (130, told)
        (here / "run.training").write_text("")


@pytest.fixture
def painter(here):
    (here / "photos").mkdir()
    return save_generator(Generator(width=2, stylizes=True), here / "p.safetensors")


def test_a_folder_is_repainted_without_overwriting_its_own_results(here, capsys, painter):
    for name, size in (("a.jpg", (40, 20)), ("a.png", (20, 40)), ("A.bmp", (30, 30))):
        Image.new("RGB", size, "red").save(here / "photos" / name)
    Image.new("RGB", (9, 9)).save(here / "photos" / "._a.png")  # as macOS leaves them
    (here / "photos" / "x.png").mkdir()
    arguments = ["apply", "p.safetensors", "photos", "--out", "painted"]
    for more in ([], ["--overwrite"]):
        code, _, err = run(capsys, *arguments, *more)
        assert code == 0, err
        names = ["A_p.png", "a_p-2.png", "a_p-3.png"]
        assert names_in(here / "painted") == names
        shapes = [tuple(load_image(here / "painted" / name).shape[2:]) for name in names]
        assert shapes == [(30, 30), (20, 40), (40, 20)]
    code, _, _ = run(capsys, *arguments)
    assert len(names_in(here / "painted")) == 6


def test_a_picture_of_the_folder_is_not_replaced_by_a_result(here, capsys, painter):
    for name in ("a", "a_p"):
        Image.new("RGB", (20, 20), "red").save(here / "photos" / f"{name}.png")
    before = (here / "photos" / "a_p.png").read_bytes()
    for _ in range(2):
        code, _, err = run(capsys, "apply", "p.safetensors", "photos", "--out", "photos",
                           "--overwrite")  # fmt: skip
        assert code == 0, err
    assert (here / "photos" / "a_p.png").read_bytes() == before


def test_a_name_of_245_characters(here, capsys, painter):
    long = "x" * 241
    for name in (long, "y"):
        Image.new("RGB", (20, 20), "red").save(here / "photos" / f"{name}.png")
    code, _, err = run(capsys, "apply", "p.safetensors", "photos", "--out", "painted")
    assert code == 0, err
    first, second = names_in(here / "painted")
    assert (first[:200], first[-4:], second) == (long[:200], ".png", "y_p.png")
    assert load_settings(here / "painted" / first)["content"] == f"{long}.png"
    code, out, err = run(capsys, "apply", "p.safetensors", f"photos/{long}.png")
    assert code == 0, err
    assert first in out


def test_a_result_whose_name_is_taken_meanwhile_gets_the_next_one(
    here, capsys, painter, monkeypatch
):
    from nst_tutorial.images import reading

    save = reading.save_image

    def at_the_same_time(image, path, *arguments, **options):
        for name in ("a_p.png", "a_p-2.png"):
            if not (here / "results" / name).exists():
                (here / "results" / name).write_bytes(b"another's")
        return save(image, path, *arguments, **options)

    monkeypatch.setattr(reading, "save_image", at_the_same_time)
    Image.new("RGB", (20, 20)).save(here / "photos" / "a.png")
    for picture, saved in (("photos/a.png", "a_p-3.png"), ("photos", "a_p-4.png")):
        code, out, err = run(capsys, "apply", "p.safetensors", picture)
        assert (code, err) == (0, "")
        assert f"results/{saved}" in out
    assert (here / "results" / "a_p.png").read_bytes() == b"another's"
    assert load_image("results/a_p-3.png").shape == (1, 3, 20, 20)


@pytest.mark.parametrize("error", [MemoryError("x"), RuntimeError("CUDA out of memory")])
def test_what_does_not_fit_into_the_memory_is_named_and_the_others_go_on(
    here, capsys, painter, monkeypatch, error
):
    for name, side in (("a", 20), ("b", 30), ("c", 20)):
        Image.new("RGB", (side, side)).save(here / "photos" / f"{name}.png")
    forward = Generator.forward

    def too_large(self, noise, *arguments):
        if noise[-1].shape[2] == 30:
            raise error
        return forward(self, noise, *arguments)

    monkeypatch.setattr(Generator, "forward", too_large)
    code, _, err = run(capsys, "apply", "p.safetensors", "photos", "--out", "painted")
    assert code == 1
    assert err.splitlines() == [
        "nst: photos/b.png: not enough memory; take a smaller --size, or with --memory fewer GB",
        "nst: 1 of 3 pictures could not be repainted",
    ]
    assert names_in(here / "painted") == ["a_p.png", "c_p.png"]


def test_memory_is_planned(here, capsys, painter):
    Image.new("RGB", (40, 30)).save(here / "photos" / "a.png")
    code, _, err = run(capsys, "apply", "p.safetensors", "photos", "--memory", "0.1")
    assert code == 1
    assert err.splitlines()[0] == (
        "nst: photos/a.png: a picture of 40×30 pixels would take 0.7 GB, more than the 0.1 GB that "
        "may be used: take a smaller size"
    )


def test_a_network_that_makes_no_numbers(here, capsys, painter):
    network = load_generator(painter, "cpu")
    network.last.weight.data[:, ::2] = 3e38
    network.last.weight.data[:, 1::2] = -3e38
    save_generator(network, painter)
    Image.effect_noise((40, 30), 50).convert("RGB").save(here / "photos" / "a.png")
    code, _, err = run(capsys, "apply", "p.safetensors", "photos/a.png")
    assert code == 2
    assert err == "nst: the network p makes values of photos/a.png that are not finite\n"


def test_a_training_that_diverges(here, capsys, monkeypatch):
    from nst_tutorial.texture_networks import training

    arguments = ["train-texture", "tissue_stain", *QUICK, "--out", "a.safetensors"]
    code, _, err = run(capsys, *arguments, "--steps", "4", "--learning-rate", "1000")
    assert code == 1
    assert "nst: nothing was written: the loss rose from " in err
    assert err.count("\n") <= 10
    assert "take a smaller learning_rate" in err
    assert names_in(here) == []

    def risen(result, best):
        result.diverged = "the loss rose: the network is that of step 1"

    monkeypatch.setattr(training, "_keep_best", risen)
    code, _, err = run(capsys, *arguments, "--checkpoint", "run.training")
    assert code == 0
    assert "nst: the loss rose: the network is that of step 1\n" in err
    assert names_in(here) == ["a.safetensors"]
    assert load_generator("a.safetensors", "cpu").settings["weights_of_step"] == 1


def test_one_file_for_two_things_is_refused(here, capsys, painter):
    photo = here / "photos" / "a.png"
    Image.new("RGB", (20, 20)).save(photo)
    (here / "b.safetensors").write_bytes(b"a training")
    (here / "link.training").symlink_to("b.safetensors")
    train = ["train-texture", "tissue_stain", *QUICK, "--overwrite"]
    for arguments, names in (
        ([*train, "--out", "n.safetensors", "--checkpoint", "n.safetensors"],
         "--out and --checkpoint are one file, n.safetensors"),
        ([*train, "--out", "b.safetensors", "--checkpoint", "link.training"],
         "--out and --checkpoint are one file, b.safetensors"),
        (["train-texture", str(photo), *QUICK, "--checkpoint", str(photo)],
         f"--checkpoint and STYLE are one file, {photo}"),
        (["apply", "p.safetensors", "photos/a.png", "--out", "photos/a.png", "--overwrite"],
         "--out and PICTURE are one file, photos/a.png"),
    ):  # fmt: skip
        code, _, err = run(capsys, *arguments)
        assert (code, err) == (2, f"nst: {names}; give them two names\n")
    assert (here / "b.safetensors").read_bytes() == b"a training"


def test_ctrl_c_tells_how_many_are_repainted(here, capsys, painter, monkeypatch):
    from nst_tutorial.images import reading

    for name in "abc":
        Image.new("RGB", (20, 20)).save(here / "photos" / f"{name}.png")
    load = reading.load_image

    def second(path, *arguments, **options):
        if Path(path).stem == "c":
            raise KeyboardInterrupt
        return load(path, *arguments, **options)

    monkeypatch.setattr(reading, "load_image", second)
    code, _, err = run(capsys, "apply", "p.safetensors", "photos", "--out", "painted")
    assert (code, err) == (130, "nst: interrupted; 2 of 3 are in painted\n")
    assert len(names_in(here / "painted")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["apply", "nothing"], "nothing: no such file; by name there are the networks"),
        (["apply", "texture", "temple"], "texture makes textures from noise alone; give no pic"),
        (["apply", "painter"], "painter repaints pictures: name one, or a folder of them"),
        (["apply", "painter", "nothing"], "nothing: no such picture"),
        (["apply", "painter", "."], ".: no pictures in it"),
        (["apply", "painter", ".", "--out", "x.png"], "x.png: the name of one picture, and severa"),
        (["apply", "texture", "--out", "new.gif"], "the name must end in one of"),
        (["apply", "texture", "--out", "there.png"], "there.png: exists already"),
        (["apply", "texture", "--size", "3"], "size must be a whole number ≥ 16, got 3"),
        (["apply", "texture", "--size", "0"], "size must be a whole number ≥ 16, got 0"),
        (["apply", "painter", "temple", "--size", "0"], "size must be a whole number ≥ 16, got 0"),
        (["apply", "texture", "--size", "100000000"], "up to 30000, got 100000000"),
        (["apply", "painter", "temple", "--size", "100000000"], "at most 30000, got 100000000"),
        (["apply", "texture", "--size", "30000", "--memory", "2"], "a picture of 30000×30000 pix"),
        (
            ["train-texture", "starry_night", "--size", "100000000", "--contents", "."],
            "size must be one or two numbers up to 30000, got 100000000",
        ),
        (
            ["train-texture", "starry_night", "--size", "30000", "--contents", "."],
            "a batch of 2 pictures of 30000 pixels a side would take",
        ),
        (["train-texture", "starry_night", "--batch", "1000000000"], "take a smaller batch or si"),
        (["train-texture", "starry_night", "--steps", "1000000000000"], "at most 1000000, got 10"),
        (["train-texture", "starry_night", "--learning-rate", "1e300"], "at most 1000, got 1e+300"),
        (["train-texture", "starry_night", "--out", "x.png"], "must end in .safetensors"),
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

    from nst_tutorial.texture_networks.training import train_generator

    function = inspect.signature(train_generator).parameters
    command = inspect.signature(cli.networks.train_texture).parameters
    shared = set(function) & set(command) - {"style", "contents"}
    assert {"steps", "batch", "size", "learning_rate", "kernel", "diversity", "seed"} <= shared
    for name in shared:
        assert command[name].default == function[name].default, name
