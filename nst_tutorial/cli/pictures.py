"""`nst stylize` and `nst texture`: one picture at a time."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..checks import whole
from ..presets import PRESETS
from ..terminal import choose_out, deliver, err, plain_errors, with_progress
from .options import (
    OURS,
    Bandwidth,
    Degree,
    KernelName,
    Offset,
    Pairs,
    kernel_from,
    layers_from,
    ours,
)

if TYPE_CHECKING:
    from ..optimize import Callback, Progress


def _recorded(record: dict, path: Path) -> dict:
    """The options of `stylize` in a picture's record; a ValueError names the picture."""
    from ..presets import options_from
    from ..transfer import check_settings

    try:
        options = options_from(record)
        check_settings(replace(OURS, **{k: v for k, v in options.items() if k != "seed"}))
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: its settings cannot be used ({error})") from error
    if not options["content_layers"] or not options["style_layers"]:
        raise ValueError(f"{path}: it was not made by stylize, so there is nothing to be like")
    return options


def _until(last: int | None, callback: Callback) -> Callback:
    """The same callback, which ends the run at the evaluation of this number."""

    def call(progress: Progress) -> bool:
        callback(progress)
        return progress.evaluation == last

    return call


def stylize(
    content: Annotated[str, typer.Argument(help="Picture to repaint: a name or a path.")],
    style: Annotated[str, typer.Argument(help="Picture whose style to take: a name or a path.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write: .png (keeps the settings), .jpg, .webp, .tiff.",
                     show_default="results/CONTENT_STYLE.png"),
    ] = None,
    size: Annotated[int, typer.Option(help="Longer side of the result in pixels.")] = 512,
    style_scale: Annotated[
        float | None,
        typer.Option(help=ours("Style size over --size; <1: finer.", "style_scale")),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"Settings to start from: {', '.join(PRESETS)}.", show_default="default"),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help=ours("Evaluations of loss and gradient.", "steps"))
    ] = None,
    style_weight: Annotated[
        float | None, typer.Option(help=ours("More style.", "style_weight"))
    ] = None,
    content_weight: Annotated[
        float | None, typer.Option(help=ours("More content.", "content_weight"))
    ] = None,
    tv_weight: Annotated[
        float | None, typer.Option(help=ours("Smoother: total variation.", "tv_weight"))
    ] = None,
    kernel: KernelName = None,
    degree: Degree = None,
    offset: Offset = None,
    bandwidth: Bandwidth = None,
    pairs: Pairs = None,
    style_layers: Annotated[
        str | None,
        typer.Option(help="NAME=WEIGHT,…: layers that style is compared at, and their weights."),
    ] = None,
    content_layers: Annotated[
        str | None, typer.Option(help="NAME=WEIGHT,…: the same for the content.")
    ] = None,
    balance: Annotated[
        str | None,
        typer.Option(help=ours("weights, or gradient: equal pull of all terms.", "balance")),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help=ours("VGG19's: original, torchvision, or a file.", "weights")),
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help=ours("max or average.", "pooling"))
    ] = None,
    start: Annotated[
        str | None, typer.Option(help=ours("content, noise, style, or a picture.", "start"))
    ] = None,
    coarse_to_fine: Annotated[
        bool | None,
        typer.Option("--coarse-to-fine/--one-scale",
                     help=ours("Small versions first.", "coarse_to_fine")),
    ] = None,
    parameters: Annotated[
        str | None, typer.Option(help=ours("pixel or fourier.", "parameters"))
    ] = None,
    method: Annotated[
        str | None, typer.Option(help=ours("lbfgs or adam.", "method"))
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="Take the settings of this result, a picture of ours.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="For --start noise.", show_default="0")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    memory: Annotated[
        float | None,
        typer.Option(help="GB to use at most.", show_default="four fifths of what is free"),
    ] = None,
    tile: Annotated[
        str, typer.Option(help="auto, whole, or a side in pixels: the same in less memory.")
    ] = "auto",
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Note the state here, and go on from it if it is there."),
    ] = None,
    stop_after: Annotated[
        int | None,
        typer.Option(help="End after so many evaluations, as if stopped by hand there."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing result.")] = False,
) -> None:  # fmt: skip
    """Repaint CONTENT in the style of STYLE.

    Pictures are given by path, or by name if they lie in images/content and images/style.
    Ctrl-C ends early and keeps the best picture so far.
    """
    options = dict(locals())
    for name in ("content", "style", "out", "size", "stop_after", "overwrite"):
        del options[name]
    options["tile"] = int(tile) if tile.isdigit() else tile
    with plain_errors():
        from ..images import LARGEST_SIZE, SMALLEST_SIDE, find_image, load_image, load_settings
        from ..presets import STARTS
        from ..transfer import settings_from
        from ..transfer import stylize as run

        parameters = [options.pop(name) for name in ("degree", "offset", "bandwidth", "pairs")]
        options["kernel"] = kernel_from(
            kernel, **dict(zip(("degree", "offset", "bandwidth", "pairs"), parameters, strict=True))
        )
        options["style_layers"] = layers_from("--style-layers", style_layers)
        options["content_layers"] = layers_from("--content-layers", content_layers)
        options = {name: value for name, value in options.items() if value is not None}
        if stop_after is not None:
            whole("--stop-after", stop_after, 1)
        if like is not None:
            if preset is not None:
                raise ValueError("--preset and --like both say where to start; give one of them")
            options = {**_recorded(load_settings(like), like), **options}
            del options["like"]
        settings = settings_from(preset or "default", options)
        if start is not None and start not in STARTS:
            try:
                options["start"] = load_image(start, size)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"--start is {', '.join(STARTS)}, or: {error}") from error
        content_path, style_path = find_image(content, "content"), find_image(style, "style")
        content_image = load_image(content_path, size)
        # As large as it will be used, so that a huge painting does not fill the memory.
        style_size = min(max(SMALLEST_SIDE, size * settings.style_scale), LARGEST_SIZE)
        style_image = load_image(style_path, math.ceil(style_size), enlarge=False)
        path = choose_out(out, f"{Path(content).stem}_{Path(style).stem}", overwrite)
        err.print(f"{content_path.name} in the style of {style_path.name}, {size} px", markup=False)
        result = with_progress(
            lambda callback: run(
                content_image, style_image, callback=_until(stop_after, callback), **options
            )
        )
        names = {"content": content_path.name, "style": style_path.name}
        deliver(result, path, names, overwrite=overwrite)
        if checkpoint is not None:  # the picture is safe, so it is no longer needed
            checkpoint.unlink(missing_ok=True)


