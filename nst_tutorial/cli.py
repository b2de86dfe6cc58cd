"""The command line: thin. Every option left out is left to the function it is passed to."""

from __future__ import annotations

import math
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .presets import PRESETS, compare, get_preset
from .terminal import choose_out, deliver, err, out, plain_errors, with_progress

# torch is imported inside the commands, so that --help answers at once.

OURS = PRESETS["default"]
DEMO = {"content": "temple", "style": "starry_night", "size": 384, "steps": 160}

app = typer.Typer(
    name="nst",
    help="Neural style transfer: one picture in the style of another, offline, on any computer.",
    epilog="Without a command: a bundled pair of pictures, in about a minute or two.",
    invoke_without_command=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        out.print(f"nst_tutorial {__version__}")
        raise typer.Exit


@app.callback()
def main_command(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        stylize(DEMO["content"], DEMO["style"], size=DEMO["size"], steps=DEMO["steps"])
        out.print(
            "\nNext: put a photo into images/content and a painting into images/style, then\n"
            "  [bold]python -m nst_tutorial stylize PHOTO PAINTING[/bold]     (their names)\n"
            "  [bold]python -m nst_tutorial stylize --help[/bold]             (size, balance, …)\n"
            "  [bold]jupyter lab notebooks[/bold]                             (the course)"
        )


def _ours(text: str, name: str) -> str:
    return f"{text} [dim]\\[preset default: {getattr(OURS, name)}][/dim]"


KernelName = Annotated[
    str | None,
    typer.Option(
        help=_ours("Style: gram, linear, polynomial, gaussian, bn, wasserstein.", "kernel")
    ),
]
Degree = Annotated[int | None, typer.Option(help="Of --kernel polynomial: 1 or 2.")]
Offset = Annotated[float | None, typer.Option(help="c in (aᵀb + c)², --kernel polynomial.")]
Bandwidth = Annotated[
    str | None, typer.Option(help="Of --kernel gaussian: mean, median or a number.")
]
Pairs = Annotated[int | None, typer.Option(help="Of --kernel gaussian: how many pairs.")]


def _kernel(name: str | None, **parameters) -> dict | str | None:
    """The description of a kernel from the options, for `kernels.get_kernel`."""
    given = {key: value for key, value in parameters.items() if value is not None}
    if name is None and given:
        raise ValueError(f"--{next(iter(given))} belongs to a kernel; name it with --kernel")
    bandwidth = given.get("bandwidth")
    if bandwidth not in (None, "mean", "median"):
        with suppress(ValueError):  # the kernel says what it takes
            given["bandwidth"] = float(bandwidth)
    return {"name": name, **given} if given else name


def _recorded(record: dict, path: Path) -> dict:
    """The options of `stylize` in a picture's record; a ValueError names the picture."""
    from .presets import options_from
    from .transfer import check_settings

    try:
        options = options_from(record)
        check_settings(replace(OURS, **{k: v for k, v in options.items() if k != "seed"}))
    except (TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: its settings cannot be used ({error})") from error
    if not options["content_layers"] or not options["style_layers"]:
        raise ValueError(f"{path}: it was not made by stylize, so there is nothing to be like")
    return options


@app.command()
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
        typer.Option(help=_ours("Style size over --size; <1: finer.", "style_scale")),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"Settings to start from: {', '.join(PRESETS)}.", show_default="default"),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help=_ours("Evaluations of loss and gradient.", "steps"))
    ] = None,
    style_weight: Annotated[
        float | None, typer.Option(help=_ours("More style.", "style_weight"))
    ] = None,
    content_weight: Annotated[
        float | None, typer.Option(help=_ours("More content.", "content_weight"))
    ] = None,
    tv_weight: Annotated[
        float | None, typer.Option(help=_ours("Smoother: total variation.", "tv_weight"))
    ] = None,
    kernel: KernelName = None,
    degree: Degree = None,
    offset: Offset = None,
    bandwidth: Bandwidth = None,
    pairs: Pairs = None,
    balance: Annotated[
        str | None,
        typer.Option(help=_ours("weights, or gradient: equal pull of all terms.", "balance")),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help=_ours("VGG19's: original, torchvision, or a file.", "weights")),
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help=_ours("max or average.", "pooling"))
    ] = None,
    start: Annotated[
        str | None, typer.Option(help=_ours("content, noise, style, or a picture.", "start"))
    ] = None,
    coarse_to_fine: Annotated[
        bool | None,
        typer.Option("--coarse-to-fine/--one-scale",
                     help=_ours("Small versions first.", "coarse_to_fine")),
    ] = None,
    parameters: Annotated[
        str | None, typer.Option(help=_ours("pixel or fourier.", "parameters"))
    ] = None,
    method: Annotated[
        str | None, typer.Option(help=_ours("lbfgs or adam.", "method"))
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
    overwrite: Annotated[bool, typer.Option(help="Replace an existing result.")] = False,
) -> None:  # fmt: skip
    """Repaint CONTENT in the style of STYLE.

    Pictures are given by path, or by name if they lie in images/content and images/style.
    Ctrl-C ends early and keeps the best picture so far.
    """
    options = dict(locals())
    for name in ("content", "style", "out", "size", "overwrite"):
        del options[name]
    options["tile"] = int(tile) if tile.isdigit() else tile
    with plain_errors():
        from .images import LARGEST_SIZE, SMALLEST_SIDE, find_image, load_image, load_settings
        from .presets import STARTS
        from .transfer import settings_from
        from .transfer import stylize as run

        parameters = [options.pop(name) for name in ("degree", "offset", "bandwidth", "pairs")]
        options["kernel"] = _kernel(
            kernel, **dict(zip(("degree", "offset", "bandwidth", "pairs"), parameters, strict=True))
        )
        options = {name: value for name, value in options.items() if value is not None}
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
            lambda callback: run(content_image, style_image, callback=callback, **options)
        )
        names = {"content": content_path.name, "style": style_path.name}
        deliver(result, path, names, overwrite=overwrite)
        if checkpoint is not None:  # the picture is safe, so it is no longer needed
            checkpoint.unlink(missing_ok=True)


