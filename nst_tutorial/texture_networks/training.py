"""Train a texture network: the style loss of `losses`, passed on from the pixels to the weights.

For one picture x the engine gives the loss L and its gradient ∂L/∂x, as for an optimisation. A
generator's picture is x = g(z; w), so ∂L/∂w = (∂x/∂w)ᵀ ∂L/∂x: the generator's own backward pass
begins with the gradient of the pixels. So every style statistic that an optimisation can use can
train a generator, at the same speed and in as little memory.
"""

from __future__ import annotations

import json
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
from ..optimize.checkpoint import check_same_run
from ..optimize.loop import Callback, Progress
from ..storage.atomic import check_can_write
from ..storage.fingerprints import fingerprint
from ..storage.tensor_files import named_if_damaged, read_tensors, write_tensors
from ..transfer.builder import choose_model
from ..transfer.provenance import record
from ..vgg.network import VGG19
from .crops import identity_of, random_crop
from .generator import Generator
from .objective import BatchObjective, training_settings

FORMAT = "nst_tutorial training 2"
WHAT = "checkpoint of a training"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam keeps of each weight
UNUSED = ("start", "coarse_to_fine", "parameters", "method", "history", "balance", "style_scale")
PATIENCE = 10  # steps that are not finite, in a row, before a training is given up


