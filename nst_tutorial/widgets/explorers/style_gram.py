"""The Gram explorer: what is done to the positions, and what G and the texture make of it."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ... import plots
from ...images.catalog import find_image
from ...images.reading import load_image
from ...kernels.moments import Gram, gram_matrix
from ...presets import STYLE_LAYERS
from ...vgg.network import VGG19, load_vgg19
from ..drawings import drawn
from .cache import compressed, model_key, picture_key, remembered
from .content import unpacked
from .controls import choice, steps_of
from .explorer import Answer, Explorer, kept
from .textures import texture

SHUFFLE, ALONE, MASK, BLUR = (
    "shuffle positions, all channels together",
    "shuffle positions, each channel alone",
    "hide positions from below",
    "blur positions",
)
DEEDS = (SHUFFLE, ALONE, MASK, BLUR)
AMOUNTS = (0.0, 0.25, 0.5, 0.75)
SIDE, STEPS = 64, 40  # of the textures
SHOWN = 24  # channels of the Gram matrix
SAME = 1e-9  # relative distance of G, below which the texture is the same


def gram_explorer(
    picture: str = "starry_night",
    size: int = 192,
    model: VGG19 | None = None,
    side: int = SIDE,
    steps: int = STEPS,
) -> Explorer:
    """Return a widget that moves, hides or blurs the positions of features, and shows G.

    Controls: `deed`, `amount` (what part of the positions; for the blur, how wide), `layer`. Shown
    are the map of one channel, the Gram matrix of the 24 strongest, and a texture made from the
    Gram matrices of all five layers, treated alike. Those of The Starry Night are bundled.

    Parameters
    ----------
    picture
        A name or a path.
    size
        Pixels of the longer side.
    model
        The network; None: the default one.
    side, steps
        Of the textures: pixels, and evaluations of loss and gradient.

    Raises
    ------
    FileNotFoundError
        No such picture.
    """
    find_image(picture)
    settings = texture_settings(picture, size, model, side, steps)

    @lru_cache(maxsize=1)
    def seen() -> tuple[VGG19, Tensor, dict[str, Tensor]]:
        network = model or load_vgg19()
        style = load_image(picture, size).to(network.mean)
        with torch.no_grad():
            return network, style, network(style, STYLE_LAYERS)

    def texture_after(deed: str, amount: float) -> Tensor:
        key = {**settings, "deed": deed if amount else "", "amount": amount}

        def make() -> dict:
            network, style, features = seen()
            return {"image": compressed(treated_texture(network, style, features, key))}

        return unpacked(remembered("gram_texture", key, make)["image"])

    def draw(deed: str, amount: float, layer: str) -> Answer:
        _, style, features = seen()
        f = features[layer]
        changed, mask = treat(f, deed, amount)
        G, H = gram_matrix(f), gram_matrix(changed, mask)
        apart = float((H - G).double().square().sum() / G.double().square().sum())
        before = texture_after(deed, 0.0)
        after = texture_after(deed, 0.0 if apart < SAME else amount)
        return _answer(style, layer, (f, changed, mask), (G, H, apart), before, after)

    def answer(**values) -> Answer:
        return kept("gram", {**settings, **values}, lambda: draw(**values))

    controls = {
        "deed": choice(DEEDS, SHUFFLE, "what is done", "to the features, at all five layers"),
        "amount": steps_of(AMOUNTS, 0.5, "how much", "part of the positions, or width of the blur"),
        "layer": steps_of(STYLE_LAYERS, "relu3_1", "layer", "whose map and G are shown"),
    }
    what = "the Gram explorer: positions moved, hidden or blurred, and what G makes of it"
    return Explorer(what, controls, answer, ("48%", "50%", "70%"))


def texture_settings(
    picture: str, size: int, model: VGG19 | None, side: int, steps: int
) -> dict[str, object]:
    """What decides the textures, but the deed and its amount."""
    return {
        "picture": picture_key(picture), "size": size, "model": model_key(model),
        "side": side, "steps": steps,
    }  # fmt: skip


def treated_texture(
    model: VGG19, style: Tensor, features: dict[str, Tensor], settings: dict
) -> Tensor:
    """The texture of features after a deed, (1, 3, side, side)."""
    treated = {k: treat(f, settings["deed"], settings["amount"]) for k, f in features.items()}
    return texture(
        model, style, {k: f for k, (f, _) in treated.items()}, dict.fromkeys(features, Gram()),
        settings["side"], settings["steps"], masks={k: mask for k, (_, mask) in treated.items()},
    )  # fmt: skip


# --- what is done ----------------------------------------------------------------------------


def treat(features: Tensor, deed: str, amount: float) -> tuple[Tensor, Tensor | None]:
    """Features (1, C, H, W) after a deed, and the mask (1, 1, H, W) of the positions that count.

    `amount` from 0, which changes nothing, to below 1.
    """
    if not 0 <= amount < 1:
        raise ValueError(f"the amount must be at least 0 and below 1, got {amount}")
    if amount == 0:
        return features, None
    if deed == SHUFFLE:
        return shuffled(features, amount, together=True), None
    if deed == ALONE:
        return shuffled(features, amount, together=False), None
    if deed == BLUR:
        return blurred(features, amount), None
    rows = features.shape[2]
    mask = features.new_ones(1, 1, *features.shape[2:])
    mask[:, :, max(1, round(rows * (1 - amount))) :] = 0
    return features, mask


def shuffled(features: Tensor, part: float, together: bool) -> Tensor:
    """Deal a part of the positions out anew: whole vectors, or each channel for itself."""
    F = features.flatten(2)[0]
    g = torch.Generator().manual_seed(0)
    M = F.shape[1]
    movers = torch.randperm(M, generator=g)[: round(part * M)]
    orders = [torch.randperm(len(movers), generator=g) for _ in range(1 if together else len(F))]
    index = torch.arange(M).repeat(len(F), 1)
    index[:, movers] = torch.stack([movers[order] for order in orders]).expand(len(F), -1)
    return F.gather(1, index.to(F.device)).view_as(features)


def blurred(features: Tensor, amount: float) -> Tensor:
    """Average over neighbouring positions, round and round, so that each channel's mean stays.

    A Gaussian whose σ is `amount` / 8 of the shorter side.
    """
    height, width = features.shape[2:]
    sigma = amount * min(height, width) / 8
    down = torch.fft.fftfreq(height, device=features.device)[:, None]
    across = torch.fft.rfftfreq(width, device=features.device)
    damping = torch.exp(-2 * (torch.pi * sigma) ** 2 * (down.square() + across.square()))
    return torch.fft.irfft2(torch.fft.rfft2(features) * damping, s=(height, width))


def most_uneven(features: Tensor) -> int:
    """The channel that varies most from place to place, the border of the picture left out."""
    inside = features[0, :, 1:-1, 1:-1] if min(features.shape[2:]) > 3 else features[0]
    return int(inside.flatten(1).std(dim=1).argmax())


def _answer(
    style: Tensor,
    layer: str,
    features: tuple[Tensor, Tensor, Tensor | None],
    grams: tuple[Tensor, Tensor, float],
    before: Tensor,
    after: Tensor,
) -> Answer:
    f, changed, mask = features
    G, H, apart = grams
    channel = most_uneven(f)
    strong = G[0].diagonal().argsort(descending=True)[:SHOWN]
    shown = changed if mask is None else changed * mask
    maps = plots.maps([f[0, channel], shown[0, channel]], [f"{layer} {channel}", "now"])
    named = {"G before": G, "G now": H}
    matrices = plots.gram_matrices({k: M[:, strong][:, :, strong] for k, M in named.items()})
    textures = plots.image_row(
        [style, before, after], ["the style", "texture before", "texture now"], height=2.4
    )
    strength = float(H[0].diagonal().sum() / G[0].diagonal().sum())
    words = (
        f"<b>{layer}</b>: relative distance of G {apart:.2g}; "
        f"strength of all channels (the trace of G) × {strength:.3g}"
    )
    words += "; the same G, so the same texture." if apart < SAME else "."
    return Answer((drawn(maps), drawn(matrices), drawn(textures, "jpeg")), words)
