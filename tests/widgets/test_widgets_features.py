import re

import pytest
import torch

from nst_tutorial.images.reading import load_image
from nst_tutorial.widgets import layer_explorer
from nst_tutorial.widgets.explorers import features

SIZE = 64


@pytest.fixture
def explorer(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))
    return layer_explorer("cat", SIZE, tiny)


def told(explorer):
    """Layer, channel, (columns, rows), step, side of the field."""
    assert explorer.error is None
    found = re.search(
        r"<b>(\w+), channel (\d+)</b>: (\d+) × (\d+) places, (\d+) px apart; "
        r"each sees (\d+) × (\d+)",
        explorer.words.value,
    )
    layer, *numbers = found.groups()
    return layer, *map(int, numbers)


def shown(explorer):
    return [picture.light for picture in explorer.pictures]


def test_the_field_grows_with_the_layer_and_the_map_shrinks(explorer):
    # r ← r + (k - 1) s, s ← t s: the recursion of notebook 01
    side, step, fields = 1, 1, {}
    for block, convolutions in enumerate((2, 2, 4, 4, 4), start=1):
        for i in range(1, convolutions + 1):
            side += 2 * step
            fields[f"relu{block}_{i}"] = side, step
        side, step = side + step, 2 * step
    for layer in ("relu1_1", "relu2_2", "relu3_4", "relu4_2", "relu5_1"):
        explorer.controls["layer"].value = layer
        name, _, columns, rows, step, across, down = told(explorer)
        assert (name, (across, step)) == (layer, fields[layer])
        assert across == down
        assert (columns, rows) == (SIZE // step, 43 // step)


def test_another_channel_has_another_map_and_the_same_field(explorer):
    explorer.controls["layer"].value = "relu3_1"
    before, words = shown(explorer), told(explorer)
    explorer.controls["channel"].value = 1
    after, now = shown(explorer), told(explorer)
    assert before[1] != after[1]
    assert words[1] != now[1]
    assert words[2:] == now[2:]


def test_channels_are_counted_by_strength_or_by_number(explorer, tiny):
    image = load_image("cat", SIZE).double()
    strength = tiny(image, ["relu2_1"])["relu2_1"].mean(dim=(0, 2, 3))
    order = strength.argsort(descending=True).tolist()
    explorer.controls["layer"].value = "relu2_1"
    assert explorer.controls["channel"].options == tuple(range(len(strength)))
    for rank, channel in enumerate(order):
        explorer.controls["channel"].value = rank
        assert told(explorer)[1] == channel
    explorer.controls["order"].value = "by number"
    for channel in range(len(strength)):
        explorer.controls["channel"].value = channel
        assert told(explorer)[1] == channel


def test_the_strongest_place_is_the_networks(explorer, tiny):
    explorer.controls["layer"].value = "relu3_2"
    explorer.controls["order"].value = "by number"
    f = tiny(load_image("cat", SIZE).double(), ["relu3_2"])["relu3_2"][0]
    channel = int(f.amax(dim=(1, 2)).argmax())
    explorer.controls["channel"].value = channel
    row, column = divmod(int(f[channel].argmax()), f.shape[2])
    assert f"in row {row}, column {column}." in explorer.words.value
    assert f"strongest, {float(f[channel].max()):.3g}," in explorer.words.value
    assert f"Active at {float((f[channel] > 0).double().mean()):.0%}" in explorer.words.value


def test_fewer_channels_in_the_next_layer(explorer):
    explorer.controls["layer"].value = "relu5_1"
    explorer.controls["channel"].value = 7
    explorer.controls["layer"].value = "relu1_1"  # of four channels
    assert explorer.controls["channel"].value == 3
    assert told(explorer)[0] == "relu1_1"


def test_another_picture(explorer):
    before = shown(explorer)
    explorer.controls["picture"].value = "temple"
    assert explorer.error is None
    assert before[0] != shown(explorer)[0]
    with pytest.raises(FileNotFoundError, match="no such picture"):
        layer_explorer("no_such_cat")


def test_a_silent_channel_is_called_silent():
    f = torch.zeros(2, 3, 4)
    answer = features._answer(torch.rand(1, 3, 12, 16), "relu3_1", 1, f)
    assert answer.words.endswith("Inactive on this whole picture.")
