"""A scene in files and tensors, and files that are no pictures."""

import os

import numpy as np
import torch
from handmade import claiming
from PIL import Image

WIDTH, HEIGHT = 40, 24  # of the scene


def as_tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255


def write_bad(folder, kind: str):
    path = folder / "bad.png"
    if kind == "missing":
        return path
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is not a picture")
    elif kind == "truncated":
        load = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
        load.save(path)
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "1x1":
        Image.new("RGB", (1, 1)).save(path)
    elif kind == "3x2000":
        Image.new("RGB", (3, 2000)).save(path)
    elif kind == "500 megapixels":
        path.write_bytes(claiming(25000, 20000))
    elif kind == "160 megapixels":
        path.write_bytes(claiming(16000, 10000))
    return path


BAD = {
    "missing": (FileNotFoundError, "bad.png: no such picture.*by name there are"),
    "folder": (IsADirectoryError, "bad.png: is a folder"),
    "pipe": (ValueError, "bad.png: is not a regular file"),
    "empty": (ValueError, "bad.png: the file is empty"),
    "text": (ValueError, r"bad.png: cannot be read as a picture \(not a picture\).*save it anew"),
    "truncated": (ValueError, "bad.png: cannot be read as a picture.*save it anew"),
    "1x1": (ValueError, "bad.png: only 1×1 pixels.*at least 16"),
    "3x2000": (ValueError, "bad.png: only 3×2000 pixels"),
    "500 megapixels": (ValueError, "bad.png: .*make the picture smaller"),
    "160 megapixels": (ValueError, "bad.png: 16000×10000 is 160 megapixels.*make the picture smal"),
}
