"""Train a texture network: the style loss of `losses`, passed on from the pixels to the weights.

For one picture x the engine gives the loss L and its gradient ∂L/∂x, as for an optimisation. A
generator's picture is x = g(z; w), so ∂L/∂w = (∂x/∂w)ᵀ ∂L/∂x: the generator's own backward pass
begins with the gradient of the pixels. So every style statistic that an optimisation can use can
train a generator, at the same speed and in as little memory.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..checks import SMALLEST_SIDE, check_integer, check_number, check_pictures, output_shape
from ..kernels.registry import Kernel
from ..losses.objective import Evaluation
from ..optimize.loop import Callback, Progress
from ..storage.atomic import check_can_write
from ..storage.fingerprints import fingerprint
from ..transfer.builder import choose_model
from ..transfer.provenance import record
from ..vgg.network import VGG19
from .checkpoint import Best, fingerprint_of_tensors, note, resume
from .crops import identity_of, random_crop
from .generator import Generator
from .objective import BatchObjective, training_settings
from .planning import check_training

UNUSED = (
    *("start", "coarse_to_fine", "parameters", "method", "history", "balance", "style_scale"),
    *("begin_at", "settle"),
)
MOST_STEPS = 1_000_000  # days; the history of more would not fit into a checkpoint
HIGHEST_RATE = 1000.0  # Adam moves each weight by about the rate a step, and they are about 1
PATIENCE = 10  # steps that are not finite, in a row, before a training is given up
# A training has diverged if the losses of its last `LAST` steps are all above `DIVERGED` times the
# least loss. Adam overshoots at first: the second loss is often tenfold the first.
LAST, DIVERGED = 3, 10.0
EARLY, DIVERGED_EARLY = 30, 100.0  # in a training of fewer steps than `EARLY`


class DivergedError(ValueError):
    """The loss never fell below that of the network before the training, and ended far above it.

    `history` holds a row for each step, as `Training.history` does.
    """

    def __init__(self, message: str, history: list[dict]):
        super().__init__(message)
        self.history = history


@dataclass
class Training:
    """A generator and how it learnt."""

    generator: Generator
    history: list[dict] = field(default_factory=list)
    """One row a step: "evaluation", "size", "total", each term by name before its weight (means
    over the batch), "learning_rate", "seconds", and "event" where something went wrong."""

    term_weights: dict[str, float] = field(default_factory=dict)
    """The weight of each term in the total."""

    seconds: float = 0.0
    stopped: str | None = None
    """None if all steps were done, else "callback", "interrupted" (Ctrl-C) or "diverged"."""

    diverged: str = ""
    """What happened, if the loss rose far above its least value: then the generator has the weights
    from before."""


def train_generator(
    generator: Generator,
    style: Tensor,
    contents: Sequence[Tensor] = (),
    *,
    steps: int = 600,
    batch: int = 2,
    size: int = 128,
    learning_rate: float = 0.01,
    kernel: Kernel | Mapping[str, Kernel] = "gram",
    layers: Mapping[str, float] | Iterable[str] | None = None,
    diversity: float = 0.0,
    seed: int = 0,
    device: str = "auto",
    model: VGG19 | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 50,
    callback: Callback | None = None,
    **options,
) -> Training:
    """Teach a generator, in place, to make pictures that have a style's statistics.

    Adam with the paper's schedule, see `rate_at`. The paper takes 2000 steps of 16 pictures of 256
    pixels and begins with a rate of 0.1; the defaults here are for minutes on a CPU.

    Parameters
    ----------
    generator
        The network; it may have learnt before. Afterwards its `settings` say how it was trained.
    style
        (1, 3, H, W), sRGB, 0..1, at the size at which its grain is to be learnt.
    contents
        For a generator that stylises: pictures (1, 3, H, W), no side shorter than `size`, or a
        `crops.PictureFolder`. Each step repaints cut-outs of them at random places.
    steps, batch, size
        Steps of Adam; pictures a step; the side of these pictures in pixels.
    learning_rate
        Of Adam, at the beginning.
    kernel, layers
        The style statistic, and layer → weight (or names of equal weight), as in
        `synthesize_texture`, with whose losses those of a training can be compared.
    diversity
        Weight of a term that pushes the pictures of a batch apart, see `nearness`. 0: none.
    seed
        Of noise and cut-outs. (That of the first weights is the generator's own.)
    device, model
        As in `stylize`. The generator goes to the network's device and number type.
    checkpoint, checkpoint_every
        A file, and the number of steps after which the state is written to it, again and again. If
        the file is there already, the training goes on from it and ends, on a CPU bit for bit, as
        if it had never stopped.
    callback
        Called after each step with a `Progress`, whose picture is the first of the batch;
        returning True stops. Ctrl-C stops too. The generator is then as far as it got.
    options
        Further settings, those in `objective.OPTIONS`.

    A training whose loss ends far above its least value, or is not finite ten times in a row, has
    diverged: the generator gets the weights with the least loss, and `diverged` says so.

    Raises
    ------
    ValueError
        A wrong shape or value, an unknown name, more than the memory holds; a checkpoint of another
        training or a damaged one.
    DivergedError
        A ValueError, too: the training has diverged, and its least loss was the first one.
    """
    check_amounts(steps, batch, size, learning_rate)
    settings = training_settings(options, kernel, layers, bool(contents), steps)
    check_pictures({"style": style})
    if bool(contents) != generator.design["stylizes"]:
        raise ValueError("a generator that stylises learns from contents, and no other does")
    batch, seed, size = int(batch), check_integer("seed", seed, 0), int(size)
    steps = int(steps)
    if check_number("diversity", diversity) and batch < 2:
        raise ValueError("diversity compares the pictures of a batch: batch must be at least 2")
    model = choose_model(
        settings, device, model, pixels=steps * batch * size**2, checkpoint=checkpoint
    )
    check_training(generator.design, size, batch, next(model.buffers()).device)
    provenance = {
        "style_size": list(style.shape[2:]), **record(settings, model, seed), "batch": batch,
        "size": size, "learning_rate": learning_rate, "diversity": float(diversity),
    }  # fmt: skip
    provenance = {name: value for name, value in provenance.items() if name not in UNUSED}
    generator.to(model.mean).train()
    objective = BatchObjective(model, style.to(model.mean), settings, diversity)
    adam = torch.optim.Adam(generator.parameters(), lr=learning_rate)
    result, best = Training(generator), Best()
    if checkpoint is not None:
        check_integer("checkpoint_every", checkpoint_every, 1)
        check_can_write(checkpoint)
        identity = {
            **provenance, "generator": generator.design, "style": fingerprint(style),
            "contents": identity_of(contents), "network": fingerprint_of_tensors(model.buffers()),
            "first weights": fingerprint_of_tensors(generator.state_dict().values()),
        }  # fmt: skip
        result.history, result.seconds, best = resume(checkpoint, identity, generator, adam)
    begin = time.perf_counter() - result.seconds
    failures = 0  # in a row
    try:
        for done in range(len(result.history), steps):
            rate = learning_rate * rate_at(done / steps)
            images, evaluation = _evaluate(generator, objective, contents, size, batch, seed, done)
            best.update(generator, result.history, evaluation.total)
            event = _step(adam, rate, images, evaluation)
            failures = failures + 1 if event else 0
            result.term_weights, result.seconds = (
                objective.term_weights,
                time.perf_counter() - begin,
            )
            row = {
                "evaluation": done + 1, "size": size, "total": evaluation.total,
                **evaluation.terms, "learning_rate": rate, "seconds": result.seconds,
                **({"event": event} if event else {}),
            }  # fmt: skip
            result.history.append(row)
            if failures == PATIENCE or (event and done == 0):
                result.stopped = "diverged"
                break
            progress = Progress(
                done + 1, steps, evaluation.total, evaluation.terms, result.term_weights,
                result.seconds, (size, size), images[:1].detach(), event,
                (done + 1) / steps,
            )  # fmt: skip
            stop = callback is not None and callback(progress)
            last = stop or done + 1 == steps
            if checkpoint is not None and (last or (done + 1) % checkpoint_every == 0):
                note(checkpoint, identity, generator, adam, result.history, best)
            if stop:
                result.stopped = "callback"
                break
    except KeyboardInterrupt:
        result.stopped = "interrupted"
    _keep_best(result, best)
    generator.settings = {**provenance, "steps": len(result.history)}
    if result.diverged:
        generator.settings["weights_of_step"] = best.step
    generator.eval()
    return result


def check_amounts(steps: object, batch: object, size: object, learning_rate: object) -> None:
    """A ValueError names the first amount that no training could have."""
    check_integer("steps", steps, 0, MOST_STEPS)
    check_integer("batch", batch, 1)
    output_shape(check_integer("size", size, SMALLEST_SIDE))
    if check_number("learning_rate", learning_rate, above=0) > HIGHEST_RATE:
        raise ValueError(f"learning_rate must be at most {HIGHEST_RATE:g}, got {learning_rate!r}")


def rate_at(fraction: float) -> float:
    """The learning rate at a fraction of the training, as a part of the first one.

    1 for the first half, then 0.7 of what it was at each tenth: with 2000 steps that is the paper's
    schedule, 0.7 at step 1000 and again every 200 (section 4.1).
    """
    return 0.7 ** max(0, math.floor(10 * fraction + 1e-9) - 4)


# --- steps -----------------------------------------------------------------------------------


def _keep_best(result: Training, best: Best) -> None:
    """Where the loss has risen far above its least value, go back to the weights of that."""
    limit = DIVERGED_EARLY if len(result.history) < EARLY else DIVERGED
    totals = [row["total"] for row in result.history[1:][-LAST:]]  # the first was nobody's fault
    if result.stopped == "diverged":
        row = result.history[-1]
        happened = f"{row['event']} at step {row['evaluation']}"
    elif totals and min(totals) > limit * best.loss:
        happened = f"the loss rose from {best.loss:.3g} at step {best.step} to {min(totals):.3g}"
    else:
        return
    if best.step <= 1:
        message = f"{happened}: take a smaller learning_rate, or look at the pictures"
        raise DivergedError(message, result.history)
    result.generator.load_state_dict(best.weights)
    result.diverged = (
        f"{happened}: the network is that of step {best.step}; a smaller learning_rate may help"
    )


def _evaluate(generator, objective, contents, size: int, batch: int, seed: int, step: int):
    """Pictures of new noise, and their loss. Seed and step say which noise and which cut-outs."""
    numbers = np.random.default_rng([seed, step])
    noise = generator.draw(size, int(numbers.integers(2**62)), batch)
    crops = None
    if contents:
        crops = torch.cat([random_crop(contents, size, numbers) for _ in range(batch)])
        crops = crops.to(noise[0])
    images = generator(noise, crops)
    return images, objective.value_and_gradient(images, crops)


def _step(adam: torch.optim.Adam, rate: float, images: Tensor, evaluation: Evaluation) -> str:
    """∂L/∂w = (∂x/∂w)ᵀ ∂L/∂x, and a step along it; return "" or why there was none."""
    adam.zero_grad()
    images.backward(evaluation.gradient)
    weights = [w for group in adam.param_groups for w in group["params"]]
    finite = math.isfinite(evaluation.total) and all(bool(w.grad.isfinite().all()) for w in weights)
    if not finite:
        return "the loss or its gradient is not finite"
    for group in adam.param_groups:
        group["lr"] = rate
    adam.step()
    return ""