@dataclass
class Training:
    """A generator and how it learnt."""

    generator: Generator
    history: list[dict] = field(default_factory=list)
    """One row a step: "evaluation", "size", "total", each term by name before its weight (means
    over the batch), "learning_rate", "seconds", and "event" where something went wrong."""

    weights: dict[str, float] = field(default_factory=dict)
    """The weight of each term in the total."""

    seconds: float = 0.0
    stopped: str | None = None
    """None if all steps were done, else "callback" or "interrupted" (Ctrl-C)."""


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
        A file to which the state is written every so many steps. If it is there already, the
        training goes on from it and ends, on a CPU bit for bit, as if it had never stopped.
    callback
        Called after each step with a `Progress`, whose picture is the first of the batch;
        returning True stops. Ctrl-C stops too. The generator is then as far as it got.
    options
        Further settings, those in `lessons.OPTIONS`.

    Raises
    ------
    ValueError
        A wrong shape or value, an unknown name; a checkpoint of another training or a damaged one;
        losses that are not finite at the first step, or ten times in a row.
    """
    settings = training_settings(options, kernel, layers, bool(contents), steps)
    check_pictures({"style": style})
    if bool(contents) != generator.design["stylizes"]:
        raise ValueError("a generator that stylises learns from contents, and no other does")
    batch, seed = check_integer("batch", batch, 1), check_integer("seed", seed, 0)
    size, _ = output_shape(check_integer("size", size, SMALLEST_SIDE))
    learning_rate = check_number("learning_rate", learning_rate, above=0)
    if check_number("diversity", diversity) and batch < 2:
        raise ValueError("diversity compares the pictures of a batch: batch must be at least 2")
    model = choose_model(settings, device, model)
    made_with = {
        "style_size": list(style.shape[2:]), **record(settings, model, seed), "batch": batch,
        "size": size, "learning_rate": learning_rate, "diversity": float(diversity),
    }  # fmt: skip
    made_with = {name: value for name, value in made_with.items() if name not in UNUSED}
    generator.to(model.mean).train()
    objective = BatchObjective(model, style.to(model.mean), settings, diversity)
    adam = torch.optim.Adam(generator.parameters(), lr=learning_rate)
    result = Training(generator)
    if checkpoint is not None:
        check_integer("checkpoint_every", checkpoint_every, 1)
        check_can_write(checkpoint)
        identity = {
            **made_with, "generator": generator.design, "style": fingerprint(style),
            "contents": identity_of(contents), "network": _fingerprint(model.buffers()),
            "first weights": _fingerprint(generator.state_dict().values()),
        }  # fmt: skip
        result.history, result.seconds = _resume(checkpoint, identity, generator, adam)
    begin = time.perf_counter() - result.seconds
    bad = 0
    try:
        for done in range(len(result.history), settings.steps):
            rate = learning_rate * rate_at(done / settings.steps)
            images, found = _lesson(generator, objective, contents, size, batch, [seed, done])
            event = _step(adam, rate, images, found)
            bad = bad + 1 if event else 0
            if bad == PATIENCE or (event and done == 0):
                raise ValueError(
                    f"{event} at step {done + 1} ({found.terms}): take a smaller learning_rate, "
                    "or look at the pictures"
                )
            result.term_weights = objective.term_weights
            result.seconds = time.perf_counter() - begin
            row = {"evaluation": done + 1, "size": size, "total": found.total, **found.terms}
            noted = {"event": event} if event else {}
            row = {**row, "learning_rate": rate, "seconds": result.seconds, **noted}
            result.history.append(row)
            progress = Progress(
                done + 1, settings.steps, found.total, found.terms, result.term_weights,
                result.seconds, (size, size), images[:1].detach(), event,
                (done + 1) / settings.steps,
            )  # fmt: skip
            stop = callback is not None and callback(progress)
            last = stop or done + 1 == settings.steps
            if checkpoint is not None and (last or (done + 1) % checkpoint_every == 0):
                _note(checkpoint, identity, generator, adam, result.history)
            if stop:
                result.stopped = "callback"
                break
    except KeyboardInterrupt:
        result.stopped = "interrupted"
    generator.settings = {**made_with, "steps": len(result.history)}
    generator.eval()
    return result


def rate_at(fraction: float) -> float:
    """The learning rate at a fraction of the training, as a part of the first one.

    1 for the first half, then 0.7 of what it was at each tenth: with 2000 steps that is the paper's
    schedule, 0.7 at step 1000 and again every 200 (section 4.1).
    """
    return 0.7 ** max(0, math.floor(10 * fraction + 1e-9) - 4)


# --- steps -----------------------------------------------------------------------------------


def _lesson(generator, objective, contents, size: int, batch: int, seeds: list[int]):
    """Pictures of new noise, and their loss. The same seeds give the same noise and cut-outs."""
    numbers = np.random.default_rng(seeds)
    noise = generator.draw(size, int(numbers.integers(2**62)), batch)
    crops = None
    if contents:
        crops = torch.cat([random_crop(contents, size, numbers) for _ in range(batch)])
        crops = crops.to(noise[0])
    images = generator(noise, crops)
    return images, objective.value_and_gradient(images, crops)


def _step(adam: torch.optim.Adam, rate: float, images: Tensor, found: Evaluation) -> str:
    """∂L/∂w = (∂x/∂w)ᵀ ∂L/∂x, and a step along it; return "" or why there was none."""
    adam.zero_grad()
    images.backward(found.gradient)
    weights = [w for group in adam.param_groups for w in group["params"]]
    finite = math.isfinite(found.total) and all(bool(w.grad.isfinite().all()) for w in weights)
    if not finite:
        return "the loss or its gradient is not finite"
    for group in adam.param_groups:
        group["lr"] = rate
    adam.step()
    return ""


# --- checkpoints -----------------------------------------------------------------------------


def _fingerprint(tensors: Iterable[Tensor]) -> str:
    return fingerprint(torch.cat([t.detach().flatten().float().cpu() for t in tensors]))


def _note(path: str | Path, identity: Mapping, generator, adam, history: list[dict]) -> None:
    """Write the state of a training, or replace the one that is there."""
    state = {f"generator.{name}": t for name, t in generator.state_dict().items()}
    for i, moments in adam.state_dict()["state"].items():
        state |= {f"adam.{i}.{name}": t for name, t in moments.items()}
    header = {
        "format": FORMAT, "identity": json.dumps(identity), "history": json.dumps(history),
    }  # fmt: skip
    write_tensors(path, state, header)


def _resume(path: str | Path, identity: Mapping, generator, adam) -> tuple[list[dict], float]:
    """Put a generator and its optimiser where a checkpoint left them; return history, seconds."""
    path = Path(path)
    if not path.exists():
        return [], 0.0
    header, state = read_tensors(path, FORMAT, WHAT)
    with named_if_damaged(path, WHAT):
        check_same_run(path, json.loads(header["identity"]), json.loads(json.dumps(identity)))
        history = json.loads(header["history"])
        seconds = float(history[-1]["seconds"])
        weights = {n[10:]: t for n, t in state.items() if n.startswith("generator.")}
        groups = adam.state_dict()["param_groups"]
        moments = {
            i: {name: state[f"adam.{i}.{name}"] for name in MOMENTS}
            for group in groups
            for i in group["params"]
        }
        generator.load_state_dict(weights)
        adam.load_state_dict({"state": moments, "param_groups": groups})
    return history, seconds
