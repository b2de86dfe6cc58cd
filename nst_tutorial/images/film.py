"""Moving pictures: the frames of a run, few but well spread, and a file that plays them."""

from __future__ import annotations

import importlib
import importlib.util
import io
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from ..checks import check_integer, check_number
from ..storage.atomic import check_can_write, printable, replacing
from .profile import srgb_profile
from .resizing import resize, shape_of
from .writing import to_pil

SUFFIXES = (".webp", ".gif", ".mp4")
SECONDS = 6.0  # that a film lasts, without its end
HOLD = 2.0  # seconds that the last frame stays on
QUALITY = 80  # of WebP, 0..100
ENCODER = "imageio_ffmpeg"  # of MP4
GIF_TICK = 10  # milliseconds: durations in a GIF are multiples of it


class Seen(Protocol):
    """What `Film` reads of a run's `Progress`."""

    @property
    def evaluation(self) -> int: ...
    @property
    def image(self) -> Tensor: ...


class Film:
    """A callback that keeps frames of a run, for `save_film`.

    A run changes its picture by factors of evaluations, not by their differences: much between 1
    and 10, little between 110 and 120. So the kept evaluations grow geometrically, each `ratio`
    times the one before it, or the next where that is less than one further. If the frames would
    take more than `memory`, every second one is dropped and the ratio is squared, so that they are
    still spread in that way, however long the run.

    >>> import nst_tutorial as nst
    >>> content, style = nst.load_image("temple", 64), nst.load_image("starry_night", 64)
    >>> film = nst.Film(ratio=2)
    >>> result = nst.stylize(content, style, steps=9, device="cpu", callback=film)
    >>> film.evaluations
    [1, 2, 4, 8]

    Parameters
    ----------
    size
        Pixels of the longer side; larger pictures are made smaller.
    ratio
        From each kept evaluation to the next one, above 1.
    memory
        Bytes that the frames may take; two frames are kept in any case.
    """

    def __init__(self, size: int = 480, *, ratio: float = 1.1, memory: float = 256e6) -> None:
        self.size = check_integer("size", size, 1)
        self.ratio = check_number("ratio", ratio, above=1)
        self.memory = check_number("memory", memory, above=0)
        self.evaluations: list[int] = []
        self._levels: list[Tensor] = []  # (3, H, W), uint8

    def __call__(self, progress: Seen) -> None:
        """Keep the picture of this evaluation, if its turn has come."""
        if self.evaluations and progress.evaluation < self._due():
            return
        self.evaluations.append(progress.evaluation)
        self._levels.append(_levels_of(progress.image, self.size))
        while len(self._levels) > 2 and sum(map(torch.numel, self._levels)) > self.memory:
            self._thin()

    def _due(self) -> int:
        """The evaluation that is kept next."""
        last = self.evaluations[-1]
        return max(last + 1, math.floor(last * self.ratio))

    def _thin(self) -> None:
        self.evaluations, self._levels = self.evaluations[::2], self._levels[::2]
        self.ratio **= 2

    @property
    def frames(self) -> list[Tensor]:
        """The pictures kept so far, each (1, 3, H, W) in 0..1; small scales of a run are small."""
        return [levels[None].float() / 255 for levels in self._levels]


def _levels_of(image: Tensor, size: int) -> Tensor:
    """(3, H, W) of whole grey levels, the longer side at most `size`."""
    image = image.detach().float().cpu()
    smaller = resize(image, size) if max(shape_of(image)) > size else image
    return (smaller[0].clamp(0, 1) * 255).round().byte()


