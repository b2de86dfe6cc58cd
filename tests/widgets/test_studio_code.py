"""The code that the studio shows makes its picture again, in Python and in the shell."""

import shlex

from studios import assert_the_code_makes_it_again, until

from nst_tutorial.widgets import Studio


def test_the_code_of_a_plain_run(small, tmp_path, monkeypatch):
    small.run.click()
    assert small.wait(120)
    small.controls.size.value = 256  # the code stays that of the picture
    assert_the_code_makes_it_again(small, tmp_path / "again", monkeypatch)


def test_the_code_with_every_knob_turned(small, tmp_path, monkeypatch):
    c = small.controls
    c.content.value, c.style.value = "cat", "woodcut_waves"
    c.style_weight.value, c.style_scale.value = 10.0, 1.4
    c.kernel.value, c.degree.value, c.offset.value = "polynomial", 2, 0.5
    c.style_layers["relu1_1"].value = 0.0
    c.style_layers["relu2_1"].value = 0.3
    c.content_layer.value = "relu3_2"
    c.start.value, c.seed.value = "noise", 5
    c.others[0].value, c.mix[1].value = "tissue_stain", 2.5
    c.color.value, c.denoise.value = "luminance", "bilateral"
    c.grain_weight.value = 60.0
    small.run.click()
    assert small.wait(120)
    assert small.job.error is None
    assert_the_code_makes_it_again(small, tmp_path / "again", monkeypatch)


def test_the_code_of_a_run_that_was_stopped(small, tmp_path, monkeypatch):
    """Of a picture coarse to fine: fewer steps would be other scales, so it says where to stop."""
    c = small.controls
    c.size.value, c.steps.value = 384, 40
    c.style_layers["relu4_1"].value = c.style_layers["relu5_1"].value = 0  # quicker
    c.content_layer.value, c.kernel.value = "relu2_2", "bn"
    small.run.click()
    until(lambda: len(small.job.history) >= 2)
    small.stop.click()
    assert small.wait(60)
    assert 2 <= len(small.job.history) < 20
    assert "--stop-after" in small.recipe.shell()
    assert_the_code_makes_it_again(small, tmp_path / "again", monkeypatch)


def test_a_plan_that_depends_on_memory_is_pinned(small, monkeypatch):
    assert "memory" not in small.controls.recipe().pinned().options
    small.controls.size.value = 2048
    monkeypatch.setattr("nst_tutorial.tiling.planning.usable", lambda device: 2.46e9)
    pinned = small.controls.recipe().pinned()
    assert pinned.options["memory"] == 2.4
    assert pinned.plan().stages[-1].tile is not None
    assert "memory=2.4" in pinned.python()
    assert "--memory 2.4" in pinned.shell()


def test_names_are_quoted_in_the_shell_and_in_python(small):
    small.controls.add(
        "it's mine.png", small.controls.recipe().content.path, small.controls.content
    )
    made = small.controls.recipe()
    assert shlex.split(made.shell())[2] == "it's mine.png"
    assert 'nst.load_image("it\'s mine.png", 64)' in made.python()
    compile(made.python(), "code", "exec")


def test_a_style_with_the_name_of_a_content_is_told_apart(small, tmp_path, monkeypatch, scene):
    folder = tmp_path / "images" / "style"
    folder.mkdir(parents=True)
    scene.save(folder / "temple.png")
    monkeypatch.chdir(tmp_path)
    made = Studio("temple", "temple", size=64, steps=1, speed=1.0).controls.recipe()
    assert 'nst.load_image("temple", 64)' in made.python()
    assert 'nst.load_image("temple", 64, kind="style", enlarge=False)' in made.python()
