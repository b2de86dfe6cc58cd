"""How options are declared, what their values stand for, and those that several commands share."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ..presets import PRESETS
from .console import complain

OURS = PRESETS["default"]

# The panels of the help, each a group of options; the order is that of the first option in each.
EVERYDAY = "Everyday"
SEVERAL = "Several styles, and masks"
LOOK = "Colour and noise"
STYLE = "What style is"
OPTIMIZER = "Optimiser"
MACHINE = "Machine and memory"
FILE = "The file"

RENAMED = {  # old spelling → the one in use
    "--weights": "--vgg-weights",
    "--parameters": "--parametrization",
    "--history": "--lbfgs-pairs",
}


class Command(TyperCommand):
    """A command that knows the old names of its options, and what an argument too many may mean."""

    def __init__(self, *arguments: Any, **options: Any):
        super().__init__(*arguments, **options)
        parameters: list[Any] = self.params
        for parameter in parameters:
            if parameter.default is None:  # older typers show "None"; the help says what it means
                parameter.show_default = False

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {name for parameter in self.params for name in parameter.opts}
        for number, argument in enumerate(args):
            old, equals, value = argument.partition("=")
            if old in RENAMED and old not in known and RENAMED[old] in known:
                complain(f"{old} is called {RENAMED[old]} now; the old name will go")
                args = [*args[:number], f"{RENAMED[old]}{equals}{value}", *args[number + 1 :]]
        ctx.allow_extra_args = True  # so that they are refused here, and not by click
        super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            ctx.fail(
                f"{ctx.args[0]!r} is one argument too many; a name with spaces needs quotes, "
                'as in "my photo.jpg"'
            )
        return ctx.args

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)
        panels = [getattr(parameter, "rich_help_panel", None) for parameter in self.params]
        if option is not None and EVERYDAY in panels:
            option.rich_help_panel = EVERYDAY  # else it gets a panel to itself, the first
        return option


# --- what a value on the command line stands for ---------------------------------------------


def path_from(text: str) -> Path:
    """A path, ~ being the home folder: in --out=~/x.png a shell leaves it as it is."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        user = Path(text).parts[0]
        raise typer.BadParameter(f"there is no user {user[1:]!r}; for a name, ./{user}") from None


def name_from(text: str) -> str:
    """The name of a picture, or its path, in which ~ is the home folder."""
    return str(path_from(text)) if text.startswith("~") else text


def side_from(text: object) -> int:
    """Pixels of one side; 512x512 is told what it should be."""
    if re.fullmatch(r"\d+\s*[x×X*]\s*\d+", str(text)):
        longer = max(re.findall(r"\d+", str(text)), key=int)
        raise typer.BadParameter(f"the longer side alone, {longer}; a picture keeps its shape")
    try:
        return int(str(text))
    except ValueError:
        raise typer.BadParameter(f"a whole number of pixels, as in 512; got {text!r}") from None


def shape_from(text: object) -> int | tuple[int, int]:
    """Pixels of the side of a square; WIDTHxHEIGHT as (height, width)."""
    if sides := re.fullmatch(r"(\d+)\s*[x×X*]\s*(\d+)", str(text)):
        return int(sides[2]), int(sides[1])
    return side_from(text)


def steps_from(text: object) -> int | list[int]:
    """A number of evaluations, or one for each scale from "120,60,40"."""
    try:
        counts = [int(part) for part in str(text).split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"a whole number, or one for each scale, as in 120,60,40; got {text!r}"
        ) from None
    return counts[0] if len(counts) == 1 else counts


def tile_from(text: str) -> int | str:
    """The side of a tile in pixels, or the word as it is."""
    return int(text) if text.isdecimal() and len(text) < 10 else text


def regions_from(text: str | None) -> int | str | None:
    """How many regions, or "auto"."""
    if text is None or text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"--regions is auto, or a whole number, as in 3; got {text!r}") from None


def kernel_from(name: str | None, **parameters) -> dict | str | None:
    """The description of a kernel from the options, for `kernels.get_kernel`."""
    options = {key: value for key, value in parameters.items() if value is not None}
    if name is None and options:
        raise ValueError(f"--{next(iter(options))} belongs to a kernel; name it with --kernel")
    bandwidth = options.get("bandwidth")
    if bandwidth not in (None, "mean", "median"):
        with suppress(ValueError):  # the kernel says what it takes
            options["bandwidth"] = float(bandwidth)
    return {"name": name, **options} if options else name


