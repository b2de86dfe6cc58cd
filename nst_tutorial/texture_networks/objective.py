"""What a texture network is trained with: the loss of a batch of pictures, and its distance.

No loss of its own: each picture of the batch is evaluated by `engine.Engine`, term by term as in an
optimisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ..checks import check_pictures
from ..kernels.registry import Kernel
from ..losses.objective import Evaluation, Objective
from ..presets import Settings, get_preset
from ..tiling.engine import Engine
from ..transfer.builder import choose_model, make_objective
from ..transfer.options import check_settings, chosen_options
from ..vgg.network import VGG19

OPTIONS = (
    *("vgg_weights", "pooling", "rescale", "convolutions", "precision"),
    *("style_normalization", "content_normalization"),
    *("style_weight", "content_weight", "content_layers", "tv_weight", "range_weight"),
)


class BatchObjective:
    """The mean loss of several pictures, and its gradient: the same terms as for one picture."""

    def __init__(self, model: VGG19, style: Tensor, settings: Settings, diversity: float = 0.0):
        self.settings, self.diversity = settings, float(diversity)
        self.shared = make_objective(model, None, style, settings)
        self.term_weights: dict[str, float] = {}

    def value_and_gradient(self, images: Tensor, contents: Tensor | None = None) -> Evaluation:
        """Evaluate at pictures (N, 3, H, W), for stylisation with the contents of each."""
        images = images.detach()
        evaluations = [
            self._engine(None if contents is None else contents[i : i + 1]).value_and_gradient(
                images[i : i + 1]
            )
            for i in range(len(images))
        ]
        terms = {
            name: sum(each.terms[name] for each in evaluations) / len(evaluations)
            for name in evaluations[0].terms
        }
        gradient = torch.cat([each.gradient for each in evaluations]) / len(evaluations)
        total = sum(each.total for each in evaluations) / len(evaluations)
        if self.diversity:
            leaf = images.clone().requires_grad_()
            with torch.enable_grad():
                value = nearness(leaf)
                gradient += self.diversity * torch.autograd.grad(value, leaf)[0]
            terms["nearness"], self.term_weights["nearness"] = float(value.detach()), self.diversity
            total += self.diversity * terms["nearness"]
        return Evaluation(total, terms, gradient)

    def _engine(self, content: Tensor | None) -> Engine:
        terms, weights = self.shared.terms, self.shared.term_weights
        if content is not None:
            likeness = make_objective(self.shared.model, content, None, self.settings)
            terms, weights = {**likeness.terms, **terms}, {**likeness.term_weights, **weights}
        self.term_weights = {**self.term_weights, **weights}
        return Engine(Objective(self.shared.model, terms, weights))


def nearness(images: Tensor) -> Tensor:
    """- mean ln ρ_i, ρ_i being the distance of picture i (of N) to its nearest neighbour.

    The distance is the root mean square over the pixels. ln ρ is, up to constants, the estimate of
    the entropy after Kozachenko & Leonenko: pictures that are all alike have none (Ulyanov, Vedaldi
    & Lempitsky 2017, "Improved Texture Networks", arXiv 1701.02096, section 3).
    """
    flat = images.flatten(1)
    squares = (flat[:, None] - flat[None]).square().mean(dim=2)
    apart = squares + torch.diag(torch.full_like(squares[0], torch.inf))
    return -0.5 * (apart.min(dim=1).values + 1e-8).log().mean()


def style_distance(
    image: Tensor,
    style: Tensor,
    *,
    kernel: Kernel | Mapping[str, Kernel] = "gram",
    layers: Mapping[str, float] | Iterable[str] | None = None,
    device: str = "auto",
    model: VGG19 | None = None,
) -> float:
    """How far a picture is from a style: Σ weight · relative distance of each layer's statistic.

    0: the same statistics; 1: as far off as a picture without any features (the default weights
    add up to 1). It is the style part of what `synthesize_texture` minimises, over `style_weight`.

    >>> import nst_tutorial as nst
    >>> style, content = nst.load_image("starry_night", 64), nst.load_image("temple", 64)
    >>> style_distance(style, style, device="cpu")
    0.0
    >>> style_distance(content, style, device="cpu") > 0.1
    True
    """
    check_pictures({"image": image, "style": style})
    settings = training_settings(
        {"style_weight": 1.0, "range_weight": 0.0}, kernel, layers, False, 0
    )
    model = choose_model(settings, device, model)
    objective = make_objective(model, None, style.to(model.mean), settings)
    with torch.no_grad():
        values = objective.values(image.to(model.mean))
    return float(sum(objective.term_weights[name] * value for name, value in values.items()))


def training_settings(
    options: Mapping, kernel: Kernel, layers, stylizes: bool, steps: int
) -> Settings:
    """Settings from the options of `train_generator`; a ValueError names what is wrong."""
    options = chosen_options(options, OPTIONS)
    if not stylizes and "content_layers" in options:
        raise ValueError("content_layers mean nothing without contents")
    if layers is not None and not isinstance(layers, Mapping):
        layers = dict.fromkeys([layers] if isinstance(layers, str) else layers, 1.0)
    chosen = dict(options) if layers is None else {**options, "style_layers": layers}
    if not stylizes:
        chosen["content_layers"] = {}
    return check_settings(
        replace(get_preset("gram"), kernel=kernel, start="noise", steps=steps, **chosen)
    )
