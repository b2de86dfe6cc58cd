"""`nst train-painter`: a network that repaints any photograph in one style."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ..storage.atomic import check_distinct
from .options import (
    KERNEL_NAMES,
    OPTIMIZER,
    OURS,
    STYLE,
    Bandwidth,
    Candidates,
    Degree,
    Device,
    Directions,
    Estimator,
    Features,
    Offset,
    Order,
    Overwrite,
    Pairs,
    Reach,
    StyleSize,
    kernel_from,
    option,
    out_option,
    picture,
    with_default,
)
from .terminal import plain_errors
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

EXAMPLES = """[bold]Example[/bold]

nst train-painter starry_night --photos ~/Pictures --minutes 90 --out night.safetensors

nst apply night.safetensors photo.jpg"""


def train_painter(
    style: Annotated[str, picture("STYLE", "Picture whose style to learn")],
    photos: Photos,
    minutes: Minutes = None,
    out: Annotated[Path | None, out_option("results/STYLE_painter.safetensors")] = None,
    size: CutOut = 256,
    style_size: StyleSize = 512,
    seed: Annotated[int, option("NUMBER", "Of weights and cut-outs.")] = 0,
    overwrite: Overwrite = False,
    content_share: Annotated[
        float | None, option("NUMBER", with_default("More of the content.", 0.1), panel=STYLE)
    ] = None,
    kernel: Annotated[
        str | None,
        option("NAME", with_default(KERNEL_NAMES, OURS.kernel), panel=STYLE),
    ] = None,
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
    steps: Steps = None,
    batch: Batch = 4,
    learning_rate: Annotated[
        float | None,
        option("NUMBER", with_default("Of Adam, at its highest.", 0.003), panel=OPTIMIZER),
    ] = None,
    decay: Decay = 0.999,
    width: Annotated[
        int, option("COUNT", "Channels of the network at half size.", panel=OPTIMIZER)
    ] = 32,
    blocks: Annotated[int, option("COUNT", "Its residual blocks.", panel=OPTIMIZER)] = 6,
    device: Device = "auto",
    checkpoint: State = None,
) -> None:
    """Train a network that repaints any photograph in the style of STYLE, in one pass.

    Killed at any moment, the same command goes on. Ctrl-C keeps the network as it is by then, too.
    """
    with plain_errors(NO_NETWORK) as ending:
        from ..images.catalog import find_image
        from ..images.reading import load_image
        from ..learning.budget import Budget
        from ..learning.stream import PictureStream
        from ..texture_networks import painting
        from ..texture_networks.files import save_painter
        from ..texture_networks.painter import Painter

        minutes = minutes_from(minutes, steps)
        Budget(steps, minutes)
        style_path = find_image(style, "style")
        path, state = choose_files(out, f"{style_path.stem}_painter", checkpoint, overwrite)
        check_distinct({"--out": path, "--checkpoint": state}, {"STYLE": style_path})
        image = load_image(style_path, style_size, enlarge=False)
        stream = PictureStream(photos, size)
        painter = Painter(width=width, blocks=blocks, seed=seed)
        spec = kernel_from(
            kernel, degree=degree, offset=offset, bandwidth=bandwidth, estimator=estimator,
            features=features, pairs=pairs, order=order, reach=reach, directions=directions,
            candidates=candidates,
        )  # fmt: skip
        chosen = optional(content_share=content_share, learning_rate=learning_rate)

        def save(path: Path, overwrite: bool) -> Path:
            painter.settings["style"] = style_path.name
            return save_painter(painter, path, overwrite=overwrite)

        def finish() -> str:
            measures = painting.measure(painter, image, device)
            painter.settings["measured"] = measures
            return (
                f"{measures['content']} at {measures['size']} px: style distance "
                f"{measures['style_distance']:.3g}, before {measures['before']:.3g}"
            )

        train(
            lambda callback: painting.train_painter(
                painter, image, stream, minutes=minutes, steps=steps, batch=batch, kernel=spec,
                decay=decay, seed=seed, device=device, checkpoint=state, callback=callback,
                **chosen,
            ),
            save, path, state, [stream], ending, overwrite, finish,
        )  # fmt: skip
