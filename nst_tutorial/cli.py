"""The command line: thin. Every option left out is left to the function it is passed to."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from .presets import PRESETS

if TYPE_CHECKING:
    from .scales import Result

# torch is imported inside the commands, so that --help answers at once.

OURS = PRESETS["default"]
DEMO = {"content": "temple", "style": "starry_night", "size": 384, "steps": 160}
RESULTS = Path("results")

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
out, err = Console(highlight=False), Console(stderr=True, highlight=False)


class _Ended(KeyboardInterrupt):
    """Ctrl-C or a polite kill; `number` is the signal's."""

    number = signal.SIGINT


def _end(number: int, frame: object) -> None:
    _Ended.number = number
    raise _Ended


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Bad input ends with one line and exit code 2; Ctrl-C with 130, a polite kill with 143."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _end)
    try:
        yield
    except (ValueError, OSError) as error:
        text = error.strerror if isinstance(error, OSError) and error.errno else str(error)
        name = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        err.print(f"nst: {name}{text or error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt as interrupt:
        err.print("nst: interrupted before there was a picture; nothing was written")
        raise typer.Exit(128 + _Ended.number) from interrupt


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
        with _plain_errors():
            path = _free_name(RESULTS / f"{DEMO['content']}_{DEMO['style']}.png")
            _stylize(DEMO["content"], DEMO["style"], path, DEMO["size"], steps=DEMO["steps"])
        out.print(
            "\nNext: put a photo into images/content and a painting into images/style, then\n"
            "  [bold]python -m nst_tutorial stylize PHOTO PAINTING[/bold]     (their names)\n"
            "  [bold]python -m nst_tutorial stylize --help[/bold]             (size, balance, …)\n"
            "  [bold]jupyter lab notebooks[/bold]                             (the course)"
        )


def _ours(text: str, name: str) -> str:
    return f"{text} [dim]\\[preset default: {getattr(OURS, name)}][/dim]"


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
        str, typer.Option(help=f"Settings to start from: {', '.join(PRESETS)}.")
    ] = "default",
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
    kernel: Annotated[
        str | None, typer.Option(help=_ours("Style statistic.", "kernel"))
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
    seed: Annotated[int, typer.Option(help="For --start noise.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option(help="Replace an existing result.")] = False,
) -> None:  # fmt: skip
    """Repaint CONTENT in the style of STYLE.

    Pictures are given by path, or by name if they lie in images/content and images/style.
    Ctrl-C ends early and keeps the best picture so far.
    """
    options = {
        name: value
        for name, value in locals().items()
        if name not in ("content", "style", "out", "size", "overwrite")
    }
    with _plain_errors():
        path = out or _free_name(RESULTS / f"{Path(content).stem}_{Path(style).stem}.png")
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path}: exists already; give another --out, or --overwrite")
        _stylize(content, style, path, size, **options)


def _free_name(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, … that does not exist."""
    free, count = path, 2
    while free.exists():
        free = path.with_stem(f"{path.stem}-{count}")
        count += 1
    return free


def _stylize(content: str, style: str, path: Path, size: int, **options) -> None:
    """Load, stylise with a progress bar, save; the exit code tells if it was interrupted."""
    from .images import SMALLEST_SIDE, check_can_save, find_image, load_image
    from .presets import STARTS, get_preset

    check_can_save(path)
    settings = get_preset(options.get("preset", "default"))
    content_path, style_path = find_image(content, "content"), find_image(style, "style")
    content_image = load_image(content_path, size)
    scale = options.get("style_scale")
    style_size = size * (settings.style_scale if scale is None else scale)
    style_image = load_image(style_path, max(SMALLEST_SIDE, math.ceil(style_size)), enlarge=False)
    if options.get("start") not in (None, *STARTS):
        options["start"] = load_image(options["start"], size)
    err.print(f"{content_path.name} in the style of {style_path.name}, {size} px", markup=False)
    result = _with_progress(content_image, style_image, options, options.get("steps"), settings)
    record = {**result.settings, "content": content_path.name, "style": style_path.name}
    saved = _save(result, path, {**record, "seconds": round(result.seconds, 1)})
    out.print(f"{result.seconds:.0f} s; the picture is [bold]{saved}[/bold]", soft_wrap=True)
    if saved != path:
        raise typer.Exit(1)
    if result.stopped == "interrupted":
        err.print(f"interrupted after {len(result.history)} evaluations; this is the best so far")
        raise typer.Exit(128 + _Ended.number)


def _with_progress(content, style, options, steps, settings) -> Result:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from .scales import schedule
    from .transfer import stylize

    coarse = options.get("coarse_to_fine")
    plan = schedule(
        max(content.shape[2:]),
        settings.steps if steps is None else steps,
        settings.coarse_to_fine if coarse is None else coarse,
    )
    work = sum(count * size**2 for size, count in plan)  # an evaluation takes time like its pixels
    columns = (
        BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn(),
        TextColumn("[dim]{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("loading VGG19", total=work)

        def report(progress) -> None:
            parts = {"content": 0.0, "style": 0.0}
            for name, value in progress.terms.items():
                kind = name.split()[0]
                if kind in parts:
                    parts[kind] += value
            losses = ", ".join(f"{kind} {value:.3g}" for kind, value in parts.items())
            text = f"{progress.evaluation}/{progress.steps} at {max(progress.size)} px: {losses}"
            bar.update(task, advance=max(progress.size) ** 2, description=text)
            if not err.is_terminal and progress.evaluation % max(1, progress.steps // 10) == 0:
                err.print(f"{text}; {progress.seconds:.0f} s", markup=False)

        return stylize(content, style, callback=report, **options)


def _save(result: Result, path: Path, settings: dict) -> Path:
    """Save to `path`; if that fails now, after the work, to the folder for temporary files."""
    import tempfile

    from .images import save_image

    try:
        return save_image(result.image, path, settings)
    except OSError as error:
        spare = _free_name(Path(tempfile.gettempdir(), path.name))
        message = f"nst: {path} could not be written ({error.strerror})"
        err.print(message, style="red", markup=False, soft_wrap=True)
        return save_image(result.image, spare, settings)


@app.command()
def doctor() -> None:
    """Print versions, device, weights, memory and speed, and which sizes will fit."""
    with _plain_errors():
        from .doctor import examine

        healthy = examine(out)
    if not healthy:
        raise typer.Exit(1)


def main() -> None:
    """Entry point of the script `nst`."""
    app(prog_name="nst" if Path(sys.argv[0]).stem == "nst" else "python -m nst_tutorial")
