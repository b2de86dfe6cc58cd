"""Train a painter: the losses of an optimisation, passed on from the pixels to the weights.

As for a generator (`training`), with what a network for any photograph needs: a stream of
photographs, a budget in minutes, the average of the weights, and a content weight that is found.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checks import SMALLEST_SIDE, check_integer, check_number, check_pictures
from ..images.reading import load_image
from ..kernels.registry import Kernel
from ..learning.budget import Budget
from ..learning.loop import Learnt, Step, learn
from ..learning.stream import PictureStream
from ..losses.objective import Objective
from ..optimize.loop import Callback
from ..presets import Settings
from ..storage.fingerprints import fingerprint
from ..storage.tensor_files import read_header
from ..tiling.engine import Engine
from ..transfer.builder import choose_model, make_objective
from ..transfer.options import chosen_options, settings_from
from ..transfer.provenance import record
from ..transfer.scene import uniform_noise
from ..vgg.network import VGG19
from .checkpoint import fingerprint_of_tensors
from .objective import OPTIONS, BatchObjective, style_distance
from .painter import Painter
from .planning import check_memory_of_training

UNUSED = (  # settings of an optimisation that mean nothing for a training
    *("start", "coarse_to_fine", "scale_factor", "parametrization", "method", "lbfgs_pairs"),
    *("average", "balance", "style_scale", "style_mix", "color", "color_method", "regions"),
    *("keep_faces", "grain_weight", "grid_size", "grid_depth", "smoothness", "guide", "denoise"),
)
LEARNING_RATE = 3e-3
MEASURED_ON = 4  # photographs, for the content weight
CONTENT_SHARE = 0.1  # as much of the content as `stylize` keeps by default
SECONDS_A_PIXEL = 3e-6  # of a training's step, roughly: a budget tells how much is looked at


def train_painter(
    painter: Painter,
    style: Tensor,
    photographs: PictureStream,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    batch: int = 4,
    kernel: Kernel | Mapping[str, Kernel] | None = None,
    layers: Mapping[str, float] | Iterable[str] | None = None,
    content_share: float = CONTENT_SHARE,
    learning_rate: float = LEARNING_RATE,
    decay: float = 0.999,
    seed: int = 0,
    device: str = "auto",
    model: VGG19 | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    callback: Callback | None = None,
    clock: Callable[[], float] = time.perf_counter,
    **options,
) -> Learnt:
    """Teach a painter, in place, to repaint photographs in a style.

    What is minimised is what `stylize` minimises, in the mean over cut-outs of photographs. The
    painter ends with the average of its weights, and its `settings` say how it was trained.

    Parameters
    ----------
    painter
        The network; it may have learnt before.
    style
        (1, 3, H, W), sRGB, 0..1, at the size at which its strokes are to be learnt.
    photographs
        Where the cut-outs come from; their size is that of the training.
    minutes, steps
        The budget: whichever is spent first, preparations included. The learning rate follows it,
        see `learning.rate_at`.
    batch
        Photographs a step.
    kernel, layers
        The style statistic, and layer → weight (or names of equal weight); None: the default
        preset's.
    content_share
        How much of the content: the length of its gradient at noise over that of the style's
        gradient at a photograph. The content weight follows from it, unless it is among the
        `options`.
    learning_rate, decay
        The highest rate of Adam; the decay of the average, see `learning.WeightAverage`.
    seed
        Of the choice of photographs and cut-outs.
    device, model
        As in `stylize`.
    checkpoint, checkpoint_every, callback, clock
        As in `learning.learn`: killed at any moment, the same call goes on.
    options
        Further settings, those in `objective.OPTIONS`.

    Raises
    ------
    ValueError
        A wrong value; photographs of which none can be used; more than the memory holds; a
        checkpoint of another training or a damaged one.
    """
    begun = clock()
    budget = Budget(steps, minutes)
    batch, seed = check_integer("batch", batch, 1), check_integer("seed", seed, 0)
    settings = painter_settings(kernel, layers, options)
    check_pictures({"style": style})
    size = photographs.size
    check_integer("the side of a cut-out", size, 2 * SMALLEST_SIDE)
    pixels = steps * batch * size**2 if steps else 60 * (minutes or 0) / SECONDS_A_PIXEL
    model = choose_model(settings, device, model, pixels=pixels, checkpoint=checkpoint)
    check_memory_of_training(painter.design["width"], size, batch, model.device)
    painter.to(model.mean)
    style = style.to(model.mean)
    if options.get("content_weight") is None:
        weight = _recorded_weight(checkpoint)
        if weight is None:
            crops = photographs.batch(MEASURED_ON, np.random.default_rng([seed])).to(model.mean)
            weight = balanced_content_weight(model, style, settings, crops, content_share)
        settings = replace(settings, content_weight=weight)
    provenance = {
        "style_size": list(style.shape[2:]), **record(settings, model, seed), "batch": batch,
        "size": size, "learning_rate": learning_rate, "decay": decay,
        "content_share": content_share, "minutes": minutes,
    }  # fmt: skip
    provenance = {name: value for name, value in provenance.items() if name not in UNUSED}
    identity = {} if checkpoint is None else {
        **provenance, "painter": painter.design, "style": fingerprint(style),
        "photographs": photographs.identity(), "network": fingerprint_of_tensors(model.buffers()),
        "first weights": fingerprint_of_tensors(painter.state_dict().values()),
    }  # fmt: skip
    objective = BatchObjective(model, style, settings)

    def step(number: int) -> Step:
        crops = photographs.batch(batch, np.random.default_rng([seed, number])).to(model.mean)
        images = painter(crops)
        evaluation = objective.value_and_gradient(images, crops)
        images.backward(evaluation.gradient)  # ∂L/∂w = (∂x/∂w)ᵀ ∂L/∂x
        return Step(evaluation.total, evaluation.terms, images)

    learnt = learn(
        painter, step, budget, learning_rate=learning_rate, decay=decay, checkpoint=checkpoint,
        checkpoint_every=checkpoint_every, identity=identity, callback=callback,
        term_weights=objective.term_weights, clock=clock, begun=begun,
    )  # fmt: skip
    painter.settings = {
        **provenance, "steps": len(learnt.history), "seconds": round(learnt.seconds, 1),
        "photographs": len(photographs),
    }  # fmt: skip
    return learnt


MEASURED_AT = "temple", 384  # the content of the measures in a painter's file, which is bundled


def measure(painter: Painter, style: Tensor, device: str = "auto") -> dict:
    """Return how far a bundled photograph is from the style, repainted and before.

    Style distances are those of Gram matrices, `objective.style_distance`.
    """
    name, size = MEASURED_AT
    content = load_image(name, size, kind="content")
    painted = painter.repaint(content)
    return {
        "content": name, "size": size,
        "style_distance": style_distance(painted.cpu(), style, device=device),
        "before": style_distance(content, style, device=device),
    }  # fmt: skip


def painter_settings(
    kernel: Kernel | Mapping[str, Kernel] | None,
    layers: Mapping[str, float] | Iterable[str] | None,
    options: Mapping,
) -> Settings:
    """Settings from the arguments of `train_painter`; a ValueError names what is wrong."""
    chosen = chosen_options(options, OPTIONS)
    if layers is not None and not isinstance(layers, Mapping):
        layers = dict.fromkeys([layers] if isinstance(layers, str) else layers, 1.0)
    if layers is not None:
        chosen["style_layers"] = layers
    if kernel is not None:
        chosen["kernel"] = kernel
    return settings_from("default", chosen)


def balanced_content_weight(
    model: VGG19, style: Tensor, settings: Settings, contents: Tensor, share: float
) -> float:
    """Return the content weight at which its gradient is `share` times as long as the style's.

    The style's gradient is that of all its terms in their weights, at the contents (N, 3, H, W)
    themselves, and the content's that at noise, since it has none at the contents; in the mean of
    the N.

    Raises
    ------
    ValueError
        A gradient is 0, so that there is nothing to balance: the contents have the style already.
    """
    share = check_number("content_share", share, above=0)
    whole = make_objective(model, None, style, settings)
    names = [name for name in whole.terms if name.startswith("style")]
    styles = _part(whole, names)
    norms = []
    for i, content in enumerate(contents.split(1)):
        alike = make_objective(model, content, None, replace(settings, content_weight=1.0))
        noise = uniform_noise((content.shape[2], content.shape[3]), i, content)
        likeness = _part(alike, [n for n in alike.terms if n.startswith("content")])
        pair = (styles, content), (likeness, noise)
        norms.append([float(o.value_and_gradient(x).gradient.norm()) for o, x in pair])
    of_style, of_content = torch.tensor(norms, dtype=torch.float64).mean(dim=0).tolist()
    if not (of_style > 0 and of_content > 0):
        raise ValueError(
            "the content weight cannot be found, since a gradient is 0: give content_weight"
        )
    return share * of_style / of_content


def _recorded_weight(checkpoint: str | Path | None) -> float | None:
    """The content weight of an unfinished training: measured anew, its last digit may differ."""
    header = {} if checkpoint is None else read_header(checkpoint)
    try:
        weight = json.loads(header["identity"])["content_weight"]
    except (LookupError, TypeError, ValueError):  # `resume` says what is wrong with the file
        return None
    return float(weight) if isinstance(weight, int | float) else None


def _part(objective: Objective, names: Iterable[str]) -> Engine:
    """Some of an objective's terms in their weights."""
    terms = {name: objective.terms[name] for name in names}
    weights = {name: objective.term_weights[name] for name in terms}
    return Engine(Objective(objective.model, terms, weights))
