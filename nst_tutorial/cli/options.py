"""Options that several commands share."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from ..presets import PRESETS

OURS = PRESETS["default"]


def ours(text: str, name: str) -> str:
    return f"{text} [dim]\\[preset default: {getattr(OURS, name)}][/dim]"


KernelName = Annotated[
    str | None,
    typer.Option(
        help=ours("Style: gram, linear, polynomial, gaussian, bn, wasserstein.", "kernel")
    ),
]
Degree = Annotated[int | None, typer.Option(help="Of --kernel polynomial: 1 or 2.")]
Offset = Annotated[float | None, typer.Option(help="c in (aᵀb + c)², --kernel polynomial.")]
Bandwidth = Annotated[
    str | None, typer.Option(help="Of --kernel gaussian: mean, median or a number.")
]
Pairs = Annotated[int | None, typer.Option(help="Of --kernel gaussian: how many pairs.")]


def kernel_from(name: str | None, **parameters) -> dict | str | None:
    """The description of a kernel from the options, for `kernels.get_kernel`."""
    given = {key: value for key, value in parameters.items() if value is not None}
    if name is None and given:
        raise ValueError(f"--{next(iter(given))} belongs to a kernel; name it with --kernel")
    bandwidth = given.get("bandwidth")
    if bandwidth not in (None, "mean", "median"):
        with suppress(ValueError):  # the kernel says what it takes
            given["bandwidth"] = float(bandwidth)
    return {"name": name, **given} if given else name


def layers_from(option: str, text: str | None) -> dict[str, float] | None:
    """Layer → weight from "relu1_1=0.5,relu2_1"; a layer without a weight has 1."""
    if text is None:
        return None
    layers = {}
    for part in text.split(","):
        name, told, weight = part.strip().partition("=")
        try:
            layers[name] = float(weight) if told else 1.0
        except ValueError as error:
            raise ValueError(
                f"{option}: {weight!r} is no weight for {name}; write NAME=WEIGHT,NAME=WEIGHT"
            ) from error
    return layers