def layers_from(option: str, text: str | None) -> dict[str, float] | None:
    """Layer → weight from "relu1_1=0.5,relu2_1"; a layer without a weight has 1."""
    if text is None:
        return None
    layers = {}
    for part in text.split(","):
        name, told, weight = part.strip().partition("=")
        try:
            layers[name] = float(weight) if told else 1.0
        except ValueError as error:
            raise ValueError(
                f"{option}: {weight!r} is no weight for {name}; write NAME=WEIGHT,NAME=WEIGHT"
            ) from error
    return layers


# --- how an option is declared ---------------------------------------------------------------


def with_default(text: str, default: object) -> str:
    """The help of an option whose default is decided by the function it is passed to."""
    shown = f"{default:g}" if isinstance(default, float) else default
    return f"{text} [dim]\\[default: {shown}][/dim]"


def option(metavar: str, text: str, *names: str, panel: str = EVERYDAY, **more: Any) -> Any:
    """An option with a value, in a panel; its `names` if they are not its parameter's."""
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def flag(text: str, *names: str, panel: str = EVERYDAY) -> Any:
    """An option without a value."""
    return typer.Option(*names, metavar="", help=text, rich_help_panel=panel)


def ours(metavar: str, text: str, name: str, *, panel: str = EVERYDAY, **more: Any) -> Any:
    """An option whose default is a setting of the preset."""
    return option(metavar, with_default(text, getattr(OURS, name)), panel=panel, **more)


def picture(metavar: str, text: str) -> Any:
    """An argument that is a picture."""
    return typer.Argument(metavar=metavar, help=f"{text}: a name or a path.", parser=name_from)


def out_option(default: str, text: str = "Where to write.") -> Any:
    text = with_default(text, default)
    return option("FILE", text, "--out", "-o", parser=path_from)


def size_option(text: str, *, parser=side_from, metavar: str = "PIXELS") -> Any:
    return option(metavar, text, "--size", "-s", parser=parser)


# --- options that several commands share -----------------------------------------------------

Overwrite = Annotated[bool, flag("Replace what is there.", "--overwrite")]
StyleSize = Annotated[
    int, option("PIXELS", "Longer side of the style picture: the grain.", parser=side_from)
]
KERNEL_NAMES = (  # those of `kernels.KERNELS`, which the command line's help cannot wait for
    "distribution, gram, linear, polynomial, gaussian, bn, wasserstein, central_moments, "
    "autocorrelation, sliced_wasserstein, nearest_neighbours."
)
KernelName = Annotated[str | None, option("NAME", KERNEL_NAMES, panel=STYLE)]
Degree = Annotated[int | None, option("1|2", "Of --kernel polynomial.", panel=STYLE)]
Offset = Annotated[
    float | None, option("NUMBER", "c in (a·b + c)², --kernel polynomial.", panel=STYLE)
]
Bandwidth = Annotated[
    str | None,
    option("NUMBER|RULE", "Of --kernel gaussian; rules: mean, median.", panel=STYLE),
]
Estimator = Annotated[
    str | None, option("NAME", "Of --kernel gaussian: features, pairs.", panel=STYLE)
]
Features = Annotated[
    int | None, option("COUNT", "Of --kernel gaussian: random features, even.", panel=STYLE)
]
Pairs = Annotated[
    int | None, option("COUNT", "Of --kernel gaussian: pairs, instead of features.", panel=STYLE)
]
Order = Annotated[
    int | None, option("2…8", "Of --kernel central_moments: the highest moment.", panel=STYLE)
]
Reach = Annotated[
    int | None,
    option("COUNT", "Of --kernel autocorrelation: the longest shift.", panel=STYLE),
]
Directions = Annotated[
    int | None, option("COUNT", "Of --kernel sliced_wasserstein: directions.", panel=STYLE)
]
Candidates = Annotated[
    int | None,
    option("COUNT", "Of --kernel nearest_neighbours: style features.", panel=STYLE),
]
Bits = Annotated[
    int, option("8|16", "Bits a channel; 16 go into .png, .tif and .tiff.", panel=FILE)
]
Dither = Annotated[
    bool, flag("Of 8 bits: no bands in slow changes, for a fine grain.", "--dither", panel=FILE)
]
KeepAlpha = Annotated[
    bool, flag("As transparent as the picture is; not in .jpg.", "--keep-alpha", panel=FILE)
]
Device = Annotated[str, option("NAME", "auto, cpu, cuda, mps.", panel=MACHINE)]
Checkpoint = Annotated[
    Path | None,
    option("FILE", "Note the state here, and go on from it if it is there.",
           parser=path_from, panel=MACHINE),
]  # fmt: skip
Memory = Annotated[
    float | None,
    option("GB", with_default("To use at most.", "four fifths of what is free"), panel=MACHINE),
]
