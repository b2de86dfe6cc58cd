"""`nst train-decoder` and `nst paint`: any style in one pass."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ..storage.atomic import check_distinct, save_under_free_name
from . import stylize_options as of
from .options import (
    OPTIMIZER,
    STYLE,
    Device,
    Memory,
    Overwrite,
    name_from,
    option,
    out_option,
    path_from,
    picture,
    side_from,
    size_option,
    with_default,
)
from .series import choose_folder, for_each, naming, pictures_of, tell
from .sources import check_files, mix_from, read_masks, read_styles
from .terminal import choose_out, plain_errors
from .trainings import (
    NO_NETWORK,
    Batch,
    CutOut,
    Decay,
    Minutes,
    Photos,
    State,
    Steps,
    choose_files,
    minutes_from,
    optional,
    train,
)

if TYPE_CHECKING:
    from torch import Tensor

    from ..one_pass.decoder import Decoder

MEASURED_ON, MEASURED_AT = "temple", 256
MEASURED_IN = ("starry_night", "tissue_stain", "woodcut_waves")
REMEDY = "take a smaller --size, or with --memory fewer GB"


def train_decoder(
    photos: Photos,
    styles: Annotated[
        Path, option("FOLDER", "Of paintings and drawings, of many kinds.", parser=path_from)
    ],
    minutes: Minutes = None,
    out: Annotated[Path | None, out_option("results/decoder.safetensors")] = None,
    size: CutOut = 256,
    layer: Annotated[
        str, option("NAME", "relu3_1, or relu4_1: larger patterns, less of the photograph.")
    ] = "relu3_1",
    seed: Annotated[int, option("NUMBER", "Of weights and cut-outs.")] = 0,
    overwrite: Overwrite = False,
    style_weight: Annotated[
        float | None, option("NUMBER", with_default("More style.", 1.0), panel=STYLE)
    ] = None,
    steps: Steps = None,
    batch: Batch = 4,
    learning_rate: Annotated[
        float | None,
        option("NUMBER", with_default("Of Adam, at its highest.", 0.001), panel=OPTIMIZER),
    ] = None,
    decay: Decay = 0.999,
    width: Annotated[
        int, option("COUNT", "Channels of the network's first layer.", panel=OPTIMIZER)
    ] = 128,
    device: Device = "auto",
    checkpoint: State = None,
) -> None:
    """Train the decoder of nst paint, which makes pictures of VGG19's features in any style.

    Killed at any moment, the same command goes on. Ctrl-C keeps the network as it is by then, too.
    """
    with plain_errors(NO_NETWORK) as ending:
        from ..learning.budget import Budget
        from ..learning.stream import PictureStream
        from ..one_pass import training
        from ..one_pass.decoder import Decoder
        from ..one_pass.files import save_decoder

        minutes = minutes_from(minutes, steps)
        Budget(steps, minutes)
        path, state = choose_files(out, "decoder", checkpoint, overwrite)
        check_distinct({"--out": path, "--checkpoint": state})
        photographs = PictureStream(photos, size)
        drawings = PictureStream(styles, size, grey=True)
        decoder = Decoder(layer=layer, width=width, seed=seed)
        chosen = optional(style_weight=style_weight, learning_rate=learning_rate)

        def save(path: Path, overwrite: bool) -> Path:
            return save_decoder(decoder, path, overwrite=overwrite)

        def finish() -> str:
            decoder.settings["measured"] = measures = measure(decoder, device)
            ways = ", ".join(f"{way} {distance:.3g}" for way, distance in measures.items())
            return f"{MEASURED_ON}, style distances in the mean of {len(MEASURED_IN)}: {ways}"

        train(
            lambda callback: training.train_decoder(
                decoder, photographs, drawings, minutes=minutes, steps=steps, batch=batch,
                decay=decay, seed=seed, device=device, checkpoint=state, callback=callback,
                **chosen,
            ),
            save, path, state, [photographs, drawings], ending, overwrite, finish,
        )  # fmt: skip


def measure(decoder: Decoder, device: str = "auto") -> dict[str, float]:
    """How far bundled pictures are from bundled styles, in the mean: before, by AdaIN, by WCT.

    Style distances are those of Gram matrices, `texture_networks.style_distance`.
    """
    from ..images.reading import load_image
    from ..one_pass.painting import METHODS
    from ..one_pass.painting import paint as run
    from ..texture_networks.objective import style_distance

    content = load_image(MEASURED_ON, MEASURED_AT, kind="content")
    sums = dict.fromkeys(["before", *METHODS], 0.0)
    for name in MEASURED_IN:
        style = load_image(name, MEASURED_AT, kind="style")
        pictures = {"before": content} | {
            way: run(content, style, decoder=decoder, device=device, method=way).cpu()
            for way in METHODS
        }
        for way, image in pictures.items():
            sums[way] += style_distance(image, style, device=device)
    return {way: total / len(MEASURED_IN) for way, total in sums.items()}


def paint(
    photo: Annotated[str, picture("PHOTO", "Picture to repaint, or a folder of them")],
    style: Annotated[str, picture("STYLE", "Picture whose style to take")],
    out: Annotated[
        Path | None,
        out_option("results/PHOTO_STYLE.png", "Where to write; for a folder: a folder."),
    ] = None,
    size: Annotated[int, size_option("Longer side of the result.")] = 512,
    style_size: Annotated[
        int | None,
        option(
            "PIXELS",
            with_default("Longer side of STYLE: smaller for smaller patterns.", "as --size"),
            parser=side_from,
        ),
    ] = None,
    strength: Annotated[float, option("0…1", "How much of the style.")] = 1.0,
    method: Annotated[
        str, option("adain|wct", "Mean and contrast of each feature; or their covariance, too.")
    ] = "adain",
    overwrite: Overwrite = False,
    also: of.Also = None,
    style_mix: of.Mix = None,
    content_masks: of.ContentMask = None,
    style_masks: of.StyleMask = None,
    decoder: Annotated[
        str | None,
        option("FILE", with_default("From nst train-decoder.", "ours"), parser=name_from),
    ] = None,
    device: Device = "auto",
    memory: Memory = None,
) -> None:
    """Repaint PHOTO in any STYLE, in one pass: no optimisation, no training for the style."""
    with plain_errors() as ending:
        from ..images.catalog import find_image
        from ..one_pass.files import load_decoder

        network = load_decoder(decoder, device)
        names = [style, *(also or ())]
        style_paths = [find_image(name, "style") for name in names]
        sizes = [style_size or size] * len(names)
        pictures = read_styles(style_paths, sizes)
        styles = pictures if isinstance(pictures, list) else [pictures]
        masks = read_masks("--content-mask", content_masks, [size] * len(names), enlarge=True)
        origins = read_masks("--style-mask", style_masks, sizes, enlarge=False)
        options: dict[str, Any] = {
            "decoder": network, "device": device, "method": method, "strength": strength,
            "style_mix": mix_from(style_mix), "memory": memory,
        }  # fmt: skip
        record = {
            "one_pass": network.design, "training": network.settings, "method": method,
            "strength": strength, "style": [path.name for path in style_paths],
            "style_mix": options["style_mix"],
        }  # fmt: skip

        def make(path: Path, content: Path, overwrite: bool = overwrite) -> None:
            _make_picture(path, content, size, styles, masks, origins, options, record, overwrite)

        reads: dict[str, Sequence[str | Path | None] | None] = {
            "STYLE": style_paths[:1], "--also": style_paths[1:], "--content-mask": content_masks,
            "--style-mask": style_masks, "--decoder": [decoder],
        }  # fmt: skip
        title = "_".join(Path(name).stem for name in names)
        if Path(photo).is_dir():
            if masks is not None:
                raise ValueError("--content-mask is for one picture, and PHOTO is a folder")
            folder = choose_folder(out)
            for_each(make, pictures_of(Path(photo)), folder, title, overwrite, ending)
            return
        content = find_image(photo, "content")
        path = choose_out(out, f"{Path(photo).stem}_{title}", overwrite)
        check_files({"--out": path}, {"PHOTO": [content], **reads})
        make(path, content)


def _make_picture(
    path: Path, content: Path, size: int, styles: Sequence[Tensor], masks: Any, origins: Any,
    options: dict[str, Any], record: dict[str, Any], overwrite: bool,
) -> None:  # fmt: skip
    """One picture, with what made it, in a file."""
    from ..images.reading import load_image, save_image
    from ..one_pass.painting import paint as run
    from ..transfer.masks import fit_masks

    begin = time.perf_counter()
    with naming(content, REMEDY):
        picture = load_image(content, size)
        image = run(
            picture, list(styles), **options,
            content_masks=fit_masks("content mask", masks, [picture] * len(styles)),
            style_masks=fit_masks("style mask", origins, styles),
        ).cpu()  # fmt: skip
    spent = time.perf_counter() - begin
    made = {**record, "content": content.name, "size": list(image.shape[2:])}

    def save(path: Path, overwrite: bool) -> Path:
        return save_image(image, path, made, overwrite=overwrite)

    tell(f"{spent:.2f} s; the picture", save_under_free_name(save, path, overwrite))
