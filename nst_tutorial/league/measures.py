"""What a referee measures on a stylised picture: not what the contestants minimise.

Whoever minimises the distance of Gram matrices at relu3_1 has a small one there: that says nothing
about the picture. So the referee looks at other layers, with another distance, and at the pixels
themselves (Goodhart's law: a measure that has become a target is no measure any more).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import check_image
from ..images.color import luminance
from ..images.resizing import resize, shape_of
from ..kernels.moments import positions
from ..noise.level import flat_regions, noise_level
from ..tiling.targets import features_of
from ..vgg.network import VGG19

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
"""None of them is a style layer of any preset but `nnst`, which matches features there too."""
CONTENT_LAYER = "relu4_2"
LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)
MOST_POINTS = 2048  # of a layer or a picture that are compared with each other
PATCH = 7  # pixels on a side
OCTAVES = 3  # at which patches are compared
SMALLEST = 8 * PATCH  # pixels on each side of every picture


@dataclass(frozen=True)
class Measures:
    """Where a picture lies between its content and its style.

    The content itself has 1, 1, 1, 1 and its own grain. A picture with all of the style has style
    and patches near 0; not 0, unless it is the style itself, since samples of points are compared.
    """

    style: float
    """Energy distance of its features from the style's, as a share of the content's.

    That is a squared distance: a mixture of both in halves has ¼.
    """
    patches: float
    """The same of its patches of 7×7 pixels without their mean colour, at three scales.

    No network looks at these.
    """
    edges: float
    """How far its edges are the content's: `edge_coherence`, about ½ for unrelated pictures."""
    features: float
    """The correlation of relu4_2 with the content's, at most 1.

    That is the content layer of most presets, so what they are told to keep.
    """
    grain: float
    """Noise in the content's flat regions, in grey levels of 255."""


def measure(content: Tensor, style: Tensor, picture: Tensor, model: VGG19) -> Measures:
    """Return what a picture has of its content and of its style; see `Referee`."""
    return Referee(content, style, model).measure(picture)


class Referee:
    """Measures all pictures of one content and style.

    Parameters
    ----------
    content, style
        (1, 3, H, W), sRGB, 0..1, at least 56 pixels on each side.
    model
        With the weights of the run; max pooling.

    Raises
    ------
    ValueError
        A picture that is too small; a content that is the style.
    """

    def __init__(self, content: Tensor, style: Tensor, model: VGG19):
        _check_size("content", content)
        _check_size("style", style)
        self.content, self.model = content, model
        self.features = features_of(model, content, LAYERS)
        aim = features_of(model, style, STYLE_LAYERS)
        self.layers = {
            name: Way(_points(self.features[name]), _points(aim[name])) for name in STYLE_LAYERS
        }
        self.octaves = [
            Way(patches(content, octave), patches(style, octave)) for octave in range(OCTAVES)
        ]

    def measure(self, picture: Tensor) -> Measures:
        """What a picture of the content's size has of both; ValueError if it has another size."""
        _check_size("picture", picture)
        if picture.shape != self.content.shape:
            raise ValueError(
                f"the picture {tuple(picture.shape)} and its content {tuple(self.content.shape)} "
                "must be of one size"
            )
        features = features_of(self.model, picture, LAYERS)
        return Measures(
            style=_mean([way.share(_points(features[name])) for name, way in self.layers.items()]),
            patches=_mean([way.share(patches(picture, i)) for i, way in enumerate(self.octaves)]),
            edges=edge_coherence(self.content, picture),
            features=correlation(self.features[CONTENT_LAYER], features[CONTENT_LAYER]),
            grain=noise_level(picture, flat_regions(self.content)),
        )


def _check_size(name: str, image: Tensor) -> None:
    check_image(name, image)
    if min(image.shape[2:]) < SMALLEST:
        size = f"{image.shape[3]}×{image.shape[2]}"
        raise ValueError(f"{name} must have {SMALLEST} pixels on each side, got {size}")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


# --- style ---------------------------------------------------------------------------------------


