"""Write networks as ONNX files, and compare what they compute with PyTorch."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from ..storage.atomic import check_can_write, replacing
from .graphs import Graph

OPSET = 18  # the first in which all that is needed is there
TOLERANCE = 1e-4  # of colours in 0..1
NEEDED = ("onnx", "onnxscript")
REMEDY = "pip install 'nst_tutorial[onnx]'"


def export_onnx(graph: Graph, path: str | Path, *, overwrite: bool = True) -> Path:
    """Write a network as an ONNX file that takes pictures of any size, (N, 3, H, W) with N = 1.

    Raises
    ------
    ValueError
        A package that is needed is missing, and how to get it; a name that does not end in .onnx.
    OSError
        The file cannot be written; FileExistsError.
    """
    _check_installed(NEEDED)
    if not hasattr(torch.export.Dim, "DYNAMIC"):
        raise ModuleNotFoundError(
            f"this needs PyTorch 2.6 or later, and here is {torch.__version__}"
        )
    path = Path(path)
    if path.suffix != ".onnx":
        raise ValueError(f"{path}: the name of an ONNX file must end in .onnx")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: exists already")
    check_can_write(path)
    free = [
        dict.fromkeys(sizes, torch.export.Dim.DYNAMIC) if sizes else None for sizes in graph.sizes
    ]
    with _quietly(), torch.no_grad():
        program = torch.onnx.export(
            graph.network, graph.example, input_names=list(graph.names), output_names=["picture"],
            dynamic_shapes=_shaped(graph, free), opset_version=OPSET, dynamo=True, verbose=False,
        )  # fmt: skip
    assert program is not None  # as it is without a file's name
    with replacing(path, overwrite=overwrite) as file:
        file.write(program.model_proto.SerializeToString())
    return path


def _shaped(graph: Graph, free: list) -> tuple:
    """The free sizes in the structure of the arguments of `forward`."""
    arguments = inspect.signature(graph.network.forward).parameters.values()
    variadic = any(one.kind is one.VAR_POSITIONAL for one in arguments)
    return (tuple(free),) if variadic else tuple(free)


def largest_difference(path: str | Path, graph: Graph, examples: Sequence[Graph]) -> float:
    """Return the largest difference of any colour between `onnxruntime` and PyTorch.

    `examples` are graphs of the same network with other inputs, of other sizes.

    Raises
    ------
    ValueError
        onnxruntime is missing; the message says how to get it.
    """
    _check_installed(("onnxruntime",))
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest = 0.0
    for example in examples:
        feed = {n: t.numpy() for n, t in zip(graph.names, example.example, strict=True)}
        (theirs,) = session.run(None, feed)
        with torch.no_grad():
            ours = graph.network(*example.example)
        largest = max(largest, float((ours - torch.from_numpy(theirs)).abs().max()))
    return largest


def check_export(path: str | Path, graph: Graph, examples: Sequence[Graph]) -> float:
    """Return that difference; a ValueError if it is above 1e-4."""
    difference = largest_difference(path, graph, examples)
    if not difference <= TOLERANCE:
        raise ValueError(
            f"{path}: onnxruntime's pictures differ from PyTorch's by {difference:.2g}, more than "
            f"{TOLERANCE:g}: do not use it"
        )
    return difference


def _check_installed(packages: Sequence[str]) -> None:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(f"{' and '.join(missing)}: not installed here; {REMEDY}")


@contextmanager
def _quietly() -> Iterator[None]:
    """The exporter's own notes go nowhere."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
