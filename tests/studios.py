"""What several tests of the studio use."""

import html
import io
import os
import re
import shlex
import subprocess
import time

import numpy as np
import torch
from PIL import Image
from runs import COMMAND

from nst_tutorial import load_image


def text(widget) -> str:
    """What an HTML widget shows, without tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", widget.value))


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.005)


def upload(picker, name, content):
    """As the page does it when a file is dropped or chosen."""
    picker._handle_custom_msg({"kind": "file", "name": name}, [memoryview(content)])


def download(made, format):
    """What the page gets where a button asks for a file: the answer and its bytes."""
    view, answers = made.screen.view, []
    view.send = lambda content, buffers=None: answers.append((content, buffers))
    view._handle_custom_msg({"kind": "download", "format": format, "view": "1"}, [])
    del view.send
    ((answer, buffers),) = answers
    assert answer["view"] == "1"
    return answer, buffers


def as_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def shown(content) -> np.ndarray:
    """The picture in the bytes of a file, (H, W, 3) in 0..1."""
    return np.asarray(Image.open(io.BytesIO(bytes(content))).convert("RGB"), np.float32) / 255


def from_python(made, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(made.recipe.python(), names)
    saved = load_image(folder / f"{made.recipe.name}.png")
    assert torch.equal(saved, (names["result"].image * 255).round() / 255)
    return names["result"].image


def from_shell(made, folder):
    words = shlex.split(made.recipe.shell())
    assert words[:2] == ["nst", "stylize"]
    path = folder / "shell.png"
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(torch.get_num_threads()))
    found = subprocess.run(
        [*COMMAND, *words[1:], "--out", str(path)], cwd=folder, capture_output=True, text=True,
        env={**os.environ, **threads},  # Dask sets them for processes that are started later
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return load_image(path)


def assert_the_code_makes_it_again(made, folder, monkeypatch):
    folder.mkdir(exist_ok=True)
    again = from_python(made, folder, monkeypatch)
    assert torch.equal(again, made.result.image)
    shell = from_shell(made, folder)
    assert torch.equal(shell, (made.result.image * 255).round() / 255)
    for code in (made.recipe.python(), made.recipe.shell()):
        assert code in html.unescape(made.code.value)