def energy_distance(x: Tensor, y: Tensor) -> float:
    """Return 2 E‖x - y‖ - E‖x - x'‖ - E‖y - y'‖ of points (M, C) and (M', C).

    Székely & Rizzo, "Energy statistics: A class of statistics based on distances", Journal of
    Statistical Planning and Inference 2013, equation 2.1: never below zero, and zero only for equal
    distributions. It is the squared MMD of the kernel -‖a - b‖ (Sejdinovic et al. 2013), which no
    style here minimises.
    """
    return _energy(x.double(), y.double(), _gap(y.double(), y.double()))


def _energy(x: Tensor, y: Tensor, within_y: float) -> float:
    return 2 * _gap(x, y) - _gap(x, x) - within_y


def _gap(x: Tensor, y: Tensor) -> float:
    """E‖x - y‖."""
    return float(torch.cdist(x, y).mean())


class Way:
    """From the points of a content to those of a style: energy distances as shares of the whole."""

    def __init__(self, begin: Tensor, aim: Tensor):
        self.aim = aim.double()
        self.within = _gap(self.aim, self.aim)
        self.whole = _energy(begin.double(), self.aim, self.within)
        if not self.whole > 0:
            raise ValueError(
                "content and style do not differ by this measure: there is no way between"
            )

    def share(self, x: Tensor) -> float:
        """How much of the way is left from x: 1 at the beginning, 0 at the end."""
        return _energy(x.double(), self.aim, self.within) / self.whole


def patches(image: Tensor, octave: int) -> Tensor:
    """Return some patches of an image, halved `octave` times, less their means: (M, 3 · 7 · 7)."""
    for _ in range(octave):
        image = F.avg_pool2d(image, 2)
    height, width = (side - PATCH + 1 for side in image.shape[2:])
    chosen = _some(height * width)
    down, across = chosen // width, chosen % width
    views = image[0].unfold(1, PATCH, 1).unfold(2, PATCH, 1)  # (3, H', W', 7, 7), without a copy
    drawn = views[:, down, across]  # (3, M, 7, 7)
    return (drawn - drawn.mean(dim=(2, 3), keepdim=True)).transpose(0, 1).flatten(1)


def _points(features: Tensor) -> Tensor:
    """Some positions of a layer's features (1, C, H, W): (M, C)."""
    points = positions(features)[0]
    return points[_some(len(points))]


def _some(count: int) -> Tensor:
    """At most `MOST_POINTS` of the numbers below `count`, drawn evenly, the same each time."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(0))[:MOST_POINTS]


# --- content -------------------------------------------------------------------------------------


def edge_coherence(content: Tensor, picture: Tensor) -> float:
    """Return how far the edges of two pictures of one size coincide, 0..1.

    Σ |g · h| / √(Σ‖g‖² Σ‖h‖²), g and h being the gradients of their luminance, a little smoothed:
    1 if each gradient of the one is the same multiple of the other's, whatever its sign, since an
    edge may turn from dark-on-bright to bright-on-dark. Strokes across an edge, and strokes where
    there is no edge, lower it. By chance it is about ½, since signs do not count.
    """
    g, h = (_gradient(luminance(x)) for x in (content, picture))
    shared = (g * h).sum(dim=1).abs().sum()
    norm = (g.square().sum() * h.square().sum()).sqrt()
    return float(shared / norm) if norm > 0 else 0.0


def _gradient(grey: Tensor) -> Tensor:
    """(1, 1, H, W) → (1, 2, H, W), of the picture smoothed over about 1/128 of its longer side."""
    from scipy.ndimage import gaussian_filter

    sigma = max(1.0, max(grey.shape[2:]) / 128)
    smooth = torch.from_numpy(gaussian_filter(grey[0, 0].double().cpu().numpy(), sigma))
    return torch.stack(torch.gradient(smooth))[None]


def correlation(x: Tensor, y: Tensor) -> float:
    """Return the correlation of two layers' features (1, C, H, W), each less its channels' means.

    So what a channel does everywhere does not count: that is style.
    """
    x, y = (f.double() - f.double().mean(dim=(2, 3), keepdim=True) for f in (x, y))
    norm = x.norm() * y.norm()
    return min(1.0, float((x * y).sum() / norm)) if norm > 0 else 0.0


def same_size(picture: Tensor, content: Tensor) -> Tensor:
    """Return a picture in the content's size: some programs cut or round."""
    return resize(picture, shape_of(content)).clamp(0, 1)
