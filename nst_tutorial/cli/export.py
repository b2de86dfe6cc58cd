"""`nst export`: a network as an ONNX file, for programs without Python."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from ..storage.atomic import check_distinct, free_name, shortened
from .options import Overwrite, flag, name_from, out_option
from .series import tell
from .terminal import complain, plain_errors
from .terminal import out as console

SIZES = ((64, 80), (47, 101), (120, 72))  # pixels of the pictures that are compared
NOT_CHECKED = "not compared with PyTorch, since onnxruntime is missing: pip install onnxruntime"


def export(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help="A bundled name, a file, or decoder: what nst paint does.",
            parser=name_from,
        ),
    ],
    out: Annotated[Path | None, out_option("results/NETWORK.onnx")] = None,
    features: Annotated[
        bool, flag("Of a decoder: it alone, from VGG19's features.", "--features")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write NETWORK as an ONNX file for pictures of any size: for browsers, telephones, C++."""
    with plain_errors("interrupted; nothing was written"):
        from ..export import check_export, export_onnx, graph_of
        from ..one_pass.decoder import Decoder
        from ..vgg.network import load_vgg19

        loaded = _load(network)
        model = None
        if isinstance(loaded, Decoder) and not features:
            model = load_vgg19(loaded.settings.get("vgg_weights", "original"), device="cpu")
        elif features and not isinstance(loaded, Decoder):
            raise ValueError(f"{network} is no decoder, so --features mean nothing")
        path = out or free_name(Path("results", shortened(f"{Path(network).stem}.onnx")))
        check_distinct({"--out": path}, {"NETWORK": network})
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path}: exists already; give another --out, or --overwrite")
        graph = graph_of(loaded, model)
        written = export_onnx(graph, path, overwrite=overwrite)
        if importlib.util.find_spec("onnxruntime") is None:
            complain(NOT_CHECKED)
        else:
            difference = check_export(
                written, graph, [graph_of(loaded, model, size) for size in SIZES]
            )
            console.print(f"as PyTorch to {difference:.1g}", end="; ")
        inputs = ", ".join(graph.names)
        tell(f"{written.stat().st_size / 1e6:.1f} MB; from {inputs}. The network", written)


def _load(name: str):
    """A generator, a painter or a decoder."""
    from ..one_pass.files import FORMAT, NAME, load_decoder
    from ..storage.tensor_files import read_header
    from ..texture_networks.files import load_network

    kind = FORMAT.rpartition(" ")[0]
    if name == NAME or (
        Path(name).is_file() and read_header(name).get("format", "").startswith(kind)
    ):
        return load_decoder(name, "cpu")
    return load_network(name, "cpu")
