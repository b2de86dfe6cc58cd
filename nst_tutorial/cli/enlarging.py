"""`nst enlarge`: a result once more, larger, with evaluations at the new scales alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ..checks import check_integer
from . import stylize_options as of
from .denoising import spec_from
from .options import (
    Bits,
    Checkpoint,
    Device,
    Dither,
    KeepAlpha,
    Memory,
    Overwrite,
    name_from,
    option,
    out_option,
    size_option,
    tile_from,
)
from .results import Small, read_small
from .sources import (
    available_here,
    check_files,
    opacity_of,
    read_masks,
    read_styles,
    sizes_of_styles,
)
from .terminal import choose_out, deliver, plain_errors, until, with_progress

EXAMPLES = """[bold]Examples[/bold]

nst enlarge results/photo_starry_night.png --size 2048

nst enlarge evening.png --size 4096 --memory 6 --bits 16 --out poster.tif

It begins with RESULT, so that the large picture looks as the small one does."""


def enlarge(
    result: Annotated[
        str,
        typer.Argument(
            metavar="RESULT", help="A picture of nst stylize, with its settings in it.",
            parser=name_from,
        ),
    ],
    size: Annotated[int, size_option("Longer side of the large picture.")],
    out: Annotated[Path | None, out_option("results/RESULT_SIZE.png")] = None,
    steps: of.Steps = None,
    style_weight: of.StyleWeight = None,
    overwrite: Overwrite = False,
    content: Annotated[
        str | None,
        option("PICTURE", "What was repainted, if it is not where it was.", parser=name_from),
    ] = None,
    style: Annotated[
        list[str] | None,
        option("PICTURE", "The same of the style; of several, each in order.", parser=name_from),
    ] = None,
    content_masks: of.ContentMask = None,
    style_masks: of.StyleMask = None,
    denoise: of.Denoise = None,
    grain_weight: of.GrainWeight = None,
    tv_weight: of.TvWeight = None,
    style_scale: of.StyleScale = None,
    strokes: of.Strokes = None,
    content_weight: of.ContentWeight = None,
    scale_factor: of.ScaleFactor = None,
    lbfgs_pairs: of.LbfgsPairs = None,
    begin_at: of.BeginAt = None,
    settle: of.Settle = None,
    convolutions: of.Convolutions = None,
    precision: of.Precision = None,
    device: Device = "auto",
    memory: Memory = None,
    tile: of.Tile = "auto",
    checkpoint: Checkpoint = None,
    stop_after: of.StopAfter = None,
    bits: Bits = 8,
    dither: Dither = False,
    keep_alpha: KeepAlpha = False,
) -> None:  # fmt: skip
    """Make RESULT again, larger: it is the start, and only the scales above its size are new.

    Its settings, and the names of its pictures, are in the file; an option replaces one of them.
    """
    with plain_errors():
        from ..images.reading import load_image
        from ..transfer import stylize as run
        from ..transfer.options import settings_from

        chosen: dict[str, Any] = {
            "steps": steps, "settle": settle, "begin_at": begin_at, "style_weight": style_weight,
            "content_weight": content_weight, "style_scale": style_scale,
            "strokes": strokes,
            "grain_weight": grain_weight, "tv_weight": tv_weight, "denoise": spec_from(denoise),
            "scale_factor": scale_factor, "lbfgs_pairs": lbfgs_pairs,
            "convolutions": convolutions, "precision": precision,
        }  # fmt: skip
        chosen = {name: value for name, value in chosen.items() if value is not None}
        if stop_after is not None:
            check_integer("--stop-after", stop_after, 1)
        small = read_small(result, content, style or ())
        if size <= small.size:
            raise ValueError(
                f"--size must be above the {small.size} px that {small.path} has; got {size}"
            )
        recorded = _options_of(small, chosen, masked=bool(content_masks or style_masks))
        options = {**available_here(recorded, small.path, device), **chosen}
        path = choose_out(
            out, f"{small.path.stem}_{size}", overwrite,
            bits=bits, dither=dither, opacity=keep_alpha,
        )  # fmt: skip
        check_files(
            {"--out": path, "--checkpoint": checkpoint},
            {"RESULT": [small.path], "--content": [small.content], "--style": small.styles,
             "--content-mask": content_masks, "--style-mask": style_masks},
        )  # fmt: skip
        settings = settings_from("default", options)
        sizes = sizes_of_styles(settings.style_scale, size, len(small.styles))
        image, styles = load_image(small.content, size), read_styles(small.styles, sizes)
        opacity = opacity_of(small.content, size) if keep_alpha else None
        masks: dict[str, Any] = {
            "content_masks": read_masks(
                "--content-mask", content_masks, [size] * len(sizes), enlarge=True
            ),
            "style_masks": read_masks("--style-mask", style_masks, sizes, enlarge=False),
        }
        large = with_progress(
            lambda callback: run(
                image, styles, start=small.picture, **options, **masks, device=device,
                memory=memory, tile=tile_from(tile), checkpoint=checkpoint,
                callback=until(stop_after, callback),
            ),
            f"{small.path.name} enlarged from {small.size} to {size} px",
        )  # fmt: skip
        files = [each.name for each in small.styles]
        sources = {
            "content": small.content.name, "style": files if len(files) > 1 else files[0],
            "enlarged_result": small.path.name,
        }  # fmt: skip
        deliver(
            large, path, sources, overwrite=overwrite, bits=bits, dither=dither, opacity=opacity
        )
        if checkpoint is not None and large.stopped in (None, "no improvement", "settled"):
            checkpoint.unlink(missing_ok=True)


def _options_of(small: Small, chosen: Mapping[str, Any], *, masked: bool) -> dict[str, Any]:
    """The options in the file that hold for the larger run too."""
    options = {**small.options, "begin_at": small.size + 1}
    options.pop("start", None)  # it is the result now
    if isinstance(options.get("steps"), list) and "steps" not in chosen:
        raise ValueError(
            f"{small.path}: its steps, {','.join(map(str, options['steps']))}, are for scales of "
            "its own; give --steps, one number, or one for each of the scales above"
        )
    if small.record.get("masks") and not masked:
        raise ValueError(
            f"{small.path}: it was made with masks, and they are not in it; give them with "
            "--content-mask and --style-mask"
        )
    if "precision" in chosen and "convolutions" not in chosen:
        options.pop("convolutions", None)  # asked for in another precision
    return options
