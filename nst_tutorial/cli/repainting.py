"""One picture, or all of a folder, from a trained texture network: what `nst apply` does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..storage.atomic import save_under_free_name
from .series import choose_folder, for_each, naming, pictures_of, tell
from .terminal import Ending

if TYPE_CHECKING:
    from torch import Tensor

    from ..texture_networks.generator import Generator
    from ..texture_networks.painter import Painter

SIDE = 256  # pixels of a texture's side, where it is not given
REMEDY = "take a smaller --size, or with --memory fewer GB"


@dataclass(frozen=True)
class Task:
    """What is done with each picture."""

    network: Generator | Painter
    name: str
    size: int | None
    seed: int
    memory: float | None
    overwrite: bool


def make_picture(task: Task, path: Path, picture: Path | None) -> None:
    """One picture, with what made it, in a file."""
    from ..images.reading import load_image, save_image

    network = task.network
    begin = time.perf_counter()
    with naming(picture, REMEDY):
        content = None if picture is None else load_image(picture, task.size)
        side = SIDE if task.size is None else task.size
        image = _made(network, content, side, task)
    spent = time.perf_counter() - begin
    if not image.isfinite().all():
        of = "" if picture is None else f" of {picture}"
        raise ValueError(f"the network {task.name} makes values{of} that are not finite")
    record = {
        "generator": task.name, "seed": task.seed, "size": list(image.shape[2:]),
        **({} if picture is None else {"content": picture.name}),
        "design": network.design, "training": network.settings,
    }  # fmt: skip

    def save(path: Path, overwrite: bool) -> Path:
        return save_image(image, path, record, overwrite=overwrite)

    saved = save_under_free_name(save, path, task.overwrite)
    tell(f"{spent:.2f} s; the picture", saved)


def _made(network: Generator | Painter, content: Tensor | None, side: int, task: Task) -> Tensor:
    from ..texture_networks.painter import Painter

    if isinstance(network, Painter):
        assert content is not None  # whoever has no picture asks for a texture
        return network.repaint(content, memory=task.memory).cpu()
    return network.sample(side, task.seed, content=content, memory=task.memory).cpu()


def repaint_all(task: Task, folder: Path, out: Path | None, ending: Ending) -> None:
    """Every picture of a folder; one that cannot be made is reported, and the others go on."""
    make = partial(make_picture, task)
    pictures = pictures_of(folder)
    for_each(make, pictures, choose_folder(out), task.name, task.overwrite, ending)
