import pytest
import torch
from conftest import WIDTH, as_tensor

from nst_tutorial.images.catalog import find_image, list_images, pictures_in
from nst_tutorial.images.reading import load_image


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


def test_unknown_names_list_what_there_is():
    with pytest.raises(
        FileNotFoundError, match=r"tempel: .* did you mean temple\? .* starry_night"
    ):
        load_image("tempel")
    with pytest.raises(FileNotFoundError, match="temple: no such picture"):
        find_image("temple", kind="style")


def test_the_drawn_styles_are_what_the_script_draws(tmp_path, monkeypatch):
    folder = find_image("temple").parent.parent
    source = (folder / "draw_styles.py").read_text()
    space = {"__file__": str(tmp_path / "draw_styles.py"), "__name__": "draw_styles"}
    (tmp_path / "style").mkdir()
    exec(compile(source, "draw_styles.py", "exec"), space)
    space["main"]()
    for path in (tmp_path / "style").iterdir():
        bundled = load_image(folder / "style" / path.name)
        assert (load_image(path) - bundled).abs().mean() < 0.01
