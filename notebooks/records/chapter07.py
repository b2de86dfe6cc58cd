"""Notebook 07, and 06: pixels or Fourier coefficients, and with which exponent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from bench import PAIRS, Case, Experiment, Outcome, Row, cases, fell, number, prepared
from torch import Tensor

import nst_tutorial as nst
from nst_tutorial.optimize.parametrization import Fourier


class Filtered(Fourier):
    """Fourier coefficients divided by f^-exponent; 0: the pixels, but for rounding."""

    def __init__(self, exponent: float, like: Tensor):
        self.exponent = exponent
        super().__init__(like.shape, like.device)


def octaves(like: Tensor) -> dict[int, Tensor]:
    """Lower end of each octave, in cycles along the longer side → its coefficients, (H, W)."""
    height, width = like.shape[2:]
    longer = max(height, width)
    down = torch.fft.fftfreq(height, 1 / longer)[:, None]
    across = torch.fft.fftfreq(width, 1 / longer)
    f = (down.square() + across.square()).sqrt().to(like.device)
    lower = [2**k for k in range(longer.bit_length()) if 2**k <= longer // 4]
    return {low: (f >= low) & (f < 2 * low) for low in lower}


def amplitude(x: Tensor, mask: Tensor) -> float | None:
    """Root mean square of the Fourier coefficients in a mask."""
    power = torch.fft.fft2(x, norm="ortho").abs().square().mean(dim=(0, 1))
    return number(power[mask].mean().sqrt())


def curvature(objective: nst.Objective, at: Tensor, mask: Tensor, basis: Filtered) -> Row:
    """The mean curvature along random directions in an octave, per unit of length in z and in x."""
    noise = torch.randn(at.shape, generator=torch.Generator().manual_seed(0)).to(at)
    d = torch.fft.ifft2(torch.fft.fft2(noise) * mask).real
    d, length = d / d.norm(), 0.3
    ahead, behind = (objective.value_and_gradient(at + e * d).gradient for e in (length, -length))
    along = ((ahead - behind) * d).sum() / (2 * length)
    return {"curvature": number(along / basis.from_image(d).square().sum())}


def descend(case: Case, settings: Mapping[str, Any], device: str) -> Outcome:
    """A run in coordinates of one exponent; then all octaves of what it had to change."""
    objective, content, _ = prepared(case["pair"], settings["size"], device)
    basis = Filtered(case["exponent"], content)
    ended = nst.minimize(objective, content, steps=settings["steps"], parametrization=basis)
    seen = [row["total"] for row in ended.history]
    lowest = {f"lowest after {n}": number(min(seen[:n])) for n in settings["at"]}
    every = settings["every"]
    row = {"kind": "run", **lowest, "fell": fell(seen), "stopped": ended.stopped}
    rows = [{**row, "curve": [number(total) for total in seen[::every]]}]
    z, change = basis.from_image(content), basis.from_image(ended.image - content)
    for low, mask in octaves(content).items():
        row = {"kind": "octave", "from": low, "content": amplitude(z, mask)}
        row |= {"change": amplitude(change, mask)}
        rows.append(row | curvature(objective, ended.image, mask, basis))
    pictures = {}
    if case["pair"] == PAIRS[0]:
        pictures[f"exponent {case['exponent']:g}"] = ended.image.clamp(0, 1).cpu()
    return Outcome(rows, pictures)


COORDINATES = Experiment(
    "07_coordinates",
    "In pixels or in Fourier coefficients, and with which exponent, is the loss lowest?",
    settings={
        "size": 256, "steps": 300, "at": [25, 50, 100, 200, 300], "every": 5, "preset": "gram",
    },
    small={"size": 48, "steps": 8, "at": [4, 8]},
    cases=cases(pair=PAIRS, exponent=(0.0, 0.25, 0.5, 1.0)),
    measure=descend,
    seconds=314 * 0.6,
)  # fmt: skip
