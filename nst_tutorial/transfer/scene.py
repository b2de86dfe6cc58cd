"""The pictures of a run as the network sees them, and what they are compared by at each scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..images.color import grey
from ..images.resizing import resize, shape_of
from ..kernels.registry import kernels_of_layers
from ..kernels.statistic import reach_of
from ..losses.balance import balanced_weights, starting_norms
from ..losses.objective import Objective
from ..machine.modes import leaving_inference_mode
from ..one_pass.painting import paint
from ..optimize.grid import GridAtScales
from ..presets import Settings
from ..tiling.engine import Engine, with_smaller_tiles
from ..tiling.planning import Stage
from ..tiling.windows import can_be_cut
from ..vgg.network import VGG19
from .builder import make_objective
from .request import Request
from .styles import StyleSource, matched, recolored


@dataclass(frozen=True, eq=False)
class Scene:
    """Pictures on the network's device, in the colours that the settings ask for.

    All are at full size, but for the start of a run that enlarges a small result.
    """

    content: Tensor | None
    styles: tuple[StyleSource, ...]
    start: Tensor
    detail: Tensor | None
    """The picture whose fine detail each scale begins with: the start, if that is the content, or
    the content in other colours; the content, if a small result is enlarged. Other starts have
    none: noise, a style and any other picture are not to show the content before they are moved."""


def prepare(request: Request, model: VGG19) -> Scene:
    """Return the scene of a request."""
    settings, like = request.settings, model.mean
    styles = [source.to(like) for source in request.styles]
    content = None if request.content is None else request.content.detach().to(like)
    if content is not None:
        content, styles = recolored(content, styles, settings)
    start = _start(request, content, styles, like)
    if settings.color == "luminance":
        start = grey(start)
    return Scene(content, tuple(styles), start, _detail(request, content, start))


def _detail(request: Request, content: Tensor | None, start: Tensor) -> Tensor | None:
    if request.enlarges:
        return content
    return start if content is not None and request.settings.start in ("content", "match") else None


def grids_of(scene: Scene, settings: Settings) -> GridAtScales | None:
    """Return the grid of colour maps of a run whose parametrisation is one, else None."""
    if settings.parametrization != "grid" or scene.content is None:
        return None
    return GridAtScales(scene.content, settings)


def _start(
    request: Request, content: Tensor | None, styles: list[StyleSource], like: Tensor
) -> Tensor:
    kind, shape = request.settings.start, request.shape
    if request.start is not None:
        picture = request.start.detach().to(like)
        return picture if request.enlarges else resize(picture, shape)
    if kind == "content" and content is not None:
        return content
    if kind == "match" and content is not None and styles:
        return matched(content, styles, request.settings)
    if kind == "one-pass" and content is not None and styles:
        return _painted_in_one_pass(content, styles)
    if kind == "style" and styles:
        return resize(styles[0].picture, shape)
    if content is not None and styles:
        return uniform_noise(shape, request.seed, like)
    return noise(shape, request.seed, content if content is not None else styles[0].picture)


def _painted_in_one_pass(content: Tensor, styles: list[StyleSource]) -> Tensor:
    """The content in all the styles by a trained decoder, see `one_pass.paint`."""
    beside = [source.beside(shape_of(content)) for source in styles]
    picture = paint(
        content.float(), [source.picture.float() for source in beside],
        style_mix=[source.share for source in beside],
        content_masks=[source.content_mask for source in beside],
        style_masks=[source.style_mask for source in beside],
        device=str(content.device),
    )  # fmt: skip
    return picture.to(content)


def uniform_noise(shape: tuple[int, int], seed: int, like: Tensor) -> Tensor:
    """White noise (1, 3, H, W), uniform in 0..1, on the device and in the type of a tensor."""
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
    z = torch.rand((1, 3, *shape), generator=generator, dtype=torch.float32)
    return z.to(like)


def noise(shape: tuple[int, int], seed: int, like: Tensor) -> Tensor:
    """White noise (1, 3, H, W) with the mean and standard deviation of each channel of `like`."""
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device
    z = torch.randn((1, 3, *shape), generator=generator, dtype=torch.float32).to(like)
    mean, std = like.mean(dim=(2, 3), keepdim=True), like.std(dim=(2, 3), keepdim=True)
    return mean + std * z


class Objectives:
    """Makes the objective of each scale of a run.

    Parameters
    ----------
    scene, settings
        What is compared, and how.
    model
        Looks at the result.
    style_model
        Looks at the styles; None: the same. (Of a texture that continues on its opposite side only
        the result does so.)
    seed
        Of the noise at which a term is measured that has no gradient at the start.
    coarsest
        Longer side of the result at the coarsest scale of a whole run; None: there is one scale.
    gradient_norms
        With balance="gradient": the norms to balance with, from the checkpoint of a run that goes
        on. Otherwise they are measured at the first scale, and kept from then on.
    """

    def __init__(
        self,
        scene: Scene,
        settings: Settings,
        model: VGG19,
        style_model: VGG19 | None = None,
        *,
        seed: int = 0,
        coarsest: int | None = None,
        gradient_norms: Mapping[str, float] | None = None,
    ):
        self.scene, self.settings, self.seed = scene, settings, seed
        self.coarsest = coarsest
        self.model, self.style_model = model, style_model or model
        self.gradient_norms = dict(gradient_norms or {})
        self._latest: Engine | None = None

    def at(self, stage: Stage) -> Engine:
        """Return the objective at a scale: its targets measured, its terms balanced."""
        shape = stage.height, stage.width
        content = None if self.scene.content is None else resize(self.scene.content, shape)
        fineness = self._fineness(max(shape))
        styles = [
            replace(source.beside(shape), share=source.share_at(fineness))
            for source in self.scene.styles
        ]
        side = stage.tile or self._side_for(styles, max(shape))
        self._latest = None  # the coarser one may go before this one needs the memory

        def targets(side: int | None) -> Objective:
            return make_objective(self.style_model, content, styles, self.settings, side)

        objective = with_smaller_tiles(targets, side, max(shape), self.model.device)
        if self.style_model is not self.model:
            objective = Objective(self.model, objective.terms, objective.term_weights)
        engine = Engine(objective, stage.tile)
        if self.settings.balance == "gradient" and self.scene.styles:
            self._balance(engine, shape)
        self._latest = engine
        return engine

    def _fineness(self, longer: int) -> float:
        """How far a scale is on the way from the coarsest, 0, to the finest, 1, in doublings."""
        whole = self.scene.start if self.scene.content is None else self.scene.content
        finest = max(shape_of(whole))  # a start may be smaller
        if self.coarsest is None or self.coarsest >= finest:
            return 1.0
        return math.log(longer / self.coarsest) / math.log(finest / self.coarsest)

    def _side_for(self, styles: list[StyleSource], longer: int) -> int | None:
        """Tiles as large as the result for a style that is larger, so that it needs no more memory.

        Not for a picture that continues on its opposite side, where it cannot be cut so.
        """
        kernels = kernels_of_layers(self.settings.kernel, self.settings.style_layers)
        reaches = {layer: reach_of(kernel) for layer, kernel in kernels.items()}
        circular = self.style_model.padding == "circular"
        pictures = [source.picture for source in styles]
        if circular and not all(
            can_be_cut(shape_of(picture), reaches, reaches) for picture in pictures
        ):
            return None
        return longer if any(max(shape_of(picture)) > longer for picture in pictures) else None

    @leaving_inference_mode
    def _balance(self, engine: Engine, shape: tuple[int, int]) -> None:
        if not self.gradient_norms:
            both = self.scene.content is not None and bool(self.scene.styles)
            elsewhere = uniform_noise(shape, self.seed, self.scene.start) if both else None
            # Of an enlarged result the content, with which the run that made it began
            first = self.scene.start if self.scene.detail is None else self.scene.detail
            start = resize(first, shape)
            self.gradient_norms = starting_norms(engine, start, elsewhere)
        engine.reweight(balanced_weights(engine.term_weights, self.gradient_norms))

    def tile_of(self, stage: Stage) -> int | None:
        """Side of the tiles that the last objective used, or that a plan says where none was."""
        return stage.tile if self._latest is None else self._latest.tile
