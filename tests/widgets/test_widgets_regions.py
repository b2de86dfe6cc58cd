import pytest
import torch
from tensors import disc

from nst_tutorial.images.resizing import resize_mask
from nst_tutorial.vgg.layers import reach
from nst_tutorial.widgets import region_explorer
from nst_tutorial.widgets.explorers.regions import above, pull

SIZE = (96, 80)


@pytest.fixture
def pictures():
    generator = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, *SIZE, generator=generator).double() for _ in range(2))
    return content, style**2


def said(explorer) -> str:
    assert explorer.error is None, explorer.words.value
    return explorer.words.value


@pytest.mark.parametrize("line", [0.25, 0.5, 1.0])
def test_the_line_says_how_much_is_covered(line):
    mask = above(line, 0.0, SIZE)
    assert mask.shape == (1, 1, *SIZE)
    assert float(mask.mean()) == pytest.approx(line)
    assert (mask[:, :, : round(96 * line)] == 1).all()


def test_a_soft_edge_covers_as_much():
    mask = above(0.5, 0.4, SIZE)
    assert float(mask.mean()) == pytest.approx(0.5)
    assert ((mask > 0) & (mask < 1)).double().mean() > 0.3


def test_the_pull_ends_where_the_layer_sees_no_more(tiny, pictures):
    """Deeper layers pull further beyond the line; beyond their reach nothing is pulled."""
    mask, ends = above(0.5, 0.0, SIZE).double(), []
    for layer in ("relu1_1", "relu2_1", "relu3_1"):
        below = pull(tiny, *pictures, mask, layer)[0, 0, 48:].amax(dim=1)
        ends.append(int(below.nonzero().max()) + 1)
        assert ends[-1] <= reach(layer)
    assert ends == sorted(set(ends))


def test_each_control_changes_picture_and_words(tiny, pictures):
    explorer = region_explorer(tiny, *pictures, {"sky": disc(48, 40)})  # at another size
    sky = resize_mask(disc(48, 40).double(), SIZE)
    seen = {explorer.pictures[0].light}
    changes = {"line": 0.25, "soft": 0.4, "layer": "relu2_1", "region": "sky"}
    for count, (name, value) in enumerate(changes.items(), 2):
        explorer.controls[name].value = value
        seen.add(explorer.pictures[0].light)
        assert len(seen) == count, name
    assert f"covers {float(sky.mean()):.0%}" in said(explorer)
    assert f"looks {reach('relu2_1')} pixels" in said(explorer)
    explorer.set(region="above a line", line=1.0, soft=0.0)
    assert "<b>0.0% of the pull is outside" in said(explorer)
    assert explorer.pictures[0].light[:2] == b"\xff\xd8"  # JPEG


def test_every_control_is_labelled(tiny, pictures):
    explorer = region_explorer(tiny, *pictures)
    assert list(explorer.controls) == ["region", "line", "soft", "layer"]
    assert all(control.description for control in explorer.controls.values())
    assert "kernel" in repr(explorer)
