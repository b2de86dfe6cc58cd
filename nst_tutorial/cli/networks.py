"""`nst train-texture` and `nst apply`: a network for one style, and its pictures in one pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ..checks import printable
from ..storage.atomic import check_distinct, free_name, shortened
from .options import (
    OPTIMIZER,
    STYLE,
    Bandwidth,
    Candidates,
    Checkpoint,
    Degree,
    Device,
    Directions,
    Estimator,
    Features,
    KernelName,
    Memory,
    Offset,
    Order,
    Overwrite,
    Pairs,
    Reach,
    StyleSize,
    kernel_from,
    name_from,
    option,
    out_option,
    path_from,
    picture,
    size_option,
    with_default,
)
from .repainting import SIDE, Task, make_picture, repaint_all
from .terminal import choose_out, complain, ended_by_signal, err, keep, plain_errors, with_progress
from .terminal import out as console

NETWORK = ".safetensors"  # the suffix of its file
NO_NETWORK = "interrupted before there was a network; nothing was written"


def train_texture(
    style: Annotated[str, picture("STYLE", "Picture to learn from")],
    out: Annotated[Path | None, out_option("results/STYLE.safetensors")] = None,
    contents: Annotated[
        Path | None,
        option(
            "FOLDER",
            "Of photographs: learn to repaint pictures, not to make texture.",
            parser=path_from,
        ),
    ] = None,
    steps: Annotated[int, option("COUNT", "Steps of Adam.")] = 600,
    size: Annotated[int, size_option("Side of the pictures in each step.")] = 128,
    style_size: StyleSize = 256,
    seed: Annotated[int, option("NUMBER", "Of weights and noise.")] = 0,
    overwrite: Overwrite = False,
    kernel: KernelName = "gram",
    degree: Degree = None,
    offset: Offset = None,
    bandwidth: Bandwidth = None,
    estimator: Estimator = None,
    features: Features = None,
    pairs: Pairs = None,
    order: Order = None,
    reach: Reach = None,
    directions: Directions = None,
    candidates: Candidates = None,
    style_weight: Annotated[
        float | None,
        option("NUMBER", with_default("With --contents: more style.", "15"), panel=STYLE),
    ] = None,
    batch: Annotated[int, option("COUNT", "Pictures in each step.", panel=OPTIMIZER)] = 2,
    learning_rate: Annotated[
        float, option("NUMBER", "Of Adam, at the beginning.", panel=OPTIMIZER)
    ] = 0.01,
    normalization: Annotated[
        str, option("NAME", "instance, or batch as in the paper.", panel=OPTIMIZER)
    ] = "instance",
    diversity: Annotated[
        float, option("NUMBER", "More: samples less alike.", panel=OPTIMIZER)
    ] = 0.0,
    device: Device = "auto",
    checkpoint: Checkpoint = None,
) -> None:
    """Train a network that makes the texture of STYLE in one pass, or repaints pictures in it.

    Ctrl-C ends early and keeps the network as it is by then.
    """
    going_on = checkpoint is not None and checkpoint.is_file()
    goes_on = f"interrupted; the same command goes on from {checkpoint}"
    with plain_errors(goes_on if going_on else NO_NETWORK) as ending:
        from ..images.catalog import find_image
        from ..images.reading import load_image
        from ..machine.device import choose_device
        from ..texture_networks.crops import PictureFolder
        from ..texture_networks.generator import Generator
        from ..texture_networks.planning import check_training
        from ..texture_networks.training import DivergedError, check_amounts, train_generator

        check_amounts(steps, batch, size, learning_rate)
        generator = Generator(stylizes=contents is not None, normalization=normalization, seed=seed)
        check_training(generator.design, size, batch, choose_device(device))
        style_path = find_image(style, "style")
        image = load_image(style_path, style_size, enlarge=False)
        pictures = () if contents is None else PictureFolder(contents, size * 3 // 2)
        spec = kernel_from(
            kernel, degree=degree, offset=offset, bandwidth=bandwidth, estimator=estimator,
            features=features, pairs=pairs, order=order, reach=reach, directions=directions,
            candidates=candidates,
        )  # fmt: skip
        path = _choose_network(out, Path(style).stem, overwrite)
        check_distinct({"--out": path, "--checkpoint": checkpoint}, {"STYLE": style_path})
        options: dict[str, Any] = {} if style_weight is None else {"style_weight": style_weight}
        try:
            result = with_progress(
                lambda callback: train_generator(
                    generator, image, pictures, steps=steps, batch=batch, size=size,
                    learning_rate=learning_rate, kernel=spec or "gram",
                    diversity=diversity, seed=seed,
                    device=device, checkpoint=checkpoint, callback=callback, **options,
                )
            )  # fmt: skip
        except DivergedError as error:
            complain(f"nothing was written: {error}")
            raise typer.Exit(1) from error
        if result.stopped == "interrupted" and not result.history:
            raise KeyboardInterrupt
        generator.settings["style"] = style_path.name
        if result.diverged:
            complain(result.diverged)
        saved = _deliver(result, path, overwrite)
        ending.interrupted = f"interrupted; {saved} is there, without its style distance"
        if checkpoint is not None and result.stopped in (None, "diverged"):  # the network is safe
            checkpoint.unlink(missing_ok=True)
        if contents is None and min(image.shape[2:]) >= 32:
            _measure(generator, saved, image, spec, device)
        if result.stopped == "interrupted":
            err.print("interrupted: this is the network as far as it got")
            raise typer.Exit(ended_by_signal())


def _choose_network(out: Path | None, name: str, overwrite: bool) -> Path:
    """Where to write: `out` if it may be written, else a free name in the folder `results`."""
    from ..storage.atomic import check_can_write

    path = out or free_name(Path("results", shortened(f"{name}{NETWORK}")))
    if path.is_file() and not overwrite:
        raise FileExistsError(f"{path}: exists already; give another --out, or --overwrite")
    if path.suffix != NETWORK:
        raise ValueError(f"{path}: the name of a network must end in {NETWORK}")
    return check_can_write(path)


def _deliver(result, path: Path, overwrite: bool) -> Path:
    """Save what was learnt and say where it is; where it should not be, that ends with 1."""
    from ..texture_networks.files import save_generator

    def save(path: Path, overwrite: bool) -> Path:
        return save_generator(result.generator, path, overwrite=overwrite)

    saved, in_place = keep(save, path, overwrite, f"nst_network{NETWORK}")
    console.print(f"{len(result.history)} steps, {result.seconds:.0f} s; the network is", end=" ")
    console.print(str(saved), style="bold", markup=False, soft_wrap=True)
    if not in_place:
        raise typer.Exit(1)
    return saved


def _measure(generator, saved: Path, style, kernel, device: str) -> None:
    """Say how far samples are from the style, and write it into the network's file."""
    from ..texture_networks.files import save_generator
    from ..texture_networks.objective import style_distance

    distance = style_distance(generator.sample(SIDE), style, kernel=kernel, device=device)
    generator.settings["style_distance"] = distance
    save_generator(generator, saved)
    console.print(f"style distance at {SIDE} px {distance:.3g}")


