"""`nst stylize` and `nst texture`: one picture at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..checks import check_integer
from ..presets import PRESETS
from .denoising import spec_from
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
from .sources import mix_from, read_masks, read_styles, sizes_of_styles
from .terminal import choose_out, complain, deliver, err, plain_errors, with_progress

if TYPE_CHECKING:
    from ..optimize.loop import Callback, Progress


def _recorded(record: dict, path: Path) -> dict:
    """The options of `stylize` in a picture's record; a ValueError names the picture."""
    from ..presets import options_from
    from ..transfer.options import check_settings

    try:
        options = options_from(record)
        check_settings(replace(OURS, **{k: v for k, v in options.items() if k != "seed"}))
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: its settings cannot be used ({error})") from error
    if not options.get("content_layers") or not options.get("style_layers"):
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
    also: Annotated[
        list[str] | None, typer.Option(help="A further style; may be given several times.")
    ] = None,
    style_mix: Annotated[
        str | None,
        typer.Option("--mix", help="How much of STYLE and each --also, as in 1,2.",
                     show_default="the same of each"),
    ] = None,
    content_masks: Annotated[
        list[str] | None,
        typer.Option("--content-mask", help="Grey picture: white is where a style goes. One for "
                     "each style, in order; '-' for everywhere."),
    ] = None,
    style_masks: Annotated[
        list[str] | None,
        typer.Option("--style-mask", help="The same of the style's own picture."),
    ] = None,
    color: Annotated[
        str | None,
        typer.Option(help=ours("style; luminance or match: the content's colours.", "color")),
    ] = None,
    color_method: Annotated[
        str | None,
        typer.Option(help=ours("Of --color match: symmetric, pca, cholesky.", "color_method")),
    ] = None,
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
    grain_weight: Annotated[
        float | None,
        typer.Option(help=ours("Less grain where the content is flat, say 200.", "grain_weight")),
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
    denoise: Annotated[
        str | None,
        typer.Option(help="Clean the result: METHOD or METHOD:STRENGTH, see nst denoise."),
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
    own = ("content", "style", "also", "content_masks", "style_masks", "out", "size", "stop_after",
           "overwrite")  # fmt: skip
    for name in own:
        del options[name]
    options["tile"] = int(tile) if tile.isdecimal() and len(tile) < 10 else tile
    with plain_errors():
        from ..images.catalog import find_image
        from ..images.reading import load_image, load_settings
        from ..presets import STARTS
        from ..transfer.options import settings_from
        from ..transfer.style_transfer import stylize as run

        parameters = [options.pop(name) for name in ("degree", "offset", "bandwidth", "pairs")]
        options["kernel"] = kernel_from(
            kernel, **dict(zip(("degree", "offset", "bandwidth", "pairs"), parameters, strict=True))
        )
        options["style_mix"] = mix_from(style_mix)
        options["denoise"] = spec_from(denoise)
        options["style_layers"] = layers_from("--style-layers", style_layers)
        options["content_layers"] = layers_from("--content-layers", content_layers)
        options = {name: value for name, value in options.items() if value is not None}
        if stop_after is not None:
            check_integer("--stop-after", stop_after, 1)
        if like is not None:
            if preset is not None:
                raise ValueError("--preset and --like both say where to start; give one of them")
            before = load_settings(like)
            options = {**_recorded(before, like), **options}
            del options["like"]
            if before.get("masks") and not (content_masks or style_masks):
                complain(f"{like} was made with masks, and they are not in it: give them as well")
        settings = settings_from(preset or "default", options)
        if start is not None and start not in STARTS:
            try:
                options["start"] = load_image(start, size)
            except FileNotFoundError as error:
                raise FileNotFoundError(f"--start is {', '.join(STARTS)}, or: {error}") from error
        content_path = find_image(content, "content")
        style_paths = [find_image(name, "style") for name in (style, *(also or ()))]
        sizes = sizes_of_styles(settings.style_scale, size, len(style_paths))
        content_image, style_images = (
            load_image(content_path, size),
            read_styles(style_paths, sizes),
        )
        everywhere = [size] * len(sizes)
        masks = {
            "content_masks": read_masks("--content-mask", content_masks, everywhere, enlarge=True),
            "style_masks": read_masks("--style-mask", style_masks, sizes, enlarge=False),
        }
        stems = [Path(name).stem for name in (content, style, *(also or ()))]
        path = choose_out(out, "_".join(stems), overwrite)
        names = [path.name for path in style_paths]
        what = f"{content_path.name} in the style of {' and '.join(names)}, {size} px"
        err.print(what, markup=False)
        result = with_progress(
            lambda callback: run(
                content_image,
                style_images,
                callback=_until(stop_after, callback),
                **{**options, **masks},
            )
        )
        sources = {"content": content_path.name, "style": names if also else names[0]}
        deliver(result, path, sources, overwrite=overwrite)
        # The picture is safe. Of a run that was stopped half-way, somebody may want the rest.
        if checkpoint is not None and result.stopped in (None, "no improvement"):
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
        from ..images.catalog import find_image
        from ..images.reading import load_image
        from ..transfer.textures import synthesize_texture

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