def check_can_film(path: str | Path) -> Path:
    """Make the folder of `path` and try to write there, so that no work is done for nothing.

    Raises
    ------
    ValueError
        The suffix is none that `save_film` knows, or .mp4 and imageio-ffmpeg is not installed.
    OSError
        The folder cannot be made or written to.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{printable(path)}: the name of a film must end in one of {', '.join(SUFFIXES)}"
        )
    if suffix == ".mp4":
        _encoder(path)
    return check_can_write(path)


def can_write_mp4() -> bool:
    """Whether imageio-ffmpeg is installed, which MP4 needs."""
    return importlib.util.find_spec(ENCODER) is not None


def save_film(
    frames: Sequence[Tensor],
    path: str | Path,
    *,
    seconds: float = SECONDS,
    hold: float = HOLD,
    quality: int = QUALITY,
    overwrite: bool = True,
) -> Path:
    """Write pictures as an animated WebP or GIF that begins again and again, or as an MP4.

    The file is complete or not there at all. WebP is the smallest and has all colours; GIF has 256
    a frame; MP4 needs `pip install imageio-ffmpeg`.

    Parameters
    ----------
    frames
        (1, 3, H, W) or (3, H, W), sRGB; values outside 0..1 are clamped. All are shown in the size
        of the largest.
    path
        Its suffix chooses the format: .webp, .gif, .mp4.
    seconds
        For all frames together, each as long as the others.
    hold
        Further seconds for the last one.
    quality
        Of WebP, 0..100.

    Raises
    ------
    ValueError
        No frames, or one of a wrong shape; a suffix that is not known; frames too large for the
        format; MP4 without imageio-ffmpeg.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    path = Path(path)
    check_number("seconds", seconds, above=0)
    check_number("hold", hold)
    check_integer("quality", quality, 0, 100)
    check_can_film(path)
    pictures = _of_one_size(frames)
    if path.suffix.lower() == ".mp4":
        content = _as_mp4(pictures, path, seconds, hold)
    else:
        content = _animated(pictures, path, seconds, hold, quality)
    with replacing(path, overwrite=overwrite) as file:
        file.write(content)
    return path


def _of_one_size(frames: Sequence[Tensor]) -> list[Image.Image]:
    """The frames in the size of the largest: a coarse scale is shown as large as the last."""
    if not frames:
        raise ValueError("a film needs at least one frame, got none")
    pictures = [to_pil(frame) for frame in frames]
    size = max((picture.size for picture in pictures), key=math.prod)
    return [
        picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)
        for picture in pictures
    ]


def _animated(
    pictures: list[Image.Image], path: Path, seconds: float, hold: float, quality: int
) -> bytes:
    """An animated WebP or GIF; both measure a frame's time in milliseconds."""
    tick = GIF_TICK if path.suffix.lower() == ".gif" else 1
    each = max(1, round(1000 * seconds / len(pictures) / tick)) * tick
    durations = [each] * len(pictures)
    durations[-1] += round(1000 * hold / tick) * tick
    options = {"quality": quality, "icc_profile": srgb_profile()} if tick == 1 else {}
    first, *others = pictures
    content = io.BytesIO()
    try:
        first.save(
            content, path.suffix[1:].upper(), save_all=True, append_images=others,
            duration=durations, loop=0, **options,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise ValueError(f"{printable(path)}: the format cannot hold it ({error})") from error
    return content.getvalue()


def _encoder(path: Path) -> ModuleType:
    """imageio-ffmpeg, which brings the program ffmpeg along."""
    try:
        return importlib.import_module(ENCODER)
    except ImportError as error:
        raise ValueError(
            f"{printable(path)}: MP4 needs imageio-ffmpeg (pip install imageio-ffmpeg); "
            ".webp and .gif need nothing"
        ) from error


def _as_mp4(pictures: list[Image.Image], path: Path, seconds: float, hold: float) -> bytes:
    """H.264, whose sides are even: an odd one loses its last line of pixels."""
    width, height = (side - side % 2 for side in pictures[0].size)
    rate = len(pictures) / seconds  # frames a second
    repeated = pictures + pictures[-1:] * round(hold * rate)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        writer = _encoder(path).write_frames(
            str(film), (width, height), fps=rate, macro_block_size=2, ffmpeg_log_level="error"
        )
        writer.send(None)  # a generator: it starts at its first `yield`
        for picture in repeated:
            writer.send(picture.crop((0, 0, width, height)).tobytes())
        writer.close()
        return film.read_bytes()
