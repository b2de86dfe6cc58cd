"""`nst stylize` and `nst texture`: one picture at a time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

from ..checks import check_integer
from . import stylize_options as of
from .denoising import spec_from
from .films import check_film_file, deliver_film, filmed
from .looks import check_look_file, deliver_look
from .options import (
    OURS,
    STYLE,
    Bandwidth,
    Bits,
    Candidates,
    Checkpoint,
    Degree,
    Device,
    Directions,
    Dither,
    Estimator,
    Features,
    KeepAlpha,
    KernelName,
    Memory,
    Offset,
    Order,
    Overwrite,
    Pairs,
    Reach,
    StyleSize,
    flag,
    kernel_from,
    layers_from,
    option,
    out_option,
    picture,
    regions_from,
    shape_from,
    size_option,
    tile_from,
    with_default,
)
from .sources import (
    available_here,
    check_files,
    check_order,
    mix_from,
    opacity_of,
    read_masks,
    read_styles,
    recorded_options,
    sizes_of_styles,
    without_enlargement,
)
from .terminal import choose_out, complain, deliver, plain_errors, until, with_progress

EXAMPLES = """[bold]Examples[/bold]

nst stylize photo.jpg starry_night

nst stylize photo.jpg starry_night --size 1024 --style-weight 30 --out evening.png

nst stylize temple starry_night --also stained_glass --mix 2,1 --color luminance

