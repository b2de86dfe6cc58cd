import json

import numpy as np
import pytest
import torch
from conftest import HEIGHT, WIDTH, as_tensor, names_in
from PIL import Image, PngImagePlugin

from nst_tutorial.images import reading
from nst_tutorial.images.reading import load_image, load_settings, save_image, to_pil
from nst_tutorial.images.resizing import resize
from nst_tutorial.plots import show


def test_values_layout_and_type(tmp_path, scene):
    scene.save(tmp_path / "scene.png")
    image = load_image(tmp_path / "scene.png")
    assert image.dtype == torch.float32
    assert image.shape == (1, 3, HEIGHT, WIDTH)
    assert image.is_contiguous()
    assert torch.equal(image, as_tensor(scene))


# --- size ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "size"), [((300, 200), 150), ((90, 400), 200), ((50, 50), 128)])
def test_resizing_keeps_the_shape(tmp_path, shape, size):
    Image.new("RGB", shape).save(tmp_path / "p.png")
    height, width = load_image(tmp_path / "p.png", size).shape[2:]
    assert max(height, width) == size
    assert abs(height / width - shape[1] / shape[0]) < 1 / min(height, width)


def test_not_enlarged_unless_asked(tmp_path, scene):
    scene.save(tmp_path / "p.png")
    assert load_image(tmp_path / "p.png", 80).shape[3] == 80
    assert load_image(tmp_path / "p.png", 80, enlarge=False).shape[3] == WIDTH


@pytest.mark.parametrize("function", ["load", "resize"])
def test_resizing_is_antialiased(tmp_path, function):
    """Stripes of one pixel become grey, not other stripes."""
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    if function == "load":
        image = load_image(tmp_path / "stripes.png", 48)
    else:
        image = resize(load_image(tmp_path / "stripes.png"), 48)
    assert (image[..., 4:-4] - 0.5).abs().max() < 0.06


def test_resize_tensor():
    image = torch.rand(1, 3, 60, 100)
    assert resize(image, 50).shape == (1, 3, 30, 50)
    assert resize(image, (31, 17)).shape == (1, 3, 31, 17)
    assert resize(image, 100) is image
    torch.testing.assert_close(
        resize(torch.full((1, 3, 9, 9), 0.3), 33), torch.full((1, 3, 33, 33), 0.3)
    )


def test_narrow_after_resizing(tmp_path):
    Image.new("RGB", (20, 2000)).save(tmp_path / "thin.png")
    with pytest.raises(ValueError, match=r"thin.png: at size 512 only 5×512 pixels"):
        load_image(tmp_path / "thin.png", 512)


@pytest.mark.parametrize("size", [0, -5, 15, 3.5, True, float("nan"), "64"])
def test_bad_sizes(size):
    with pytest.raises(ValueError, match="size must be a whole number ≥ 16"):
        load_image("temple", size)
    with pytest.raises(ValueError, match="size must be at most 30000, got 1000000"):
        load_image("temple", 1_000_000)


# --- writing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "tif", "tiff", "PNG"])
def test_saved_pictures_come_back(tmp_path, suffix):
    image = load_image("temple", 96)
    settings = {"steps": 7, "style_layers": {"relu1_1": 0.2}, "who": "Ærøskøbing"}
    path = save_image(image, tmp_path / f"out.{suffix}", settings)
    again = load_image(path)
    lossless = suffix.lower() in ("png", "tif", "tiff")
    assert (again - image).abs().max() <= (0.5 / 255 + 1e-6 if lossless else 0.25)
    assert load_settings(path) == settings
    assert names_in(tmp_path) == [path.name]


def test_values_are_clamped_and_rounded():
    image = torch.tensor([-0.3, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 7.0]).expand(1, 3, 2, 6)
    assert np.asarray(to_pil(image))[0, :, 0].tolist() == [0, 0, 0, 1, 255, 255]


def test_pictures_without_settings(tmp_path):
    path = save_image(torch.zeros(1, 3, 20, 20), tmp_path / "plain.png")
    with pytest.raises(ValueError, match=r"plain.png: no settings of nst_tutorial"):
        load_settings(path)
    info = PngImagePlugin.PngInfo()
    info.add_text("other", json.dumps({}))
    Image.new("RGB", (9, 9)).save(tmp_path / "foreign.png", pnginfo=info)
    with pytest.raises(ValueError, match=r"foreign.png: no settings"):
        load_settings(tmp_path / "foreign.png")
    info.add_text(reading.SETTINGS_KEY, "{broken")
    Image.new("RGB", (9, 9)).save(tmp_path / "damaged.png", pnginfo=info)
    with pytest.raises(ValueError, match=r"damaged.png: the settings stored in it are damaged"):
        load_settings(tmp_path / "damaged.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"text.png: cannot be read as a picture"):
        load_settings(tmp_path / "text.png")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(1, 1, 20, 20), r"shape \(1, 3, H, W\), got \(1, 20, 20\)"),
        (torch.zeros(2, 3, 20, 20), r"got \(2, 3, 20, 20\)"),
        (torch.full((1, 3, 20, 20), float("nan")), "not finite"),
    ],
)
def test_tensors_that_are_no_picture(tmp_path, image, message):
    with pytest.raises(ValueError, match=message):
        save_image(image, tmp_path / "out.png")
    assert not list(tmp_path.iterdir())


def test_bad_places(tmp_path):
    image = torch.zeros(1, 3, 20, 20)
    with pytest.raises(ValueError, match=r"out.xyz: the name must end in one of .png, .jpg"):
        save_image(image, tmp_path / "out.xyz")
    with pytest.raises(FileNotFoundError):
        save_image(image, tmp_path / "nowhere" / "out.png")
    with pytest.raises(IsADirectoryError):
        reading.check_can_save((tmp_path / "d.png").mkdir() or tmp_path / "d.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write in the folder"):
        reading.check_can_save(tmp_path / "file" / "out.png")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    path = save_image(torch.zeros(1, 3, 20, 20), tmp_path / "out.png")
    before = path.read_bytes()

    def fail(file):
        raise error

    monkeypatch.setattr("nst_tutorial.storage.atomic.os.fsync", fail)
    with pytest.raises(type(error)):
        save_image(torch.ones(1, 3, 20, 20), path)
    assert path.read_bytes() == before
    assert names_in(tmp_path) == ["out.png"]


def test_an_existing_file_is_kept_if_asked(tmp_path):
    image = torch.zeros(1, 3, 20, 20)
    path = save_image(image, tmp_path / "out.png", overwrite=False)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        save_image(image + 1, path, overwrite=False)
    assert path.read_bytes() == before
    link = tmp_path / "link.png"
    link.symlink_to(path)
    save_image(image + 1, link)
    assert link.is_symlink()
    assert load_image(path).min() == 1
    assert names_in(tmp_path) == ["link.png", "out.png"]


def test_names_may_be_as_long_as_the_disk_allows(tmp_path):
    path = tmp_path / ("🎨" * 62 + ".png")
    assert load_image(save_image(torch.zeros(1, 3, 20, 20), path)).shape[3] == 20


def test_show_draws_every_picture_in_its_shape():
    one, two = torch.rand(1, 3, 20, 40), torch.rand(1, 3, 40, 20)
    figure = show(one, two, titles=["wide", "high"])
    shown = [axis.get_images()[0].get_array() for axis in figure.axes]
    assert [picture.shape[:2] for picture in shown] == [(20, 40), (40, 20)]
    assert [axis.get_title() for axis in figure.axes] == ["wide", "high"]
    with pytest.raises(ValueError, match="2 pictures, but 1 titles"):
        show(one, two, titles=["only"])
