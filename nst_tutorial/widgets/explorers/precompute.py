"""Make what is bundled with the explorers: `python -m nst_tutorial.widgets.explorers.precompute`.

A quarter of an hour on two cores. What is there already, for the same settings, stays; what belongs
to no setting any more is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch

from ...images.reading import load_image
from ...presets import STYLE_LAYERS
from ...vgg.network import load_vgg19
from . import balance, content, kernels, looks, style_gram
from .cache import BUNDLED, Arrays, bundled_path, compressed, write
from .textures import texture

Job = tuple[str, Mapping, Callable[[], Mapping]]
PICTURE, SIZE = "starry_night", 192  # of the textures


def inversions() -> Iterator[Job]:
    for layer in content.LAYERS:
        settings = content.inversion_settings("cat", 160, None, content.EVALUATIONS)
        invert = partial(content.invert, "cat", 160, layer, content.EVALUATIONS)
        yield "inversion", {**settings, "layer": layer}, invert


def textures() -> Iterator[Job]:
    model, style = load_vgg19(), load_image(PICTURE, SIZE)
    style = style.to(model.mean)
    with torch.no_grad():
        features = model(style, STYLE_LAYERS)
    base = style_gram.texture_settings(PICTURE, SIZE, None, style_gram.SIDE, style_gram.STEPS)
    deeds = (style_gram.ALONE, style_gram.MASK, style_gram.BLUR)
    tried = [("", 0.0), *((deed, a) for deed in deeds for a in style_gram.AMOUNTS if a)]
    for deed, amount in tried:
        key = {**base, "deed": deed, "amount": amount}

        def treated(key: dict = key) -> Arrays:
            image = style_gram.treated_texture(model, style, features, key)
            return {"image": compressed(image)}

        yield "gram_texture", key, treated
    described = [kernels.described("polynomial", 1, 0.0, 1.0)]
    described += [kernels.described("polynomial", 2, offset, 1.0) for offset in kernels.OFFSETS]
    described += [kernels.described("gaussian", 2, 0.0, width) for width in kernels.BANDWIDTHS]
    for each in described:

        def painted(each: dict = each) -> Arrays:
            chosen = {layer: kernels.kernel_for(f, **each) for layer, f in features.items()}
            image = texture(model, style, features, chosen, style_gram.SIDE, style_gram.STEPS)
            return {"image": compressed(image)}

        yield "kernel_texture", {**base, **each}, painted


def jobs() -> Iterator[Job]:
    """Everything that is bundled: name, settings, and how it is made."""
    yield from textures()
    yield from inversions()
    yield "front", balance.front_settings(), balance.measure_front
    yield from looks.jobs()


def main() -> None:
    BUNDLED.mkdir(exist_ok=True)
    wanted = set()
    for name, settings, make in jobs():
        path = bundled_path(name, settings)
        wanted.add(path)
        if not path.exists():
            write(path, make())
            print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB", flush=True)
    for path in set(BUNDLED.glob("*.npz")) - wanted:
        path.unlink()
        print(f"{path.name}: removed")
    print(f"{sum(p.stat().st_size for p in wanted) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
