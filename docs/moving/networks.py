"""Networks that run in the page: their ONNX files, their runtime, and pictures to begin with.

The runtime is onnxruntime-web, taken from npm once and kept in the package's cache folder. It runs
in one thread, since several need headers that a plain host of pages does not send. It and the
networks are compressed, since not every host does that on the way; the page unpacks them.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import nst_tutorial as nst
from nst_tutorial import widgets
from nst_tutorial.export import Graph, check_export, export_onnx, graph_of
from nst_tutorial.images.reading import to_pil
from nst_tutorial.storage.cache import cache_folder
from nst_tutorial.texture_networks.files import bundled, bundled_painters, load_network
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.painter import Painter

from .answers import Pictures, control_of, write_json

RUNTIME, VERSION = "onnxruntime-web", "1.30.0"
NOTICE = (
    f"{RUNTIME} {VERSION}, Copyright (c) Microsoft Corporation, under the MIT licence: "
    "https://github.com/microsoft/onnxruntime\n"
)
NEEDED = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
SIZES = (256, 384, 512, 768)  # of the longer side, in pixels, to paint at
EXAMPLES = ("cat", "temple", "mountain_path", "forest_stream", "astronaut")
EXAMPLE = 768  # pixels of the longer side of a photograph
CHECKED = ((64, 80), (47, 101))  # pixels of the pictures that are compared with PyTorch's
FIRST, FALLBACK = "repaint_starry_night", "starry_night_painter"


def painters() -> dict[str, str]:
    """Networks that repaint a photograph, the first one first: name → what the page calls it."""
    names = sorted(bundled_painters(), key=lambda name: (name != FIRST, name))
    if FIRST not in names:  # the texture network with the same style, which takes noise besides
        names.insert(0, FALLBACK)
    return {name: _called(name) for name in names}


def _called(name: str) -> str:
    words = name.removeprefix("repaint_").removesuffix("_painter").replace("_", " ")
    return words[:1].upper() + words[1:]


# --- files -----------------------------------------------------------------------------------


def write_networks(folder: Path) -> None:
    """Write `NAME.onnx.gz` of every network that a page asks for, each compared with PyTorch.

    Raises
    ------
    ValueError
        A package for the export is missing, or a file gives other pictures than PyTorch.
    """
    for name in {**dict.fromkeys(bundled()), **painters()}:
        network = load_network(name, device="cpu")
        graph = graph_for(network)
        path = export_onnx(graph, folder / f"{name}.onnx")
        check_export(path, graph, [graph_for(network, size) for size in CHECKED])
        write_packed(path.read_bytes(), folder / f"{path.name}.gz")
        path.unlink()


def write_packed(content: bytes, path: Path) -> None:
    """Write a file compressed, the same bytes at every build."""
    path.write_bytes(gzip.compress(content, mtime=0))


def graph_for(network: Generator | Painter, size: tuple[int, int] = (64, 80)) -> Graph:
    """The graph of a network; that of a generator also takes `strengths`, one a scale."""
    graph = graph_of(network, size=size)
    if isinstance(network, Painter):
        return graph
    strengths = torch.linspace(0.5, 1.5, network.design["scales"])
    return Graph(
        _WithStrengths(network), (*graph.names, "strengths"), (*graph.sizes, {}),
        (*graph.example, strengths),
    )  # fmt: skip


class _WithStrengths(nn.Module):
    """Noise, coarse to fine, the content at the same sizes, and how much each scale counts."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator = generator

    def forward(self, *inputs: Tensor) -> Tensor:
        scales = self.generator.design["scales"]
        noise, contents, strengths = inputs[:scales], inputs[scales:-1], inputs[-1]
        painted = self.generator.join(noise, contents or None, strengths.unbind())
        return painted.clamp(0, 1)


def write_runtime(folder: Path) -> None:
    """Copy what a page needs of the runtime, from the cache or else from npm.

    Raises
    ------
    RuntimeError
        npm is missing or cannot fetch it; the message says what to do.
    """
    cached = cache_folder() / f"{RUNTIME}-{VERSION}"
    if not all((cached / name).is_file() for name in NEEDED):
        _fetch(cached)
    script, binary = NEEDED
    shutil.copy(cached / script, folder)
    write_packed((cached / binary).read_bytes(), folder / f"{binary}.gz")
    (folder / "NOTICE.txt").write_text(NOTICE, encoding="utf-8")


def _fetch(cached: Path) -> None:
    cached.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", f"{RUNTIME}@{VERSION}", "--silent"]
        try:
            subprocess.run(command, cwd=place, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or error
            raise RuntimeError(
                f"{RUNTIME} {VERSION} is needed once, from npm, for networks in the page, and "
                f"could not be fetched ({str(said).strip()}): install Node.js, and build where "
                "there is a network"
            ) from error
        (archive,) = Path(place).glob("*.tgz")
        with tarfile.open(archive) as package:
            for name in NEEDED:
                member = package.extractfile(f"package/dist/{name}")
                assert member is not None
                (cached / name).write_bytes(member.read())


# --- the two places where they run -----------------------------------------------------------


@dataclass(frozen=True)
class Inputs:
    """What a network takes, as the page must know."""

    scales: int  # 0: a painter, which takes the content alone
    depth: int
    stylizes: bool


def inputs_of(name: str) -> Inputs:
    network = load_network(name, device="cpu")
    if isinstance(network, Painter):
        return Inputs(0, 0, True)
    design = network.design
    return Inputs(design["scales"], design["depth"], design["stylizes"])


def write_painter(folder: Path) -> None:
    """The place where a visitor's photograph is painted."""
    names = painters()
    for name in EXAMPLES:
        for size, part in ((EXAMPLE, ""), (152, "_small")):
            path = folder / f"{name}{part}.webp"
            to_pil(nst.load_image(name, size)).save(path, quality=88, method=6)
    content = {
        "kind": "painter",
        "what": "A painter: your photograph, repainted by a small network",
        "networks": [
            {"name": n, "label": label, **vars(inputs_of(n))} for n, label in names.items()
        ],
        "examples": list(EXAMPLES),
        "sizes": list(SIZES),
    }
    write_json(folder / "explorer.json", content)


def write_generator(folder: Path) -> None:
    """The explorer of notebook 10; only its first picture is stored, the others are computed."""
    content = nst.load_image("temple", 256)
    networks = {name: nst.load_generator(name, device="cpu") for name in bundled()}
    explorer = widgets.generator_explorer(networks, content)
    to_pil(content).save(folder / "content.webp", lossless=True, method=6)
    pictures = Pictures(folder)
    pictures.add(explorer.pictures[0])
    controls = [control_of(name, widget) for name, widget in explorer.controls.items()]
    write_json(
        folder / "explorer.json",
        {
            "kind": "generator",
            "what": explorer.what,
            "controls": [each.as_json() for each in controls],
            "values": {each.name: list(each.values) for each in controls},
            "networks": {name: vars(inputs_of(name)) for name in networks},
            "pictures": pictures.files,
        },
    )
