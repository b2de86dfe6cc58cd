"""The layer explorer: any channel of any layer, on any picture."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ... import plots
from ...images.catalog import find_image, list_images
from ...images.reading import load_image
from ...vgg.layers import LAYERS, reach, stride
from ...vgg.network import VGG19, load_vgg19
from ..components import PicturePicker, StepSlider
from ..drawings import drawn
from ..thumbnails import small_picture
from .cache import model_key, picture_key
from .controls import choice, counts_to, steps_of
from .explorer import Answer, Explorer, kept

RECTIFIED = [name for name in LAYERS if name.startswith("relu")]
ORDERS = ("by number", "strongest first")


def pictures_with(picture: str) -> list[str]:
    """The names of all pictures there are, and the given one (a name or a path)."""
    find_image(picture)
    names = sorted(list_images("content") | list_images("style"))
    return names if str(picture) in names else [str(picture), *names]


def layer_explorer(picture: str = "cat", size: int = 256, model: VGG19 | None = None) -> Explorer:
    """Return a widget that shows what a channel of a layer responds to, and how far it sees.

    Controls: `picture`, `layer` (after its ReLU), `order` of the channels, `channel`.

    Parameters
    ----------
    picture
        A name or a path to begin with.
    size
        Pixels of the longer side.
    model
        The network; None: the default one.

    Raises
    ------
    FileNotFoundError
        No such picture.
    """

    @lru_cache(maxsize=1)
    def seen(picture: str) -> tuple[Tensor, dict[str, Tensor]]:
        network = model or load_vgg19()
        image = load_image(picture, size)
        with torch.no_grad():
            features = network(image.to(network.mean), RECTIFIED)
        return image, {name: f.cpu() for name, f in features.items()}

    def draw(picture: str, layer: str, order: str, channel: int) -> Answer:
        image, features = seen(picture)
        f = features[layer][0]
        rank = channel
        if order == "strongest first":
            channel = int(f.mean(dim=(1, 2)).argsort(descending=True)[rank])
        return _answer(image, layer, channel, f)

    def answer(**values) -> Answer:
        key = {**values, "picture": picture_key(values["picture"]), "size": size}
        key["model"] = model_key(model)
        return kept("layer", key, lambda: draw(**values))

    controls = {
        "picture": PicturePicker(
            "picture that the network looks at", pictures_with(picture), str(picture),
            look=lambda name: small_picture(find_image(name)),
        ),
        "layer": steps_of(RECTIFIED, "relu1_1", "layer", "from shallow to deep"),
        "order": choice(ORDERS, ORDERS[1], "channels", "how the slider below counts them"),
        "channel": StepSlider(
            "channel", counts_to(_channels("relu1_1", model) - 1), 0,
            "which of the layer's channels: its number or its rank",
        ),
    }  # fmt: skip

    def adjust(change: dict) -> None:
        controls["channel"].offer(counts_to(_channels(change["new"], model) - 1))

    controls["layer"].observe(adjust, names="value")
    what = "the layer explorer: what one channel of a layer responds to, and how far it sees"
    return Explorer(what, controls, answer, ("48%", "48%"))


def _channels(layer: str, model: VGG19 | None) -> int:
    if model is None:
        return (64, 128, 256, 512, 512)[int(layer[4]) - 1]
    return len(getattr(model, f"{layer.replace('relu', 'conv')}_bias"))


def _answer(image: Tensor, layer: str, channel: int, f: Tensor) -> Answer:
    """One channel of features (C, H, W): the picture with the strongest unit's field, the map."""
    responses = f[channel]
    rows, columns = responses.shape
    row, column = divmod(int(responses.argmax()), columns)
    step, beyond = stride(layer), reach(layer)
    side = step + 2 * beyond
    field = (row * step - beyond, column * step - beyond, side, side)
    boxed = plots.boxes(image, {"its field": field}, "Where the channel responds most")
    mapped = plots.maps([responses], [f"{layer}, channel {channel}"], height=4.2)
    active = float((responses > 0).double().mean())
    words = (
        f"<b>{layer}, channel {channel}</b>: {columns} × {rows} places, {step} px apart; "
        f"each sees {side} × {side} px. "
    )
    if active:
        words += (
            f"Active at {active:.0%} of the places; strongest, {float(responses.max()):.3g}, "
            f"in row {row}, column {column}."
        )
    else:
        words += "Inactive on this whole picture."
    return Answer((drawn(boxed, "jpeg"), drawn(mapped)), words)
