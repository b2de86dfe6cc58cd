import json
import os
import struct
import zlib

import numpy as np
import pytest
import torch
from conftest import names_in
from PIL import Image, ImageCms, PngImagePlugin

from nst_tutorial import decoding, images
from nst_tutorial.images import (
    find_image,
    list_images,
    load_image,
    load_settings,
    resize,
    save_image,
    to_pil,
)

WIDTH, HEIGHT = 40, 24


@pytest.fixture
def scene() -> Image.Image:
    """Left half red, right half a blue ramp: any turn, flip or swap of channels shows."""
    array = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    array[:, : WIDTH // 2, 0] = 200
    array[:, WIDTH // 2 :, 2] = np.linspace(60, 250, HEIGHT, dtype=np.uint8)[:, None]
    return Image.fromarray(array)


def as_tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255


# --- reading ---------------------------------------------------------------------------------


def test_values_layout_and_type(tmp_path, scene):
    scene.save(tmp_path / "scene.png")
    image = load_image(tmp_path / "scene.png")
    assert image.dtype == torch.float32
    assert image.shape == (1, 3, HEIGHT, WIDTH)
    assert image.is_contiguous()
    assert torch.equal(image, as_tensor(scene))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(tmp_path, scene, orientation):
    """Whatever way the camera was held, the picture comes out as the scene was."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene.transpose(undo[orientation]) if orientation in undo else scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.png", exif=exif)
    assert torch.equal(load_image(tmp_path / "turned.png"), as_tensor(scene))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "YCbCr"])
@pytest.mark.parametrize("suffix", ["png", "tiff", "jpg", "webp", "gif", "bmp"])
def test_modes(tmp_path, scene, mode, suffix):
    path = tmp_path / f"scene.{suffix}"
    picture = scene.convert(mode)
    try:
        picture.save(path)
    except (OSError, ValueError):
        pytest.skip(f"{suffix} holds no {mode}")
    image = load_image(path)
    assert image.shape == (1, 3, HEIGHT, WIDTH)
    grey = mode in ("L", "1", "LA")
    expected = as_tensor(scene.convert("L") if grey else scene)
    if mode == "1":  # dithered: right on average
        image, expected = (x.unflatten(3, (2, -1)).mean(dim=(1, 2, 4)) for x in (image, expected))
    assert (image - expected).abs().mean() < 0.04


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_over_white(tmp_path, mode):
    picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((0, 0, 0, 255), (0, 0, 16, 32))
    picture.paste((0, 0, 0, 102), (16, 0, 32, 16))  # 40 % black
    options = {}
    if mode == "P":
        picture = Image.new("P", (32, 32), 1)
        picture.putpalette([0, 0, 0, 90, 20, 60])
        picture.paste(0, (0, 0, 16, 32))
        options = {"transparency": 1}
    picture.convert(mode).save(tmp_path / "holes.png", **options)
    image = load_image(tmp_path / "holes.png")
    assert torch.equal(image[..., :16], torch.zeros(1, 3, 32, 16))
    assert torch.equal(image[..., 16:, 16:], torch.ones(1, 3, 16, 16))
    if mode != "P":
        torch.testing.assert_close(image[..., :16, 16:], torch.full((1, 3, 16, 16), 0.6))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_sixteen_bits_keep_their_precision(tmp_path, suffix):
    ramp = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(tmp_path / f"deep.{suffix}")
    image = load_image(tmp_path / f"deep.{suffix}")
    expected = torch.from_numpy(ramp.astype(np.float32) / 65535)
    torch.testing.assert_close(image[0], expected.expand(3, -1, -1))
    assert len(image.unique()) > 4000
    assert load_image(tmp_path / f"deep.{suffix}", 32).shape == (1, 3, 32, 32)


def test_float_pictures_outside_0_to_1_are_refused(tmp_path):
    Image.fromarray(np.full((20, 20), 3.0, np.float32)).save(tmp_path / "bright.tiff")
    with pytest.raises(ValueError, match=r"bright.tiff: its values lie outside 0..1"):
        load_image(tmp_path / "bright.tiff")
    Image.fromarray(np.full((20, 20), 0.25, np.float32)).save(tmp_path / "dim.tiff")
    assert torch.equal(load_image(tmp_path / "dim.tiff"), torch.full((1, 3, 20, 20), 0.25))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_first_frame_of_an_animation(tmp_path, scene, suffix):
    path = tmp_path / f"film.{suffix}"
    others = [Image.new("RGB", scene.size, c) for c in ("green", "white")]
    scene.save(path, save_all=True, append_images=others, lossless=True)
    assert (load_image(path) - as_tensor(scene)).abs().mean() < 0.02


def test_colour_profile_becomes_srgb(tmp_path, scene):
    """In a profile that names a linear response, stored 50 % is sRGB 73.5 %."""
    linear = ImageCms.createProfile("sRGB")
    data = bytearray(ImageCms.ImageCmsProfile(linear).tobytes())
    grey = Image.new("RGB", (32, 32), (128, 128, 128))
    # Replace every tone curve by one entry: gamma 1.0 as an ICC 'curv' of count 0.
    table = struct.unpack(">I", data[128:132])[0]
    for i in range(table):
        sign, offset, _ = struct.unpack(">4sII", data[132 + 12 * i : 144 + 12 * i])
        if sign in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + 12] = b"curv" + bytes(8)
    grey.save(tmp_path / "linear.png", icc_profile=bytes(data))
    value = load_image(tmp_path / "linear.png").mean()
    x = 128 / 255
    assert abs(value - (1.055 * x ** (1 / 2.4) - 0.055)) < 0.01


def test_unusable_profile_is_said_and_ignored(tmp_path, scene):
    scene.save(tmp_path / "odd.png", icc_profile=b"nonsense")
    with pytest.warns(UserWarning, match=r"odd.png: its colour profile cannot be used"):
        image = load_image(tmp_path / "odd.png")
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


# --- bad pictures ----------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size, with hardly any data."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def write_bad(folder, kind: str):
    path = folder / "bad.png"
    if kind == "missing":
        return path
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is not a picture")
    elif kind == "truncated":
        load = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
        load.save(path)
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "1x1":
        Image.new("RGB", (1, 1)).save(path)
    elif kind == "3x2000":
        Image.new("RGB", (3, 2000)).save(path)
    elif kind == "500 megapixels":
        path.write_bytes(png(25000, 20000))
    elif kind == "160 megapixels":
        path.write_bytes(png(16000, 10000))
    return path


BAD = {
    "missing": (FileNotFoundError, "bad.png: no such picture.*by name there are"),
    "folder": (IsADirectoryError, "bad.png: is a folder"),
    "pipe": (ValueError, "bad.png: is not a regular file"),
    "empty": (ValueError, "bad.png: the file is empty"),
    "text": (ValueError, r"bad.png: cannot be read as a picture \(not a picture\).*save it anew"),
    "truncated": (ValueError, "bad.png: cannot be read as a picture.*save it anew"),
    "1x1": (ValueError, "bad.png: only 1×1 pixels.*at least 16"),
    "3x2000": (ValueError, "bad.png: only 3×2000 pixels"),
    "500 megapixels": (ValueError, "bad.png: .*make the picture smaller"),
    "160 megapixels": (ValueError, "bad.png: 16000×10000 is 160 megapixels.*make the picture smal"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_pictures_are_named_with_a_remedy(tmp_path, kind):
    error, message = BAD[kind]
    with pytest.raises(error, match=message):
        load_image(write_bad(tmp_path, kind), 64)


def test_narrow_after_resizing(tmp_path):
    Image.new("RGB", (20, 2000)).save(tmp_path / "thin.png")
    with pytest.raises(ValueError, match=r"thin.png: at size 512 only 5×512 pixels"):
        load_image(tmp_path / "thin.png", 512)


def test_no_permission(tmp_path, monkeypatch, scene):
    scene.save(tmp_path / "secret.png")

    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(decoding.Path, "open", refuse)  # root may read everything
    with pytest.raises(PermissionError, match=r"secret.png: no permission to read it"):
        load_image(tmp_path / "secret.png")


@pytest.mark.parametrize("size", [0, -5, 15, 3.5, True, float("nan"), "64"])
def test_bad_sizes(size):
    with pytest.raises(ValueError, match="size must be a whole number ≥ 16"):
        load_image("temple", size)
    with pytest.raises(ValueError, match="size must be at most 30000, got 1000000"):
        load_image("temple", 1_000_000)


def test_broken_exif_data_are_said_and_ignored(tmp_path, scene):
    scene.save(tmp_path / "odd.png", exif=b"not a TIFF file at all")
    with pytest.warns(UserWarning, match=r"odd.png: its EXIF data cannot be read"):
        assert torch.equal(load_image(tmp_path / "odd.png"), as_tensor(scene))


# --- names -----------------------------------------------------------------------------------


def test_bundled_pictures_by_name():
    assert {"temple", "astronaut", "cat", "coffee"} <= set(list_images("content"))
    assert {"starry_night", "stained_glass", "woodcut_waves"} <= set(list_images("style"))
    for kind in ("content", "style"):
        for name in list_images(kind):
            assert max(load_image(name, 64, kind=kind).shape) == 64
    with pytest.raises(ValueError, match="kind must be one of content, style; got 'text'"):
        list_images("text")


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
    info.add_text(images.SETTINGS_KEY, "{broken")
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
        images.check_can_save((tmp_path / "d.png").mkdir() or tmp_path / "d.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot write in the folder"):
        images.check_can_save(tmp_path / "file" / "out.png")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    path = save_image(torch.zeros(1, 3, 20, 20), tmp_path / "out.png")
    before = path.read_bytes()

    def fail(self, file, **options):
        file.write(b"half")
        raise error

    monkeypatch.setattr(Image.Image, "save", fail)
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
    figure = images.show(one, two, titles=["wide", "high"])
    shown = [axis.get_images()[0].get_array() for axis in figure.axes]
    assert [picture.shape[:2] for picture in shown] == [(20, 40), (40, 20)]
    assert [axis.get_title() for axis in figure.axes] == ["wide", "high"]
    with pytest.raises(ValueError, match="2 pictures, but 1 titles"):
        images.show(one, two, titles=["only"])
