import json

import numpy as np
import pytest
import torch
from folders import names_in
from pictures import HEIGHT, WIDTH, as_tensor
from PIL import Image, JpegImagePlugin, PngImagePlugin

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


def test_pictures_of_many_rows_are_whole(tmp_path, monkeypatch):
    """More pixels than are converted at a time, of 8 and of 16 bits."""
    monkeypatch.setattr("nst_tutorial.images.srgb.PIXELS", 1234)
    rows = np.arange(700)[:, None].repeat(20, axis=1)
    Image.fromarray((rows % 256).astype(np.uint8)).convert("RGB").save(tmp_path / "8.png")
    Image.fromarray((rows * 90).astype(np.uint16)).save(tmp_path / "16.png")
    for name, top, values in (("8.png", 255, rows % 256), ("16.png", 65535, rows * 90)):
        image = load_image(tmp_path / name)
        expected = torch.from_numpy(values / top).float().expand(1, 3, -1, -1)
        torch.testing.assert_close(image, expected, rtol=0, atol=1e-7)


def test_a_picture_read_in_inference_mode_can_be_optimised():
    with torch.inference_mode():
        image = load_image("temple", 32)
    image.requires_grad_()
    (image * image).sum().backward()
    torch.testing.assert_close(image.grad, 2 * image.detach())


def test_the_default_type_changes_nothing():
    expected = load_image("temple", 32)
    torch.set_default_dtype(torch.float64)
    try:
        image = load_image("temple", 32)
    finally:
        torch.set_default_dtype(torch.float32)
    assert image.dtype == torch.float32
    assert torch.equal(image, expected)


def test_the_background_of_transparency(tmp_path):
    layer = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    layer.paste((0, 255, 0, 255), (0, 0, 8, 20))
    layer.save(tmp_path / "layer.png")
    white, black = (load_image(tmp_path / "layer.png", background=b) for b in ("white", "black"))
    assert white[0, :, 3, 4].tolist() == black[0, :, 3, 4].tolist() == [0, 1, 0]
    assert white[0, :, 3, 15].tolist() == [1, 1, 1]
    assert black[0, :, 3, 15].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="background must be one of white, black; got 'grey'"):
        load_image(tmp_path / "layer.png", background="grey")


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


@pytest.fixture
def jpeg(tmp_path, temple):
    """A JPEG of 1024×688 pixels, both of which 8 divides."""
    path = tmp_path / "photo.jpg"
    return save_image(resize(temple, (688, 1024)).clamp(0, 1), path)


def sizes_decoded(monkeypatch):
    """What Pillow is asked to decode at, in a list that grows."""
    asked, draft = [], JpegImagePlugin.JpegImageFile.draft

    def noted(self, mode, size):
        asked.append(size)
        return draft(self, mode, size)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "draft", noted)
    return asked


@pytest.mark.parametrize(
    ("size", "decoded"), [(40, (128, 86)), (42, (128, 86)), (43, (256, 172)), (170, (512, 344))]
)
def test_large_jpegs_are_decoded_smaller(monkeypatch, jpeg, size, decoded):
    wanted = load_image(jpeg, size)
    monkeypatch.setattr("nst_tutorial.images.decoding.HARMLESS", 700_000)
    asked = sizes_decoded(monkeypatch)
    image = load_image(jpeg, size)
    assert asked == [decoded]
    assert image.shape == wanted.shape
    assert 255 * (image - wanted).abs().mean() < 0.5
    assert 255 * (image - wanted).abs().max() < 6


def test_other_jpegs_are_decoded_whole(monkeypatch, tmp_path, jpeg):
    asked = sizes_decoded(monkeypatch)
    load_image(jpeg, 40)  # not large
    monkeypatch.setattr("nst_tutorial.images.decoding.HARMLESS", 700_000)
    load_image(jpeg)  # wanted as it is
    load_image(jpeg, 400)  # too large to be resized with care from a half
    with Image.open(jpeg) as image:
        image.crop((0, 0, 1023, 687)).save(tmp_path / "odd.jpg")
    load_image(tmp_path / "odd.jpg", 40)  # its shape would change
    assert asked == []


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


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_resizing_keeps_the_type(dtype):
    image = torch.rand(1, 3, 60, 100, generator=torch.Generator().manual_seed(0)).to(dtype)
    small = resize(image, 50)
    assert small.dtype == dtype
    exact = resize(image.double(), 50)
    torch.testing.assert_close(small.double(), exact, rtol=0, atol=torch.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (10**9, "size must be at most 30000, got 1000000000"),
        (-5, "size must be a whole number ≥ 1, got -5"),
        (0, "size must be a whole number ≥ 1, got 0"),
        (2.5, "size must be a whole number ≥ 1, got 2.5"),
        ("32", "size must be a whole number ≥ 1, got '32'"),
        (float("nan"), "size must be a whole number ≥ 1, got nan"),
        (True, "size must be a whole number ≥ 1, got True"),
        ((32,), r"size must be the longer side or \(H, W\), got \(32,\)"),
        ((0, 32), "a side in size must be a whole number ≥ 1, got 0"),
        ((32, 10**9), "a side in size must be at most 30000"),
    ],
)
def test_sizes_that_are_none(size, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        resize(torch.rand(1, 3, 20, 20), size)


def test_sizes_of_numpy():
    image = torch.rand(1, 3, 60, 100)
    assert torch.equal(resize(image, np.int64(50)), resize(image, 50))
    assert torch.equal(resize(image, torch.Size([30, 50])), resize(image, 50))


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((1, 3, 20, 20)), "ndarray"),
        (torch.zeros(3, 20, 20), r"\(3, 20, 20\) of torch.float32"),
        (torch.zeros(1, 3, 20, 20).byte(), r"\(1, 3, 20, 20\) of torch.uint8"),
        (torch.zeros(1, 3, 0, 20), r"\(1, 3, 0, 20\)"),
    ],
)
def test_what_cannot_be_resized(image, got):
    with pytest.raises(ValueError, match=rf"tensor \(N, C, H, W\) of floating .*, got {got}"):
        resize(image, 32)


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
        (torch.zeros(1, 1, 20, 20), r"be a picture \(1, 3, H, W\); got \(1, 1, 20, 20\)"),
        (torch.zeros(2, 3, 20, 20), r"got \(2, 3, 20, 20\)"),
        (torch.zeros(3, 0, 20), r"got \(1, 3, 0, 20\)"),
        (np.zeros((20, 20, 3)), r"got ndarray; torch.from_numpy makes a tensor of an array"),
        (Image.new("RGB", (20, 20)), r"be a picture \(1, 3, H, W\); got Image"),
        ([torch.zeros(1, 3, 20, 20)], "got list"),
        (torch.full((1, 3, 20, 20), 200, dtype=torch.uint8), "in 0..1, got torch.uint8"),
        (torch.zeros(1, 3, 20, 20) + 0j, "in 0..1, got torch.complex64"),
        (torch.full((1, 3, 20, 20), float("nan")), "not finite"),
    ],
)
def test_what_is_no_picture(tmp_path, image, message):
    with pytest.raises(ValueError, match=message):
        save_image(image, tmp_path / "out.png")
    with pytest.raises(ValueError, match=message):
        show(image)
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
