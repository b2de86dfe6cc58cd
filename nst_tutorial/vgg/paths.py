"""Paths: the ways in which a block's convolutions can be computed, by name.

All give the same features up to rounding. Which one is fastest differs from processor to processor,
and from block to block: `calibration` measures it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..checks import check_choice, did_you_mean
from ..setting_values import PRECISIONS
from .layers import BLOCKS

VARIABLE = "NST_CONVOLUTIONS"
FLOAT16 = "direct-float16"  # the only one that needs scales, see `half`


@dataclass(frozen=True)
class Path:
    """How convolutions are computed, and the precision of their features."""

    algorithm: str  # "direct" or "winograd"
    dtype: torch.dtype
    products: str = ""  # of Winograd's: the library that multiplies
    devices: tuple[str, ...] = ("cpu",)

    @property
    def precision(self) -> str:
        return str(self.dtype).removeprefix("torch.")


PATHS = {
    "direct": Path("direct", torch.float32, devices=("cpu", "cuda", "mps")),
    "winograd": Path("winograd", torch.float32, "blas"),
    "winograd-onednn": Path("winograd", torch.float32, "onednn"),
    "direct-bfloat16": Path("direct", torch.bfloat16, devices=("cpu", "cuda")),
    "winograd-bfloat16": Path("winograd", torch.bfloat16, "onednn"),
    FLOAT16: Path("direct", torch.float16, devices=("cuda", "cpu")),
}
"""Name → path. "winograd" multiplies with torch's BLAS, "winograd-onednn" with oneDNN."""


def parse_paths(convolutions: str | Sequence[str], precision: str) -> tuple[str, ...] | None:
    """Return the path of each of the five blocks; None: it is to be chosen ("auto").

    Parameters
    ----------
    convolutions
        "auto", the name of one path for all blocks, or five names, in a sequence or separated by
        commas. A name without a precision means the path in the one that `precision` asks for.
    precision
        One of `settings.PRECISIONS`; "auto" asks for nothing.

    Raises
    ------
    ValueError
        An unknown path or precision, a number of names other than 1 and 5, or a path whose
        precision is not the one asked for.
    """
    check_choice("precision", precision, PRECISIONS)
    if convolutions == "auto":
        return None
    if not isinstance(convolutions, str | Sequence):
        raise ValueError(f"convolutions must be a name or five of them, got {convolutions!r}")
    names = convolutions.split(",") if isinstance(convolutions, str) else list(convolutions)
    names = [_with_precision(str(name).strip(), precision) for name in names]
    if len(names) not in (1, len(BLOCKS)):
        raise ValueError(
            f"convolutions must be one path or {len(BLOCKS)}, one for each block of the network; "
            f"got {len(names)}: {', '.join(names)}"
        )
    return tuple(names) if len(names) > 1 else tuple(names) * len(BLOCKS)


def _with_precision(name: str, precision: str) -> str:
    if name not in PATHS:
        raise ValueError(
            f"convolutions must be auto, or one or five of {', '.join(PATHS)}; got {name!r}"
            f"{did_you_mean(name, PATHS)}"
        )
    if precision in ("auto", PATHS[name].precision):
        return name
    other = f"{name}-{precision}"
    if other in PATHS:
        return other
    raise ValueError(f"there are no convolutions {name!r} in {precision}: {_of(precision)} are")


def _of(precision: str) -> str:
    return ", ".join(name for name, path in PATHS.items() if path.precision == precision)


def paths_asked_for(
    convolutions: str | Sequence[str], precision: str, device: torch.device
) -> tuple[str, ...] | None:
    """Return the paths that the arguments fix, or else the variable NST_CONVOLUTIONS; else None.

    The variable fixes them for everything that runs with "auto" and in no other precision.

    Raises
    ------
    ValueError
        A path that is unknown, or that the device lacks; the message names those that there are.
    """
    paths, source = parse_paths(convolutions, precision), "convolutions"
    fixed = os.environ.get(VARIABLE, "auto").strip() or "auto"
    if paths is None and fixed != "auto":
        try:
            chosen = parse_paths(fixed, "auto")
        except ValueError as error:
            raise ValueError(f"the variable {VARIABLE}: {error}") from None
        if chosen and all(precision in ("auto", PATHS[name].precision) for name in chosen):
            paths, source = chosen, f"the variable {VARIABLE}"
    if paths is not None:
        _check_device(paths, source, device)
    return paths


def _check_device(paths: Sequence[str], source: str, device: torch.device) -> None:
    for name in paths:
        if device.type not in PATHS[name].devices:
            there_are = [n for n, path in PATHS.items() if device.type in path.devices]
            raise ValueError(
                f"{source}: {name} cannot be computed on {device.type}; there are "
                f"{', '.join(there_are)}"
            )


def default_paths(precision: str, device: torch.device) -> tuple[str, ...]:
    """Return what is taken where nothing was measured or asked for: the same on every machine.

    Raises
    ------
    ValueError
        A precision in which the device cannot compute.
    """
    if precision in ("bfloat16", "float16"):
        paths = (f"direct-{precision}",) * len(BLOCKS)
        _check_device(paths, "precision", device)
        return paths
    return ("winograd" if device.type == "cpu" else "direct",) * len(BLOCKS)


def candidates(device: torch.device, precision: str = "auto") -> tuple[str, ...]:
    """Return the paths that may be fast on a device; which of them is, must be measured."""
    names = [
        name
        for name, path in PATHS.items()
        if device.type in path.devices
        and precision in ("auto", path.precision)
        and _may_be_fast(path, device)
    ]
    return tuple(names)


def _may_be_fast(path: Path, device: torch.device) -> bool:
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        unfit = torch.float16 if major >= 8 else torch.bfloat16  # older ones only emulate this
        return path.dtype != unfit
    if path.dtype == torch.float16:
        return device.type != "cpu"
    if path.dtype == torch.bfloat16:
        return _onednn_has_bfloat16()
    return path.products != "onednn" or torch.backends.mkldnn.is_available()


def _onednn_has_bfloat16() -> bool:
    """Whether oneDNN computes in bfloat16 here: with AVX-512, AMX, or Arm's instructions for it."""
    if not torch.backends.mkldnn.is_available():
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def written(paths: Sequence[str]) -> str:
    """Return paths as `parse_paths` reads them: one name if all blocks take the same."""
    return paths[0] if len(set(paths)) == 1 else ",".join(paths)
