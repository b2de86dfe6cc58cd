"""What de-noising gives and what it costs: noise against style error, for every method.

    python benchmarks/denoise.py [--size 384] [--steps 150] [--time 1024] [--keep FOLDER]

Two photographs in the style of photographs and two in that of pictures made by hand are repainted
with the default settings, then cleaned by every method at several strengths, in the content's flat
regions and everywhere; and painted again with a term that charges for grain in advance. Noise: the
robust standard deviation of the diagonal 2×2 difference in the content's flattest quarter, in grey
levels, and the same after halving the picture (coarser grain). Style error: the mean over the five
style layers of ‖G - A‖ / ‖A‖, its change in percent; "loss": the change of the mean of its square,
which is what is minimised. Times are those of one picture of --time pixels. --keep: where results
are kept and found again.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

import torch
from peers import headline, seconds

import nst_tutorial as nst
from nst_tutorial.kernels.moments import gram_matrix
from nst_tutorial.noise.filters import FILTERS, denoise
from nst_tutorial.noise.level import flat_regions, noise_level

PAIRS = (
    ("temple", "coffee"),
    ("astronaut", "coffee"),
    ("temple", "starry_night"),
    ("astronaut", "woodcut_waves"),
)
STRENGTHS = (0.25, 0.5, 1.0, 2.0)  # of what "auto" takes
GRAIN_WEIGHTS = (60.0, 200.0, 600.0)
LESS_NOISE, MORE_ERROR = 3.0, 0.15  # what we want: at least, and at most


class Measure:
    """Noise in the content's flat regions, and style errors, of pictures of one pair."""

    def __init__(self, content: torch.Tensor, style: torch.Tensor, model):
        self.flat, self.model = flat_regions(content), model
        self.targets = self._grams(style)

    @torch.no_grad()
    def _grams(self, image):
        found = self.model(image, nst.presets.STYLE_LAYERS)
        return {layer: gram_matrix(features) for layer, features in found.items()}

    def noise(self, image, octave=0) -> float:
        return noise_level(image, self.flat, octave)

    def errors(self, image) -> list[float]:
        """‖G - A‖ / ‖A‖ of each style layer."""
        grams = self._grams(image)
        return [float((grams[k] - A).norm() / A.norm()) for k, A in self.targets.items()]


def painted(pair, options, model, grain_weight=0.0):
    content, style = (nst.load_image(name, options.size) for name in pair)
    name = f"{'_'.join(pair)}_{options.size}_{options.steps}_{grain_weight:g}"
    path = options.keep and options.keep / f"{name}.pt"
    if path and path.exists():
        return content, style, torch.load(path)["image"]
    result = nst.stylize(
        content, style, kernel="gram", steps=options.steps, model=model, grain_weight=grain_weight
    )
    if path:
        options.keep.mkdir(parents=True, exist_ok=True)
        torch.save({"image": result.image}, path)
        nst.save_image(result.image, path.with_suffix(".png"), result.settings)
    return content, style, result.image


def change(after: list[float], before: list[float], power: int = 1) -> float:
    a, b = (statistics.fmean(x**power for x in errors) for errors in (after, before))
    return a / b - 1


def candidates(pair, options, model, content, raw, noise):
    """(method, where, strength), picture: filters after the optimisation, then the term in it."""
    for method in FILTERS:
        for where in nst.presets.DENOISING_AREAS:
            for part in STRENGTHS:
                yield (method, where, part), denoise(raw, method, content, part * noise, where)
    for weight in GRAIN_WEIGHTS:
        yield ("grain_weight", "in the loss", weight), painted(pair, options, model, weight)[2]


def compare(pair, options, model) -> dict[tuple, bool]:
    """Print the front of one pair; return which (method, where, strength) reach both goals."""
    content, style, raw = painted(pair, options, model)
    measure = Measure(content, style, model)
    before, noise = measure.errors(raw), [measure.noise(raw, octave) for octave in (0, 1)]
    print(
        f"\n{pair[0]} in the style of {pair[1]}: noise {noise[0]:.2f}, coarser {noise[1]:.2f} "
        f"(content {measure.noise(content):.2f}), style error {statistics.fmean(before):.3f}"
    )
    print(f"{'method':16} {'where':10} {'strength':>8} {'noise':>6} {'less':>6} {'coarser':>8} "
          f"{'error':>7} {'loss':>7}")  # fmt: skip
    reached = {}
    for key, image in candidates(pair, options, model, content, raw, noise[0]):
        left = [max(measure.noise(image, octave), 1e-3) for octave in (0, 1)]
        errors = measure.errors(image)
        less, more = noise[0] / left[0], change(errors, before)
        reached[key] = less >= LESS_NOISE and more <= MORE_ERROR
        method, where, strength = key
        print(f"{method:16} {where:10} {strength:8.2f} {left[0]:6.2f} {less:5.1f}× "
              f"{noise[1] / left[1]:7.1f}× {more:+7.1%} {change(errors, before, 2):+7.1%} "
              f"{'*' if reached[key] else ''}", flush=True)  # fmt: skip
    image = denoise(raw, guide=content, style=style)
    own = noise_level(style, flat_regions(style))
    print(f"bilateral, auto, the style known (its own noise {own:.2f}): "
          f"noise {measure.noise(image):.2f}, error {change(measure.errors(image), before):+.1%}",
          flush=True)  # fmt: skip
    return reached


def times(size: int) -> None:
    image = nst.resize(nst.load_image("temple"), (size, size)).clamp(0, 1)
    noisy = image + 2 / 255 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    print(f"\nSeconds at {size}×{size}, median of 3, after a first call")
    for method in FILTERS:
        run = lambda method=method: denoise(noisy, method, image)  # noqa: E731
        run()
        print(f"{method:16} {statistics.median(seconds(run) for _ in range(3)):.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--time", type=int, default=1024)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print(headline())
    model = nst.VGG19()
    found = [compare(pair, options, model) for pair in PAIRS]
    print(f"\nOf {len(PAIRS)} pairs with {LESS_NOISE:g} times less noise at no more than "
          f"{MORE_ERROR:.0%} more style error (*):")  # fmt: skip
    for key in found[0]:
        count = sum(reached[key] for reached in found)
        if count:
            print(f"{key[0]:16} {key[1]:11} {key[2]:6.2f}: {count}")
    times(options.time)


if __name__ == "__main__":
    main()
