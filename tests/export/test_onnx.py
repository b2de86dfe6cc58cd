"""Networks as ONNX files: onnxruntime computes what PyTorch does, in any size."""

import re

import pytest
import torch
from runs import TINY

from nst_tutorial.export import onnx_file
from nst_tutorial.export.graphs import graph_of
from nst_tutorial.export.onnx_file import check_export, export_onnx, largest_difference
from nst_tutorial.one_pass.decoder import Decoder
from nst_tutorial.one_pass.painting import paint
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.painter import Painter
from nst_tutorial.vgg.network import VGG19

SIZES = ((64, 80), (47, 33), (90, 130))


@pytest.fixture(scope="module")
def model():
    return VGG19("random", channels=TINY, device="cpu")


def decoder():
    return Decoder(layer="relu3_1", channels=TINY[:3], width=16, seed=3)


NETWORKS = {
    "painter": lambda: Painter(width=4, blocks=1),
    "texture": lambda: Generator(scales=3, width=2),
    "batch": lambda: Generator(scales=3, width=2, normalization="batch"),
    "repaints": lambda: Generator(scales=3, width=2, stylizes=True),
    "decoder": decoder,
    "any style": decoder,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", NETWORKS)
def test_onnxruntime_computes_the_same(tmp_path, kind, model):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    network = NETWORKS[kind]()
    seen = model if kind == "any style" else None
    graph = graph_of(network, seen)
    path = export_onnx(graph, tmp_path / "a.onnx")
    examples = [graph_of(network, seen, size) for size in SIZES]
    assert check_export(path, graph, examples) <= 1e-4
    with torch.no_grad():  # and another network would be found out
        list(network.parameters())[-1].add_(0.5)  # the first is normalised away
    assert largest_difference(path, graph, examples) > 1e-4
    with pytest.raises(ValueError, match="onnxruntime's pictures differ from PyTorch's by"):
        check_export(path, graph, examples)
    with pytest.raises(FileExistsError, match="exists already"):
        export_onnx(graph, path, overwrite=False)


def test_graphs_compute_what_the_package_does(model):
    """What is exported, before it is."""
    painter, any_style = NETWORKS["painter"](), decoder()
    graph = graph_of(painter, size=(31, 44))
    assert torch.allclose(graph.network(*graph.example), painter.repaint(*graph.example), atol=1e-6)
    graph = graph_of(any_style, model, (37, 50))
    content, style, strength = graph.example
    with torch.no_grad():
        ours = graph.network(content, style, strength)
    theirs = paint(content, style, strength=float(strength), decoder=any_style, model=model)
    assert torch.allclose(ours, theirs, atol=1e-4)
    repaints = NETWORKS["repaints"]()
    graph = graph_of(repaints, size=(40, 52))
    noise, content = graph.example[:3], graph.example[-1]
    with torch.no_grad():
        made = graph.network(*graph.example)
    assert torch.allclose(made, repaints.sample(noise=noise, content=content), atol=1e-5)


@pytest.mark.parametrize("padding", ["circular", "reflect", "replicate"])
def test_layers_compute_the_same_while_they_are_exported(padding, monkeypatch):
    """Operations that other programs know, instead of our own."""
    from nst_tutorial.texture_networks import layers

    norm = layers.InstanceNorm(3)
    norm.weight.data, norm.bias.data = torch.rand(2, 3)
    x = torch.rand(2, 3, 5, 6)
    here = layers.padded(x, padding), norm(x)
    monkeypatch.setattr(layers, "is_exporting", lambda: True)
    for a, b in zip(here, (layers.padded(x, padding), norm(x)), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_only_zeros_beyond_the_border():
    model = VGG19("random", channels=TINY, device="cpu", edges="reflect")
    with pytest.raises(ValueError, match="only a network with zeros beyond the border"):
        graph_of(decoder(), model)


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "NEEDED", ("onnx", "no_such_package"))
    graph = graph_of(NETWORKS["painter"]())
    message = "no_such_package: not installed here; pip install 'nst_tutorial[onnx]'"
    with pytest.raises(ValueError, match=re.escape(message)):
        export_onnx(graph, tmp_path / "a.onnx")


def test_other_names(tmp_path):
    graph = graph_of(NETWORKS["painter"]())
    with pytest.raises(ValueError, match="the name of an ONNX file must end in .onnx"):
        export_onnx(graph, tmp_path / "a.pt")
