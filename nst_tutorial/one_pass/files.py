"""Decoders in files: the one that comes with the package, and your own."""

from __future__ import annotations

from pathlib import Path

from ..learning.files import load_network, save_network
from .decoder import Decoder

FORMAT = "nst_tutorial decoder 2"
NAME = "decoder"
BUNDLED = Path(__file__).resolve().parents[1] / "data" / "decoders" / f"{NAME}.safetensors"
COMMAND = "nst train-decoder --photos FOLDER --styles FOLDER"


def save_decoder(decoder: Decoder, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a decoder with its design and its training settings into one safetensors file.

    Raises
    ------
    ValueError
        A weight that is not finite, settings that JSON cannot hold.
    OSError
        The folder is missing or not writable, the disk is full; FileExistsError.
    """
    return save_network(decoder, path, FORMAT, "decoder", overwrite=overwrite)


def load_decoder(path: str | Path | None = None, device: str = "auto") -> Decoder:
    """Return a trained decoder from a file; None, or its name: the one of the package.

    Raises
    ------
    FileNotFoundError
        There is no such file; the message says how to make one.
    ValueError
        The file is no decoder, is damaged, or its weights do not fit its design.
    """
    if path is None or str(path) == NAME:
        path = BUNDLED
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: there is no decoder; {COMMAND} trains one")
    return load_network(Path(path), FORMAT, "decoder", Decoder, device)