def apply(
    generator: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK", help="A bundled name or a file. Without one: list the bundled.",
            parser=name_from, show_default=False,
        ),
    ] = "",
    picture: Annotated[
        str,
        typer.Argument(
            metavar="PICTURE", help="What to repaint: a name, a path, or a folder of pictures.",
            parser=name_from, show_default=False,
        ),
    ] = "",
    out: Annotated[
        Path | None,
        out_option("results/NETWORK_….png", "Where to write; for a folder: a folder."),
    ] = None,
    size: Annotated[
        int | None,
        size_option(
            with_default(
                "Side of a texture, or longer side of a picture.", "256; a picture's own"
            )
        ),
    ] = None,
    seed: Annotated[int, option("NUMBER", "Another seed, another sample.")] = 0,
    overwrite: Overwrite = False,
    device: Device = "auto",
    memory: Memory = None,
) -> None:  # fmt: skip
    """Make a texture, or repaint pictures, in one pass of a trained network."""
    with plain_errors() as ending:
        from ..images.catalog import find_image
        from ..texture_networks.files import load_network
        from ..texture_networks.generator import Generator

        if not generator:
            _list()
            return
        network = load_network(generator, device)
        name = Path(generator).stem
        task = Task(network, name, size, seed, memory, overwrite)
        reads = {"NETWORK": generator}
        if isinstance(network, Generator) and not network.design["stylizes"]:
            if picture:
                raise ValueError(f"{generator} makes textures from noise alone; give no picture")
            path = choose_out(out, f"{name}_{seed}", overwrite)
            check_distinct({"--out": path}, reads)
            make_picture(task, path, None)
            return
        if not picture:
            raise ValueError(f"{generator} repaints pictures: name one, or a folder of them")
        if not Path(picture).is_dir():
            content = find_image(picture, "content")
            path = choose_out(out, f"{Path(picture).stem}_{name}", overwrite)
            check_distinct({"--out": path}, {**reads, "PICTURE": content})
            make_picture(task, path, content)
            return
        repaint_all(task, Path(picture), out, ending)


def _list() -> None:
    from ..texture_networks.files import bundled, bundled_painters, load_generator, load_painter

    table = Table()
    for column in ("name", "what it makes"):
        table.add_column(column, no_wrap=True)
    for column in ("style", "trained at", "style distance"):
        table.add_column(column, overflow="fold")
    for name in bundled():
        network = load_generator(name, "cpu")
        record = network.settings
        kind = "repaints pictures" if network.design["stylizes"] else "texture"
        distance = f"{record['style_distance']:.3f}" if "style_distance" in record else ""
        style = escape(printable(str(record["style"])))
        table.add_row(name, kind, style, f"{record['size']} px", distance)
    for name in bundled_painters():
        record = load_painter(name, "cpu").settings
        style = escape(printable(str(record["style"])))
        distance = f"{record['measured']['style_distance']:.3f}"
        table.add_row(name, "repaints pictures", style, f"{record['size']} px", distance)
    console.print(table)
