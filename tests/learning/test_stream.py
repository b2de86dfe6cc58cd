"""A stream of cut-outs: what is drawn, what is skipped, what is kept."""

import numpy as np
import pytest
import torch
from PIL import Image

from nst_tutorial.learning.stream import PictureStream


def ramp(width, height, phase=0):
    """Red grows across and green down, so that a cut-out tells where it comes from."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([x, y, np.full_like(x, phase)], axis=2).astype(np.uint8))


@pytest.fixture
def folder(tmp_path):
    ramp(120, 80).save(tmp_path / "a.png")
    (tmp_path / "inner").mkdir()
    ramp(64, 100, 200).save(tmp_path / "inner" / "b.png")
    return tmp_path


def numbers(seed=0):
    return np.random.default_rng(seed)


def test_cut_outs_are_pictures_of_one_size(folder):
    stream = PictureStream(folder, 32, sides=(40, 60))
    batch = stream.batch(20, numbers())
    assert batch.shape == (20, 3, 32, 32)
    assert batch.min() >= 0
    assert batch.max() <= 1
    blue = batch[:, 2].mean(dim=(1, 2))
    assert {round(float(b), 1) for b in blue} == {0.0, 0.8}  # both pictures were drawn
    assert stream.decoded == 2


def test_places_scales_and_mirrors_are_random(folder):
    (folder / "inner" / "b.png").unlink()
    stream = PictureStream(folder, 32, sides=(60, 120))
    cuts = [stream.draw(numbers(seed)) for seed in range(60)]
    across = [float(cut[0, 0, :, 1:].sub(cut[0, 0, :, :-1]).mean()) for cut in cuts]
    mirrored = sum(step < 0 for step in across)
    assert 15 < mirrored < 45
    # A picture 120 pixels wide, reduced to L: a pixel of a cut-out spans 120 / L of its own
    longer = [1 / abs(step) for step in across]
    assert min(longer) == pytest.approx(60, rel=0.08)
    assert max(longer) == pytest.approx(120, rel=0.08)
    assert len({round(float(cut[0, 1].mean()), 2) for cut in cuts}) > 10


def test_the_same_numbers_draw_the_same(folder):
    a, b = PictureStream(folder, 32), PictureStream(folder, 32)
    b.batch(5, numbers(7))  # what was drawn before does not matter
    assert torch.equal(a.batch(4, numbers(3)), b.batch(4, numbers(3)))


def test_unusable_pictures_are_skipped_and_told(folder):
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    ramp(31, 90).save(folder / "small.png")
    Image.effect_noise((90, 90), 60).convert("RGB").save(folder / "grey.png")
    (folder / "notes.txt").write_text("no picture")
    stream = PictureStream(folder, 32)
    batch = stream.batch(60, numbers())
    assert batch.shape[0] == 60
    reasons = {path.name: reason for path, reason in stream.skipped.items()}
    assert set(reasons) == {"broken.jpg", "small.png", "grey.png"}
    assert "small.png: 31×90 pixels are too few for cut-outs of 32" in reasons["small.png"]
    assert "grey.png: without colour" in reasons["grey.png"]
    assert "broken.jpg: cannot be read as a picture" in reasons["broken.jpg"]
    assert len(stream) == 2
    assert stream.decoded == 5
    assert len(PictureStream(folder, 32, grey=True).batch(60, numbers())) == 60


def test_a_folder_of_which_nothing_can_be_used(tmp_path):
    (tmp_path / "a.png").write_text("x")
    ramp(20, 20).save(tmp_path / "b.png")
    stream = PictureStream(tmp_path, 32)
    with pytest.raises(ValueError, match="none of its 2 pictures can be used; the first: "):
        stream.draw(numbers())
    with pytest.raises(ValueError, match="none of its 2 pictures"):
        PictureStream(tmp_path, 32).read_all()


def test_empty_and_missing_folders(tmp_path):
    with pytest.raises(ValueError, match=r"no pictures in it \(.png, "):
        PictureStream(tmp_path)
    with pytest.raises(NotADirectoryError, match="nowhere: no such folder"):
        PictureStream(tmp_path / "nowhere")
    ramp(40, 40).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="sides must be the least and the most"):
        PictureStream(tmp_path, sides=(512, 256))
    with pytest.raises(ValueError, match="size must be a whole number ≥ 16, got 8"):
        PictureStream(tmp_path, 8)


def test_decoded_pictures_are_kept_within_the_memory(tmp_path):
    for i in range(4):
        ramp(100, 100, 60 * i).save(tmp_path / f"{i}.png")
    roomy = PictureStream(tmp_path, 32, sides=(50, 50))
    roomy.batch(80, numbers())
    assert roomy.decoded == 4  # each once
    each = 3 * 50 * 50
    tight = PictureStream(tmp_path, 32, sides=(50, 50), memory=2.5 * each / 1e9)
    batch = tight.batch(80, numbers())
    assert tight.decoded > 4
    assert tight._bytes == sum(p.numel() for p in tight._kept.values()) <= 2.5 * each
    assert torch.equal(batch, roomy.batch(80, numbers()))


def test_a_narrow_picture_is_larger_before_it_is_cut(tmp_path):
    ramp(300, 60).save(tmp_path / "a.png")
    stream = PictureStream(tmp_path, 32, sides=(40, 60))
    assert stream._range(60, 300) == (160, 160)  # 32 of its 60 rows
    assert stream.draw(numbers()).shape == (1, 3, 32, 32)


def test_a_checkpoint_knows_the_folder(folder):
    before = PictureStream(folder, 32).identity()
    assert before == PictureStream(folder, 32).identity()
    assert before.startswith("32 px of 256 to 512, 2 pictures ")
    assert before != PictureStream(folder, 32, sides=(40, 60)).identity()
    ramp(120, 81).save(folder / "a.png")
    assert before != PictureStream(folder, 32).identity()