The default of a setting is that of the preset "default"; another --preset has others."""


def stylize(
    content: Annotated[str, picture("CONTENT", "Picture to repaint")],
    style: Annotated[str, picture("STYLE", "Picture whose style to take")],
    out: Annotated[
        Path | None,
        out_option(
            "results/CONTENT_STYLE.png", "Where to write: .png (keeps the settings), .jpg, "
            ".webp, .tiff.",
        ),
    ] = None,
    size: Annotated[int, size_option("Longer side of the result.")] = 512,
    steps: of.Steps = None,
    style_weight: of.StyleWeight = None,
    preset: of.Preset = None,
    photo: of.Photo = False,
    look: of.LookFile = None,
    film: of.FilmFile = None,
    like: of.Like = None,
    overwrite: Overwrite = False,
    also: of.Also = None,
    style_mix: of.Mix = None,
    style_mix_fine: of.MixFine = None,
    content_masks: of.ContentMask = None,
    style_masks: of.StyleMask = None,
    regions: of.Regions = None,
    keep_faces: of.KeepFaces = None,
    color: of.Color = None,
    color_method: of.ColorMethod = None,
    denoise: of.Denoise = None,
    grain_weight: of.GrainWeight = None,
    tv_weight: of.TvWeight = None,
    kernel: of.KernelOfPreset = None,
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
    style_scale: of.StyleScale = None,
    strokes: of.Strokes = None,
    style_layers: of.StyleLayers = None,
    content_layers: of.ContentLayers = None,
    content_weight: of.ContentWeight = None,
    balance: of.Balance = None,
    vgg_weights: of.VggWeights = None,
    pooling: of.Pooling = None,
    edges: of.Edges = None,
    start: of.Start = None,
    seed: of.Seed = None,
    coarse_to_fine: of.CoarseToFine = None,
    scale_factor: of.ScaleFactor = None,
    parametrization: of.Parametrization = None,
    grid_size: of.GridSize = None,
    grid_depth: of.GridDepth = None,
    smoothness: of.Smoothness = None,
    guide: of.Guide = None,
    method: of.Method = None,
    learning_rate: of.LearningRate = None,
    average: of.Average = None,
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
    """Repaint CONTENT in the style of STYLE.

    Pictures are given by path, or by name if they lie in images/content and images/style.
    Ctrl-C ends early and keeps the best picture so far.
    """
    with plain_errors():
        from ..images.catalog import find_image
        from ..images.reading import load_image
        from ..transfer import stylize as run
        from ..transfer.options import preset_for, settings_from

        options: dict[str, Any] = {
            "style_mix": mix_from(style_mix), "style_mix_fine": mix_from(style_mix_fine),
            "strokes": strokes, "color": color, "color_method": color_method,
            "regions": regions_from(regions), "keep_faces": keep_faces,
            "preset": preset, "steps": steps, "style_weight": style_weight,
            "content_weight": content_weight, "tv_weight": tv_weight,
            "grain_weight": grain_weight, "balance": balance, "style_scale": style_scale,
            "kernel": kernel_from(
                kernel, degree=degree, offset=offset, bandwidth=bandwidth, estimator=estimator,
                features=features, pairs=pairs, order=order, reach=reach, directions=directions,
                candidates=candidates,
            ),
            "style_layers": layers_from("--style-layers", style_layers),
            "content_layers": layers_from("--content-layers", content_layers),
            "vgg_weights": vgg_weights, "pooling": pooling, "edges": edges, "start": start,
            "coarse_to_fine": coarse_to_fine, "scale_factor": scale_factor,
            "parametrization": parametrization, "grid_size": grid_size,
            "grid_depth": grid_depth, "smoothness": smoothness, "guide": guide,
            "method": method,
            "learning_rate": learning_rate, "average": average, "lbfgs_pairs": lbfgs_pairs,
            "denoise": spec_from(denoise), "seed": seed, "begin_at": begin_at, "settle": settle,
            "convolutions": convolutions, "precision": precision,
        }  # fmt: skip
        options = {name: value for name, value in options.items() if value is not None}
        if stop_after is not None:
            check_integer("--stop-after", stop_after, 1)
        if photo:
            options["preset"] = preset_for("photo", preset or "default")
        if like is not None:
            if photo:
                raise ValueError("--photo and --like both say where to start; give one of them")
            if preset is not None:
                raise ValueError("--preset and --like both say where to start; give one of them")
            recorded, record = recorded_options(like)
            if "enlarged_from" in record and _start_picture(start) is None:
                recorded = without_enlargement(recorded, like)
            if precision is not None and convolutions is None:
                recorded.pop("convolutions", None)  # asked for in another precision
            options = {**available_here(recorded, like, device), **options}
            if record.get("masks") and not (content_masks or style_masks):
                complain(f"{like} was made with masks, and they are not in it: give them as well")
        names = [style, *(also or ())]
        check_order(content, style)
        content_path = find_image(content, "content")
        style_paths = [find_image(name, "style") for name in names]
        path = choose_out(
            out, "_".join(Path(name).stem for name in (content, *names)), overwrite,
            bits=bits, dither=dither, opacity=keep_alpha,
        )  # fmt: skip
        start_path = _start_picture(start)
        if start_path is not None:
            options["start"] = "picture"
        check_files(
            {"--out": path, "--checkpoint": checkpoint, "--look": look, "--film": film},
            {"CONTENT": [content_path], "STYLE": style_paths[:1], "--also": style_paths[1:],
             "--content-mask": content_masks, "--style-mask": style_masks, "--like": [like],
             "--start": [start_path], "--vgg-weights": [vgg_weights]},
        )  # fmt: skip
        settings = settings_from(options.get("preset", "default"), options)
        if look is not None:
            chosen = "parametrization" in options
            check_look_file(look, settings, overwrite, chosen=chosen)
        frames = None if film is None else check_film_file(film, overwrite)
        sizes = sizes_of_styles(settings.style_scale, size, len(style_paths))
        image, styles = load_image(content_path, size), read_styles(style_paths, sizes)
        opacity = opacity_of(content_path, size) if keep_alpha else None
        if start_path is not None:
            # Of a result that is enlarged all is seen at its own size
            enlarges = settings.begin_at is not None
            options["start"] = load_image(start_path, size, enlarge=not enlarges)
        everywhere = [size] * len(sizes)
        masks: dict[str, Any] = {
            "content_masks": read_masks("--content-mask", content_masks, everywhere, enlarge=True),
            "style_masks": read_masks("--style-mask", style_masks, sizes, enlarge=False),
        }
        files = [each.name for each in style_paths]
        result = with_progress(
            lambda callback: run(
                image, styles, **options, **masks, device=device, memory=memory,
                tile=tile_from(tile), checkpoint=checkpoint,
                callback=filmed(frames, until(stop_after, callback)),
            ),
            f"{content_path.name} in the style of {' and '.join(files)}, {size} px",
        )  # fmt: skip
        sources = {"content": content_path.name, "style": files if also else files[0]}
        with ExitStack() as others:  # also if Ctrl-C, or a folder that is gone, ends `deliver`
            if film is not None and frames is not None:
                others.callback(deliver_film, result, frames, film, overwrite)
            if look is not None:
                others.callback(deliver_look, result, look, overwrite)
            deliver(
                result, path, sources, overwrite=overwrite, bits=bits, dither=dither,
                opacity=opacity,
            )  # fmt: skip
        # The picture is safe. Of a run that was stopped half-way, somebody may want the rest.
        if checkpoint is not None and result.stopped in (None, "no improvement", "settled"):
            checkpoint.unlink(missing_ok=True)


def _start_picture(start: str | None) -> Path | None:
    """The file that --start names, if it names one."""
    from ..images.catalog import find_image
    from ..presets import STARTS

    if start is None or start in STARTS:
        return None
    try:
        return find_image(start)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"--start is {', '.join(STARTS)}, or: {error}") from error


def texture(
    style: Annotated[str, picture("STYLE", "Picture whose texture to make")],
    out: Annotated[Path | None, out_option("results/STYLE_texture.png")] = None,
    size: Annotated[
        Any, size_option("Side of the result, or WIDTHxHEIGHT.", parser=shape_from)
    ] = 256,
    style_size: StyleSize = 256,
    seed: Annotated[int, option("NUMBER", "Another seed, another picture.")] = 0,
    tileable: Annotated[
        bool, flag("Without seams when laid side by side.", "--tileable")
    ] = False,
    steps: Annotated[int, option("COUNT", "Evaluations of loss and gradient.")] = 200,
    overwrite: Overwrite = False,
    layers: Annotated[
        str | None,
        option(
            "NAME,…",
            with_default("Layers that style is compared at.", ", ".join(OURS.style_layers)),
            panel=STYLE,
        ),
    ] = None,
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
    edges: of.Edges = None,
    device: Device = "auto",
    bits: Bits = 8,
    dither: Dither = False,
) -> None:  # fmt: skip
    """Make a new picture with the texture of STYLE, from noise."""
    with plain_errors():
        from ..images.catalog import find_image
        from ..images.reading import load_image
        from ..transfer import synthesize_texture

        style_path = find_image(style, "style")
        image = load_image(style_path, style_size, enlarge=False)
        path = choose_out(
            out, f"{Path(style).stem}_texture", overwrite, bits=bits, dither=dither
        )  # fmt: skip
        check_files({"--out": path}, {"STYLE": [style_path]})
        spec: Any = kernel_from(
            kernel, degree=degree, offset=offset, bandwidth=bandwidth, estimator=estimator,
            features=features, pairs=pairs, order=order, reach=reach, directions=directions,
            candidates=candidates,
        )  # fmt: skip
        names = None if layers is None else [name.strip() for name in layers.split(",")]
        shape = size if isinstance(size, tuple) else (size, size)
        result = with_progress(
            lambda callback: synthesize_texture(
                image, size, names, spec, seed, tileable=tileable, steps=steps, device=device,
                callback=callback, edges=edges,
            ),
            f"texture of {style_path.name}, {shape[1]}×{shape[0]} px",
        )  # fmt: skip
        deliver(
            result, path, {"style": style_path.name}, overwrite=overwrite, bits=bits, dither=dither
        )