@app.command()
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
        from .images import find_image, load_image
        from .synthesis import synthesize_texture

        style_path = find_image(style, "style")
        image = load_image(style_path, style_size, enlarge=False)
        path = choose_out(out, f"{Path(style).stem}_texture", overwrite)
        spec = _kernel(kernel, degree=degree, offset=offset, bandwidth=bandwidth, pairs=pairs)
        names = None if layers is None else [name.strip() for name in layers.split(",")]
        err.print(f"texture of {style_path.name}, {size} px", markup=False)
        result = with_progress(
            lambda callback: synthesize_texture(
                image, size, names, spec, seed, tileable=tileable, steps=steps, device=device,
                callback=callback,
            )
        )  # fmt: skip
        deliver(result, path, {"style": style_path.name}, overwrite=overwrite)


@app.command()
def presets(
    first: Annotated[str, typer.Argument(help="A preset; without one: all names.")] = "",
    second: Annotated[str, typer.Argument(help="Another: show where the two differ.")] = "",
) -> None:
    """Print the settings of one preset, or where two of them differ."""
    with plain_errors():
        table = Table(show_lines=bool(second))
        table.add_column("setting")
        if not first:
            table.add_column("source", overflow="fold")
            rows = [(name, settings.source) for name, settings in PRESETS.items()]
        elif not second:
            table.add_column(first, overflow="fold")
            rows = list(get_preset(first).as_dict().items())
        else:
            table.add_column(first, overflow="fold")
            table.add_column(second, overflow="fold")
            rows = compare(first, second)
        for row in rows:
            table.add_row(*(str(value).replace("[", "\\[") for value in row))
        out.print(table)


@app.command()
def doctor(
    size: Annotated[
        int | None, typer.Option(help="Print the plan for a picture of so many pixels a side too.")
    ] = None,
) -> None:
    """Print versions, device, weights, memory and speed, and what pictures will need."""
    with plain_errors():
        from .doctor import examine

        healthy = examine(out, size)
    if not healthy:
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the script `nst`."""
    app(prog_name="nst" if Path(sys.argv[0]).stem == "nst" else "python -m nst_tutorial")
