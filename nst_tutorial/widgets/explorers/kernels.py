"""The kernel explorer: two clouds of points, a kernel, what it sees, and the texture it makes."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from ... import plots
from ...images.catalog import find_image
from ...images.reading import load_image
from ...kernels.mmd import mmd2
from ...kernels.moments import Polynomial, positions
from ...kernels.random_features import GaussianFeatures
from ...presets import STYLE_LAYERS
from ...vgg.network import VGG19, load_vgg19
from ..drawings import drawn
from .cache import compressed, remembered
from .content import unpacked
from .controls import choice, steps_of
from .explorer import Answer, Explorer, kept
from .style_gram import SIDE, STEPS, texture_settings
from .textures import texture

POINTS, DEALS = 80, 99
KINDS = ("polynomial", "gaussian")
DEGREES = (1, 2, 3, 4)
OFFSETS = (0.0, 0.1, 1.0, 10.0)
BANDWIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0)


def clouds() -> dict[str, tuple[Tensor, Tensor]]:
    """Pairs of 80 points (M, 2) that differ in one thing each."""
    g = torch.Generator().manual_seed(0)

    def normal() -> Tensor:
        return torch.randn((POINTS, 2), generator=g, dtype=torch.float64)

    angle = 2 * torch.pi * torch.rand(POINTS, generator=g, dtype=torch.float64)
    ring = 2**0.5 * torch.stack([angle.cos(), angle.sin()], dim=1)
    lean = torch.tensor([[1.0, 0.7], [0.0, 0.51**0.5]], dtype=torch.float64)
    turned = lean * torch.tensor([1.0, -1.0], dtype=torch.float64)
    return {
        "same source": (normal() + 1, normal() + 1),
        "moved": (normal() + 1, normal() + 1.6),
        "wider": (normal() + 1, 1.8 * normal() + 1),
        "leaning": (normal() @ lean + 1, normal() @ turned + 1),
        "sign turned": (normal() + 1, -normal() - 1),
        "ring": (normal() + 1, ring + 1),
    }


def kernel_explorer(
    style: str = "starry_night",
    size: int = 192,
    model: VGG19 | None = None,
    side: int = SIDE,
    steps: int = STEPS,
) -> Explorer:
    """Return a widget that tests two clouds of points with a kernel, and paints with it.

    Controls: `pair`, `kind`, `degree`, `offset` (as a part of the mean of bᵀb over y), `bandwidth`
    (as a part of the mean rule's σ). So the last two mean the same for two channels as for the
    features of a picture. The textures of The Starry Night are bundled.

    Parameters
    ----------
    style
        The picture whose texture is painted: a name or a path.
    size
        Pixels of its longer side.
    model
        The network; None: the default one.
    side, steps
        Of the textures: pixels, and evaluations of loss and gradient.

    Raises
    ------
    FileNotFoundError
        No such picture.
    """
    find_image(style)
    base, pairs = texture_settings(style, size, model, side, steps), clouds()

    @lru_cache(maxsize=1)
    def seen() -> tuple[VGG19, Tensor, dict[str, Tensor]]:
        network = model or load_vgg19()
        image = load_image(style, size).to(network.mean)
        with torch.no_grad():
            return network, image, network(image, STYLE_LAYERS)

    def painted_texture(description: dict) -> Tensor:
        def make() -> dict:
            network, image, features = seen()
            kernels = {layer: kernel_for(f, **description) for layer, f in features.items()}
            return {"image": compressed(texture(network, image, features, kernels, side, steps))}

        return unpacked(remembered("kernel_texture", {**base, **description}, make)["image"])

    def draw(pair: str, description: dict) -> Answer:
        x, y = pairs[pair]
        kernel = kernel_for(as_features(y), **description)
        has_statistic = description["kind"] == "gaussian" or description["degree"] <= 2
        painted = painted_texture(description) if has_statistic else None
        return _answer(pair, (x, y), kernel, load_image(style, size), painted)

    def answer(pair: str, kind: str, degree: int, offset: float, bandwidth: float) -> Answer:
        description = described(kind, degree, offset, bandwidth)
        return kept(
            "kernel", {**base, **description, "pair": pair}, lambda: draw(pair, description)
        )

    controls = {
        "pair": choice(list(pairs), "ring", "the two clouds", "in what they differ"),
        "kind": choice(KINDS, "polynomial", "kernel", "k(a, b) = (aᵀb + c)^d, or a bell curve"),
        "degree": steps_of(DEGREES, 2, "degree d", "of the polynomial"),
        "offset": steps_of(OFFSETS, 0.0, "offset c / mean bᵀb", "of the polynomial"),
        "bandwidth": steps_of(BANDWIDTHS, 1.0, "σ / σ of the rule", "of the Gaussian"),
    }

    def adjust(_change=None) -> None:
        for name in ("degree", "offset", "bandwidth"):
            is_gaussian = controls["kind"].value == "gaussian"
            controls[name].disabled = is_gaussian != (name == "bandwidth")

    controls["kind"].observe(adjust, names="value")
    adjust()
    what = "the kernel explorer: a kernel, what it tells apart, and the texture it makes"
    return Explorer(what, controls, answer, ("30%", "44%", "60%"))


def described(kind: str, degree: int, offset: float, bandwidth: float) -> dict:
    """What matters of the controls: a kernel's own parameters.

    The offset of a polynomial of degree 1 falls out of MMD², as (c + c - 2c).
    """
    if kind == "gaussian":
        return {"kind": kind, "bandwidth": bandwidth}
    return {"kind": kind, "degree": degree, "offset": 0.0 if degree == 1 else offset}


def kernel_for(
    y: Tensor, kind: str, degree: int = 2, offset: float = 0.0, bandwidth: float = 1.0
) -> Polynomial | GaussianFeatures:
    """The kernel in the units of features y (1, C, H, W).

    The matrix shows the Gaussian itself; the texture is painted with random features of it.
    """
    if kind == "polynomial":
        size = float(positions(y).square().sum(dim=2).mean())
        return Polynomial(degree, offset * size)
    rule = GaussianFeatures("mean")
    sigma = float(rule.fitted(rule.statistic(y)).bandwidth)  # fitted: a number, no rule any more
    return GaussianFeatures(bandwidth * sigma)


def as_features(points: Tensor) -> Tensor:
    """Points (M, C) as features (1, C, 1, M)."""
    return points.T[None, :, None]


def permutation_test(
    x: Tensor, y: Tensor, kernel: Polynomial | GaussianFeatures, deals: int = DEALS
) -> Tensor:
    """MMD² of the same points after `deals` random shuffles into two sets."""
    both, g = torch.cat([x, y]), torch.Generator().manual_seed(0)
    K, M = kernel(both, both), len(x)
    sign = torch.cat([K.new_full((M,), 1 / M), K.new_full((len(y),), -1 / len(y))])
    shuffled = torch.stack([sign[torch.randperm(len(sign), generator=g)] for _ in range(deals)])
    return ((shuffled @ K) * shuffled).sum(dim=1)


def _answer(
    pair: str,
    points: tuple[Tensor, Tensor],
    kernel: Polynomial | GaussianFeatures,
    style: Tensor,
    painted: Tensor | None,
) -> Answer:
    x, y = points
    both = torch.cat([x, y])
    discrepancy = float(mmd2(as_features(x), as_features(y), kernel))
    chance = float(permutation_test(x, y, kernel).quantile(0.95))
    pictures = [
        drawn(plots.point_sets({pair: points})),
        drawn(plots.kernel_blocks(kernel(both, both), len(x))),
    ]
    seen = (
        "it sees a difference" if discrepancy > chance else "no more than chance: it sees nothing"
    )
    words = (
        f"<b>MMD² = {discrepancy:.3g}</b>; of shuffled points, 19 of 20 stay below {chance:.3g}: "
        f"{seen}."
    )
    if painted is None:
        words += " No texture: beyond degree 2 the statistic is too large for a style loss."
    else:
        row = plots.image_row(
            [style, painted], ["the style", "its texture, this kernel"], height=2.4
        )
        pictures.append(drawn(row, "jpeg"))
    return Answer(tuple(pictures), words)
