"""The options of `nst stylize`, panel by panel, in the order of its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from ..presets import BALANCES, COLOR_METHODS, COLORS, EDGES, GUIDES, PATH_NAMES, STARTS, STROKES
from .options import (
    KERNEL_NAMES,
    LOOK,
    MACHINE,
    OPTIMIZER,
    OURS,
    SEVERAL,
    STYLE,
    flag,
    name_from,
    option,
    ours,
    path_from,
    side_from,
    steps_from,
    with_default,
)

Steps = Annotated[
    Any,  # int | list[int] | None
    ours(
        "COUNT", "Evaluations of loss and gradient; 0: the start. One for each scale: 120,60,40.",
        "steps", parser=steps_from,
    ),
]  # fmt: skip
StyleWeight = Annotated[float | None, ours("NUMBER", "More style.", "style_weight")]
Preset = Annotated[
    str | None,
    option("NAME", "Settings to start from, else those called default; nst presets lists them."),
]
Photo = Annotated[
    bool,
    flag("A photograph stays one: what moves are its colours. --preset photo.", "--photo"),
]
LookFile = Annotated[
    Path | None,
    option(
        "FILE",
        "Write the look of --photo, for nst apply-look (.safetensors).",
        "--look",
        parser=path_from,
    ),
]
FilmFile = Annotated[
    Path | None,
    option(
        "FILE",
        "Write a film of the run: .webp, .gif, or .mp4 with imageio-ffmpeg.",
        "--film",
        parser=path_from,
    ),
]
Like = Annotated[
    Path | None,
    option("FILE", "Take the settings of this result, a picture of ours.", parser=path_from),
]

Also = Annotated[
    list[str] | None,
    option(
        "PICTURE", "A further style; may be given several times.", parser=name_from, panel=SEVERAL
    ),
]
Mix = Annotated[
    str | None,
    option(
        "NUMBERS",
        with_default("How much of STYLE and each --also, as in 1,2.", "the same of each"),
        "--mix",
        panel=SEVERAL,
    ),
]
MixFine = Annotated[
    str | None,
    option(
        "NUMBERS", with_default("The mix at the finest scale, --mix being that at the coarsest.",
        "the same at all"), "--mix-fine", panel=SEVERAL,
    ),
]  # fmt: skip
ContentMask = Annotated[
    list[str] | None,
    option(
        "PICTURE",
        "Grey: white is where a style goes. One for each style, in order; '-' for everywhere.",
        "--content-mask",
        parser=name_from,
        panel=SEVERAL,
    ),
]
StyleMask = Annotated[
    list[str] | None,
    option(
        "PICTURE",
        "The same of the style's own picture.",
        "--style-mask",
        parser=name_from,
        panel=SEVERAL,
    ),
]

Regions = Annotated[
    str | None,
    option(
        "auto|COUNT",
        "Matching regions of CONTENT and STYLE: sky in the style of sky.",
        panel=SEVERAL,
    ),
]
KeepFaces = Annotated[
    bool | None,
    flag("Hardly any style in faces.", "--keep-faces/--no-keep-faces", panel=SEVERAL),
]

Color = Annotated[
    str | None,
    ours("NAME", f"{', '.join(COLORS)}: the last three keep the content's.", "color", panel=LOOK),
]
ColorMethod = Annotated[
    str | None,
    ours("NAME", f"Of --color match: {', '.join(COLOR_METHODS)}.", "color_method", panel=LOOK),
]
Denoise = Annotated[
    str | None,
    option("METHOD", "Clean the result: METHOD or METHOD:STRENGTH, see nst denoise.", panel=LOOK),
]
GrainWeight = Annotated[
    float | None,
    ours("NUMBER", "Less grain where the content is flat, say 200.", "grain_weight", panel=LOOK),
]
TvWeight = Annotated[
    float | None, ours("NUMBER", "Smoother: total variation.", "tv_weight", panel=LOOK)
]

KernelOfPreset = Annotated[str | None, ours("NAME", KERNEL_NAMES, "kernel", panel=STYLE)]
StyleScale = Annotated[
    float | None,
    ours("NUMBER", "Style size over --size; below 1: finer.", "style_scale", panel=STYLE),
]
Strokes = Annotated[
    str | None,
    ours(
        "|".join(STROKES), "In a picture larger than the style's file: strokes grow with it, or "
        "stay as fine as the file has them, or both, large forms and fine strokes.", "strokes",
        panel=STYLE,
    ),
]  # fmt: skip
StyleLayers = Annotated[
    str | None,
    option("NAME=WEIGHT,…", "Layers that style is compared at, and their weights.", panel=STYLE),
]
ContentLayers = Annotated[
    str | None, option("NAME=WEIGHT,…", "The same for the content.", panel=STYLE)
]
ContentWeight = Annotated[
    float | None, ours("NUMBER", "More content.", "content_weight", panel=STYLE)
]
Balance = Annotated[
    str | None,
    ours(
        "|".join(BALANCES), "gradient: all terms pull equally at the start.", "balance", panel=STYLE
    ),
]
VggWeights = Annotated[
    str | None,
    option(
        "NAME|FILE",
        with_default("Of VGG19: original, torchvision, or a file.", OURS.vgg_weights),
        panel=STYLE,
        parser=name_from,
    ),
]
Pooling = Annotated[str | None, ours("max|average", "Of VGG19.", "pooling", panel=STYLE)]
Edges = Annotated[
    str | None,
    ours("|".join(EDGES), "What VGG19 sees beyond a picture's border.", "edges", panel=STYLE),
]

Start = Annotated[
    str | None,
    option(
        "NAME|PICTURE",
        with_default(f"{', '.join(STARTS)}, or a picture.", OURS.start),
        parser=name_from,
        panel=OPTIMIZER,
    ),
]
Seed = Annotated[
    int | None,
    option("NUMBER", with_default("Of --start noise and of --regions.", 0), panel=OPTIMIZER),
]
CoarseToFine = Annotated[
    bool | None,
    flag(
        with_default("Small versions first, or not.", "--coarse-to-fine"),
        "--coarse-to-fine/--one-scale",
        panel=OPTIMIZER,
    ),
]
ScaleFactor = Annotated[
    float | None,
    ours("NUMBER", "From each scale to the next larger one.", "scale_factor", panel=OPTIMIZER),
]
Parametrization = Annotated[
    str | None,
    option(
        "fourier|pixel|grid", with_default("What it moves.", OURS.parametrization), panel=OPTIMIZER
    ),
]
GridSize = Annotated[
    int | None,
    ours("COUNT", "Of a grid: its cells along the longer side.", "grid_size", panel=OPTIMIZER),
]
GridDepth = Annotated[
    int | None,
    ours("COUNT", "Of a grid: its cells from dark to bright.", "grid_depth", panel=OPTIMIZER),
]
Smoothness = Annotated[
    float | None,
    ours("NUMBER", "Of a grid: more alike in neighbouring cells.", "smoothness", panel=OPTIMIZER),
]
Guide = Annotated[
    str | None,
    ours("|".join(GUIDES), "Of a grid: what dark and bright are.", "guide", panel=OPTIMIZER),
]
Method = Annotated[str | None, ours("lbfgs|adam", "How it moves.", "method", panel=OPTIMIZER)]
LearningRate = Annotated[
    float | None,
    option(
        "NUMBER",
        with_default("Length of its steps.", "1 for lbfgs, 0.02 for adam"),
        panel=OPTIMIZER,
    ),
]
Average = Annotated[
    float | None,
    ours(
        "DECAY", "Of --method adam: the mean of its pictures, say 0.99; 0: the best one.",
        "average", panel=OPTIMIZER,
    ),
]  # fmt: skip
LbfgsPairs = Annotated[
    int | None,
    option("COUNT", with_default("Steps that lbfgs remembers.", OURS.lbfgs_pairs), panel=OPTIMIZER),
]
BeginAt = Annotated[
    int | None,
    option("PIXELS", "Leave out the scales below; for --start with a smaller result.",
           "--begin-at", parser=side_from, panel=OPTIMIZER),
]  # fmt: skip
Settle = Annotated[
    float | None,
    ours(
        "NUMBER", "End a scale whose loss falls by less than this part in 10 evaluations, say "
        "0.002.", "settle", panel=OPTIMIZER,
    ),
]  # fmt: skip

Convolutions = Annotated[
    str | None,
    ours(
        "NAME",
        f"auto: the fastest here; or {', '.join(PATH_NAMES)}; or five, by commas.",
        "convolutions",
        panel=MACHINE,
    ),
]
Precision = Annotated[
    str | None,
    ours("NAME", "Of the convolutions: float32, bfloat16, float16.", "precision", panel=MACHINE),
]
Tile = Annotated[
    str,
    option("auto|whole|PIXELS", "Side of tiles: the same picture in less memory.", panel=MACHINE),
]
StopAfter = Annotated[
    int | None,
    option(
        "COUNT", "End after this number of evaluations, as if stopped by hand there.", panel=MACHINE
    ),
]