def texture(
    style: Annotated[str, typer.Argument(help="Picture whose texture to make: a name or a path.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write.", show_default="results/STYLE_texture.png"),
    ] = None,
    size: Annotated[int, typer.Option(help="Side of the square result in pixels.")] = 256,
    style_size: Annotated[
        int, typer.Option(help="Longer side of the style picture in pixels: the grain.")
    ] = 256,
    layers: Annotated[
        str | None,
        typer.Option(
            help="Style layers, separated by commas.", show_default=",".join(OURS.style_layers)
        ),
    ] = None,
    kernel: KernelName = "gram",
    degree: Degree = None,
    offset: Offset = None,
    bandwidth: Bandwidth = None,
    pairs: Pairs = None,
    seed: Annotated[int, typer.Option(help="Another seed, another picture.")] = 0,
    tileable: Annotated[bool, typer.Option(help="Without seams when laid side by side.")] = False,
    steps: Annotated[int, typer.Option(help="Evaluations of loss and gradient.")] = 200,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option(help="Replace an existing result.")] = False,
) -> None:
    """Make a new picture with the texture of STYLE, from noise."""
    with plain_errors():
        from ..images import find_image, load_image
        from ..synthesis import synthesize_texture

        style_path = find_image(style, "style")
        image = load_image(style_path, style_size, enlarge=False)
        path = choose_out(out, f"{Path(style).stem}_texture", overwrite)
        spec = kernel_from(kernel, degree=degree, offset=offset, bandwidth=bandwidth, pairs=pairs)
        names = None if layers is None else [name.strip() for name in layers.split(",")]
        err.print(f"texture of {style_path.name}, {size} px", markup=False)
        result = with_progress(
            lambda callback: synthesize_texture(
                image, size, names, spec, seed, tileable=tileable, steps=steps, device=device,
                callback=callback,
            )
        )  # fmt: skip
        deliver(result, path, {"style": style_path.name}, overwrite=overwrite)
