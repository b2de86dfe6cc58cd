"""Train a decoder: features moved to any style, decoded, must be seen by VGG19 as what they were.

Huang & Belongie 2017, section 5: with the encoder f, t = AdaIN(f(c), f(s)) and the decoder g,

    L = ‖f(g(t)) - t‖² + λ Σ_l ‖μ_l(g(t)) - μ_l(s)‖² + ‖σ_l(g(t)) - σ_l(s)‖²  (equations 11 to 13),

the first at the decoder's deepest layer; each term is divided here by its magnitude at the target.
Three things are added: the distance of the Gram matrices beside those of means and deviations; t by
WCT in a part of the steps, for which the same decoder serves; and how far a picture is from its own
features decoded, ‖g(f(c)) - c‖².
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checks import check_integer, check_number
from ..kernels.moments import positions
from ..learning.budget import Budget
from ..learning.loop import Learnt, Step, learn
from ..learning.stream import PictureStream
from ..machine.malloc import keep_freed_memory
from ..optimize.loop import Callback
from ..storage.fingerprints import fingerprint, fingerprint_of_network
from ..vgg.calibration import fastest
from ..vgg.network import VGG19, load_vgg19
from .decoder import Decoder, Features
from .statistics import adain, mean_and_deviation, spectrum, wct
from .views import draw_styles

LEARNING_RATE = 1e-3
LONGEST_GRADIENT = 2.0  # times the usual: next to a style almost of one colour all errors are huge
NORMALIZED_ON = 16  # photographs, for the units in which features enter
WCT_STEPS = 0.4  # part of the steps in which features are moved by WCT
SECONDS_A_PIXEL = 3e-6  # of a step, roughly: so a budget tells how much VGG19 will look at
WEIGHTS = {"features": 1.0, "style": 1.0, "reconstruction": 20.0, "out of range": 20.0}


def train_decoder(
    decoder: Decoder,
    photographs: PictureStream,
    styles: PictureStream,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    batch: int = 4,
    style_weight: float = WEIGHTS["style"],
    learning_rate: float = LEARNING_RATE,
    decay: float = 0.999,
    seed: int = 0,
    device: str = "auto",
    model: VGG19 | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    callback: Callback | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Learnt:
    """Teach a decoder, in place, to make pictures of features in any style.

    It ends with the average of its weights, and its `settings` say how it was trained.

    Parameters
    ----------
    decoder
        The network; it may have learnt before.
    photographs, styles
        Streams of cut-outs. A quarter of the styles are photographs, too.
    minutes, steps
        The budget: whichever is spent first, preparations included.
    batch
        Photographs a step, each in another style.
    style_weight
        λ: more of the style's statistics, for less of what the features say.
    learning_rate, decay, seed, device, model
        As in `texture_networks.train_painter`.
    checkpoint, checkpoint_every, callback, clock
        As in `learning.learn`: killed at any moment, the same call goes on.

    Raises
    ------
    ValueError
        A wrong value; folders in which nothing can be used; a checkpoint of another training.
    """
    begun = clock()
    budget = Budget(steps, minutes)
    batch, seed = check_integer("batch", batch, 1), check_integer("seed", seed, 0)
    weights = {**WEIGHTS, "style": check_number("style_weight", style_weight)}
    model = _network(model, device, budget, batch * photographs.size**2)
    decoder.to(model.mean)
    layers = list(decoder.layers)

    def seen_in(pictures: Tensor) -> Features:
        return model(pictures, layers)

    numbers = np.random.default_rng([seed])
    with torch.no_grad():
        crops = photographs.batch(NORMALIZED_ON, numbers).to(model.mean)
        seen = [seen_in(one) for one in crops.split(1)]
    for layer, expected in zip(layers, decoder.design["channels"], strict=True):
        if seen[0][layer].shape[1] != expected:
            raise ValueError(
                f"the decoder takes {expected} channels of {layer}, and the network has "
                f"{seen[0][layer].shape[1]}"
            )
    decoder.normalize({layer: torch.cat([one[layer] for one in seen]) for layer in layers})
    reduced = torch.bfloat16 if "bfloat16" in model.convolutions else None
    provenance = {
        "vgg_weights": model.weights, "pooling": model.pooling, "edges": model.edges,
        "batch": batch, "size": photographs.size, "learning_rate": learning_rate, "decay": decay,
        "seed": seed, "minutes": minutes, "weights": weights,
    }  # fmt: skip
    identity = {} if checkpoint is None else {
        **provenance, "decoder": decoder.design, "convolutions": model.convolutions,
        "photographs": photographs.identity(), "styles": styles.identity(),
        "network": fingerprint_of_network(model),
        "first weights": fingerprint(torch.cat([w.flatten() for w in decoder.parameters()])),
    }  # fmt: skip

    def step(number: int) -> Step:
        numbers = np.random.default_rng([seed, 0, number])
        crops = photographs.batch(batch, numbers).to(model.mean)
        drawn = draw_styles([styles, styles, styles, photographs], batch, numbers)
        by_wct = bool(numbers.random() < WCT_STEPS)
        own = max(1, batch // 4)  # of the photographs are decoded as they are, as well
        with torch.no_grad():
            f, style = seen_in(crops), seen_in(drawn.to(model.mean))
            t = {layer: moved(f[layer], style[layer], by_wct) for layer in layers}
            both = {layer: torch.cat([t[layer], f[layer][:own]]) for layer in layers}
        with torch.autocast(model.device.type, reduced, enabled=reduced is not None):
            images = decoder(both)
        images = images.to(crops)
        terms = losses(seen_in(images[:batch]), t, style, images, crops[:own])
        total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        total.backward()
        values = {name: float(value.detach()) for name, value in terms.items()}
        return Step(float(total.detach()), values, images[:batch])

    learnt = learn(
        decoder, step, budget, learning_rate=learning_rate, decay=decay,
        longest_gradient=LONGEST_GRADIENT, checkpoint=checkpoint, checkpoint_every=checkpoint_every,
        identity=identity, callback=callback,
        term_weights=weights, clock=clock, begun=begun,
    )  # fmt: skip
    decoder.settings = {
        **provenance, "convolutions": model.convolutions, "steps": len(learnt.history),
        "seconds": round(learnt.seconds, 1), "photographs": len(photographs),
        "styles": len(styles),
    }  # fmt: skip
    return learnt


def moved(f: Tensor, style: Tensor, by_wct: bool) -> Tensor:
    """Features (N, C, H, W) with the statistics of as many styles: by AdaIN, or by WCT."""
    if not by_wct:
        return adain(f, *mean_and_deviation(style))
    pairs = zip(f.split(1), style.split(1), strict=True)
    return torch.cat([wct(one, spectrum(y)) for one, y in pairs])


def losses(
    seen: Features, t: Features, style: Features, images: Tensor, own: Tensor
) -> Mapping[str, Tensor]:
    """Return each term, a scalar, of decoded pictures.

    Parameters
    ----------
    seen
        What VGG19 sees in the pictures decoded from t, layer → (N, C, H, W), fine to coarse.
    t, style
        What it should see, and what it sees in each style.
    images
        Those N pictures, and after them those decoded from the features of the photographs `own`.
    """
    deepest = list(t)[-1]
    decoded = images[len(t[deepest]) :]
    apart = [
        relative_error(a, b)
        for layer in t
        for a, b in zip(statistics_of(seen[layer]), statistics_of(style[layer]), strict=True)
    ]
    return {
        "features": relative_error(seen[deepest], t[deepest]),
        "style": torch.stack(apart).sum() / len(t),
        "reconstruction": (decoded - own).square().mean(),
        "out of range": (images - images.clamp(0, 1)).square().mean(),
    }


def statistics_of(features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and deviation of each channel, (N, C, 1, 1), and Gram matrices (N, C, C)."""
    F = positions(features)
    return *mean_and_deviation(features), F.mT @ F / F.shape[1]


def relative_error(x: Tensor, target: Tensor) -> Tensor:
    """‖x - y‖² / ‖y‖² for the targets y, in the mean over the first dimension."""
    off, size = ((x - target).square().flatten(1).sum(1), target.square().flatten(1).sum(1))
    return (off / size.clamp(min=torch.finfo(x.dtype).tiny)).mean()


def _network(model: VGG19 | None, device: str, budget: Budget, pixels: int) -> VGG19:
    """The network that looks at everything, by its fastest convolutions."""
    model = model or load_vgg19(device=device).with_paths("auto")
    if model.device.type == "cpu":
        keep_freed_memory()
    spent = 60 * (budget.minutes or 0) / SECONDS_A_PIXEL
    return fastest(model, budget.steps * pixels if budget.steps else spent)
