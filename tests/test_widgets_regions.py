import torch
from conftest import disc

from nst_tutorial.tiles import reach
from nst_tutorial.widgets import Regions


def explorer(tiny, size=(96, 80), **masks):
    generator = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, *size, generator=generator).double() for _ in range(2))
    return Regions(tiny, content, style**2, masks)


def test_the_line_moves_the_mask(tiny):
    shown = explorer(tiny)
    for line in (0.25, 0.5, 1.0):
        shown.line.value = line
        assert abs(float(shown.mask.mean()) - line) < 1e-9
    shown.line.value, shown.soft.value = 0.5, 0.4
    assert abs(float(shown.mask.mean()) - 0.5) < 1e-6
    assert ((shown.mask > 0) & (shown.mask < 1)).double().mean() > 0.3


def test_the_pull_ends_where_the_layer_sees_no_more(tiny):
    """Deeper layers pull further beyond the line; beyond their reach nothing is pulled."""
    shown, ends = explorer(tiny), []
    shown.line.value = 0.5
    for layer in ("relu1_1", "relu2_1", "relu3_1"):
        before = shown.picture.value
        shown.layer.value = layer
        assert shown.picture.value != before or layer == "relu3_1"
        below = shown.pull[0, 0, 48:].amax(dim=1)
        ends.append(int(below.nonzero().max()) + 1)
        assert ends[-1] <= reach(layer)
        assert f"looks {reach(layer)} pixels" in shown.text.value
    assert ends == sorted(set(ends))


def test_numbers_and_named_masks(tiny):
    shown = explorer(tiny, sky=disc(48, 40))  # at another size
    shown.region.value = "sky"
    assert shown.mask.shape[2:] == (96, 80)
    assert f"covers {float(shown.mask.mean()):.0%}" in shown.text.value
    shown.region.value, shown.line.value = "above a line", 1.0
    assert "<b>0.0% of the pull is outside" in shown.text.value
    assert repr(shown).startswith("(a region with sliders")
    assert shown.picture.value[:2] == b"\xff\xd8"  # JPEG
