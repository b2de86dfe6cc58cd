import os
from pathlib import Path

import pytest
import torch
from pictures import WIDTH, as_tensor
from PIL import Image

from nst_tutorial.images.catalog import find_image, list_images, pictures_in
from nst_tutorial.images.reading import load_image, save_image


def test_bundled_pictures_by_name():
    assert {"temple", "astronaut", "cat", "coffee"} <= set(list_images("content"))
    assert {"starry_night", "stained_glass", "woodcut_waves"} <= set(list_images("style"))
    for kind in ("content", "style"):
        for name in list_images(kind):
            assert max(load_image(name, 64, kind=kind).shape) == 64
    with pytest.raises(ValueError, match="kind must be one of content, style; got 'text'"):
        list_images("text")


def test_which_files_of_a_folder_are_pictures(tmp_path, scene, monkeypatch):
    for name in ("b.JPG", "a.png", ".hidden.png", "more/c.webp", ".trash/d.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        scene.save(tmp_path / name)
    (tmp_path / "._a.png").write_bytes(b"what macOS puts beside a.png")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "x.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    assert [p.name for p in pictures_in(tmp_path)] == ["a.png", "b.JPG"]
    assert [p.name for p in pictures_in(tmp_path, deep=True)] == ["a.png", "b.JPG", "c.webp"]
    monkeypatch.chdir(tmp_path)
    assert [str(p) for p in pictures_in(".")] == ["a.png", "b.JPG"]
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "style").symlink_to(tmp_path)
    assert {"a", "b"} < set(list_images("style"))
    assert not {"x", "._a", ".hidden"} & set(list_images("style"))


def test_every_bundled_picture_is_credited():
    folder = find_image("temple").parent.parent
    credits = (folder / "CREDITS.md").read_text()
    for path in [*(folder / "content").iterdir(), *(folder / "style").iterdir()]:
        assert f"{path.parent.name}/{path.name}" in credits


def test_the_large_photographs_are_credited_and_stay_in_the_repository():
    root = Path(__file__).resolve().parents[2]
    credits = (root / "images" / "CREDITS.md").read_text()
    photos = sorted((root / "images" / "photos").iterdir())
    assert len(photos) == 8
    assert "images/photos" not in (root / "pyproject.toml").read_text()
    for path in photos:
        with Image.open(path) as image:
            width, height = image.size
        (line,) = [line for line in credits.splitlines() if f"| photos/{path.name} |" in line]
        assert f"{width}×{height}" in line
        assert max(width, height) <= 3072
        assert path.stat().st_size < 2e6


def test_ones_own_pictures_get_names_and_come_first(tmp_path, monkeypatch, scene):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images" / "content").mkdir(parents=True)
    scene.save("images/content/my photo.PNG")
    scene.save("images/content/temple.png")
    assert torch.equal(load_image("my photo"), as_tensor(scene))
    assert torch.equal(load_image("temple", kind="content"), as_tensor(scene))
    assert "starry_night" in list_images("style")
    (tmp_path / "temple").mkdir()  # a folder of that name is no picture
    assert torch.equal(load_image("temple"), as_tensor(scene))
    scene.convert("L").save("coffee.png")  # a path comes before a name
    assert load_image("coffee.png").shape[3] == WIDTH


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The images/content of a working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "images" / "content"
    folder.mkdir(parents=True)
    (tmp_path / "images" / "style").mkdir()
    return folder


def test_two_files_that_differ_in_their_suffix(folder, scene):
    scene.save(folder / "me.png")
    scene.convert("L").save(folder / "me.bmp")
    scene.save(folder / "us.png")
    assert {"me.bmp", "me.png", "us"} <= set(list_images("content"))
    assert not {"me", "us.png"} & set(list_images("content"))
    assert find_image("me.png").resolve() == folder / "me.png"
    assert find_image("me.bmp", "content").resolve() == folder / "me.bmp"
    assert find_image("us.png").resolve() == find_image("us").resolve() == folder / "us.png"
    for kind in (None, "content", "style"):
        with pytest.raises(ValueError, match=r"^me: which one of me.bmp, me.png\? Name it with"):
            load_image("me", kind=kind)


