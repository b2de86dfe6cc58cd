"""Train a decoder: features moved to any style, decoded, must be seen by VGG19 as what they were.

Huang & Belongie 2017, section 5: with the encoder f, t = AdaIN(f(c), f(s)) and the decoder g,

    L = ‖f(g(t)) - t‖² + λ Σ_l ‖μ_l(g(t)) - μ_l(s)‖² + ‖σ_l(g(t)) - σ_l(s)‖²  (equations 11 to 13),

each term here divided by its magnitude at the target, and added to it how far a picture is from its
own features decoded: ‖g(f(c)) - c‖².
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checks import check_integer, check_number
from ..learning.budget import Budget
from ..learning.loop import Learnt, Step, learn
from ..learning.stream import PictureStream
from ..machine.malloc import keep_freed_memory
from ..optimize.loop import Callback
from ..storage.fingerprints import fingerprint, fingerprint_of_network
from ..vgg.calibration import fastest
from ..vgg.network import VGG19, load_vgg19
from .decoder import Decoder
from .statistics import adain, mean_and_deviation
from .views import Statistics, StyleViews

LEARNING_RATE = 1e-3
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
NORMALIZED_ON = 16  # photographs, for the units in which features enter
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
    layer = decoder.design["layer"]
    layers = list(dict.fromkeys([*(n for n in STYLE_LAYERS if n <= layer), layer]))
    views = StyleViews([styles, styles, styles, photographs], model, layers, seed=seed)
    numbers = np.random.default_rng([seed])
    with torch.no_grad():
        crops = photographs.batch(NORMALIZED_ON, numbers).to(model.mean)
        seen = torch.cat([model(one, [layer])[layer] for one in crops.split(1)])
    if seen.shape[1] != decoder.design["channels"]:
        raise ValueError(
            f"the decoder takes {decoder.design['channels']} channels of {layer}, and the network "
            f"has {seen.shape[1]}"
        )
    decoder.normalize(seen)
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
        style = views.draw(batch, numbers)
        with torch.no_grad():
            f = model(crops, [layer])[layer]
            t = adain(f, *style[layer])
        own = max(1, batch // 4)  # of the photographs are decoded as they are, as well
        images = decoder(torch.cat([t, f[:own]]))
        terms = losses(model, images, t, style, layer, crops[:own])
        total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        total.backward()
        values = {name: float(value.detach()) for name, value in terms.items()}
        return Step(float(total.detach()), values, images[:batch])

    learnt = learn(
        decoder, step, budget, learning_rate=learning_rate, decay=decay, checkpoint=checkpoint,
        checkpoint_every=checkpoint_every, identity=identity, callback=callback,
        term_weights=weights, clock=clock, begun=begun,
    )  # fmt: skip
    decoder.settings = {
        **provenance, "convolutions": model.convolutions, "steps": len(learnt.history),
        "seconds": round(learnt.seconds, 1), "photographs": len(photographs),
        "styles": len(styles),
    }  # fmt: skip
    return learnt


def losses(
    model: VGG19, images: Tensor, t: Tensor, style: Statistics, layer: str, own: Tensor
) -> Mapping[str, Tensor]:
    """Return each term, a scalar, of decoded pictures.

    Parameters
    ----------
    images
        Of the features t, (N, 3, H, W), and after them those of the photographs `own`.
    t, style, layer
        What the features at the layer should be; each style's statistics; that layer.
    """
    painted, decoded = images[: len(t)], images[len(t) :]
    seen = model(painted, list(style))
    pairs = [(mean_and_deviation(seen[name]), style[name]) for name in style]
    apart = [
        sum(relative_error(a, b) for a, b in zip(*pair, strict=True)) / len(style) for pair in pairs
    ]
    return {
        "features": relative_error(seen[layer], t),
        "style": torch.stack([torch.as_tensor(value) for value in apart]).sum(),
        "reconstruction": (decoded - own).square().mean(),
        "out of range": (images - images.clamp(0, 1)).square().mean(),
    }


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