def test_a_full_name_finds_what_a_name_hides(folder, scene):
    """One's own temple.bmp comes before the bundled temple, which still has its full name."""
    bundled = find_image("temple")
    scene.save(folder / "temple.bmp")
    assert find_image("temple").resolve() == folder / "temple.bmp"
    assert find_image(bundled.name).resolve() == bundled.resolve()
    scene.save(folder / "temple.gif")  # now two of one's own: the bundled one is no way out
    with pytest.raises(ValueError, match="temple: which one of temple.bmp, temple.gif"):
        find_image("temple")


@pytest.mark.parametrize("name", ["my photo", "my.photo", " photo", "$1_and_$2", "tschüß 🎨"])
def test_any_name(folder, scene, name):
    scene.save(folder / f"{name}.png")
    assert find_image(name).resolve() == folder / f"{name}.png"
    assert find_image(f"{name}.png").resolve() == folder / f"{name}.png"
    assert name in list_images("content")


def test_a_name_of_bytes_that_are_no_text(folder, scene):
    """Listed, found and named in messages, all of which can be printed."""
    path = os.fsdecode(bytes(folder) + b"/caf\xe9.png")
    try:
        scene.save(path)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 alone")
    names = list_images("content")
    "".join(names).encode()  # a surrogate could not be
    for name in (path, "caf\udce9", "caf\udce9.png", "caf\\udce9", "caf\\udce9.png"):
        assert torch.equal(load_image(name), as_tensor(scene))
    damaged = os.fsdecode(bytes(folder) + b"/\xff.png")
    Path(damaged).write_text("no picture")
    for wrong, error in ((damaged, ValueError), (f"{damaged}.gone", FileNotFoundError)):
        with pytest.raises(error) as caught:
            load_image(wrong)
        assert r"\udcff.png" in str(caught.value)
        str(caught.value).encode()
    with pytest.raises(ValueError, match="the name must end in one of") as caught:
        save_image(as_tensor(scene), os.fsdecode(b"\xff.xyz"))
    str(caught.value).encode()
    assert load_image(save_image(as_tensor(scene), damaged)).shape[3] == WIDTH


def test_a_picture_of_the_other_kind_is_told():
    """As when content and style are swapped."""
    with pytest.raises(
        FileNotFoundError,
        match=r"^starry_night: no such picture; starry_night is a style; "
        r"did you mean it as the style\? by name there are .*temple",
    ):
        find_image("starry_night", "content")


def test_a_photograph_may_be_the_style_of_another(folder, scene):
    assert find_image("temple", "style") == find_image("temple", "content")
    scene.save(folder.parent / "style" / "temple.png")  # what lies among the styles comes first
    assert find_image("temple", "style").parent.name == "style"
    assert find_image("temple").parent.name == "content"


def test_unknown_names_list_what_there_is():
    with pytest.raises(
        FileNotFoundError, match=r"tempel: .* did you mean temple\? .* starry_night"
    ):
        load_image("tempel")
    with pytest.raises(FileNotFoundError, match="starry_night: no such picture"):
        find_image("starry_night", kind="content")


@pytest.mark.slow
def test_the_drawn_styles_are_what_the_script_draws(tmp_path, monkeypatch):
    folder = find_image("temple").parent.parent
    source = (folder / "draw_styles.py").read_text()
    space = {"__file__": str(tmp_path / "draw_styles.py"), "__name__": "draw_styles"}
    (tmp_path / "style").mkdir()
    exec(compile(source, "draw_styles.py", "exec"), space)
    space["main"]([])
    for path in (tmp_path / "style").iterdir():
        bundled = load_image(folder / "style" / path.name)
        assert (load_image(path) - bundled).abs().mean() < 0.01
