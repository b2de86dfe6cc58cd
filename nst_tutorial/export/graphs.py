"""Networks as other programs need them: tensors in, a finished picture out, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..images.resizing import resize
from ..one_pass.decoder import Decoder, Features
from ..one_pass.painting import continued
from ..one_pass.statistics import adain, mean_and_deviation
from ..texture_networks.generator import Generator
from ..texture_networks.painter import Painter
from ..vgg.layers import LAYERS, stride
from ..vgg.network import VGG19

Sizes = dict[int, str]  # dimension → the name of its size, which may be any


@dataclass(frozen=True)
class Graph:
    """A network, and what it is called with."""

    network: nn.Module
    names: tuple[str, ...]
    """Of the inputs, in order."""

    sizes: tuple[Sizes, ...]
    """Of each input, those that are free."""

    example: tuple[Tensor, ...]


def graph_of(
    network: Generator | Painter | Decoder,
    model: VGG19 | None = None,
    size: tuple[int, int] = (64, 80),
) -> Graph:
    """Return the graph of a network, and inputs for a picture of that (H, W).

    A painter takes a content. A generator takes noise, one tensor a scale, and the content at each
    scale if it stylises. A decoder takes features, fine to coarse; with the `model` that it was
    trained with, a content, a style and a strength 0..1 instead.
    """
    numbers = torch.Generator().manual_seed(0)
    network = network.cpu().eval()
    if isinstance(network, Painter):
        return Graph(_Painter(network), ("content",), ({2: "height", 3: "width"},),
                     (torch.rand(1, 3, *size, generator=numbers),))  # fmt: skip
    if isinstance(network, Generator):
        return _graph_of_generator(network, torch.rand(1, 3, *size, generator=numbers))
    if model is None:
        shapes = [
            (1, count, *(s // network.stride * network.stride // stride(layer) for s in size))
            for layer, count in zip(network.layers, network.design["channels"], strict=True)
        ]
        features = tuple(torch.rand(shape, generator=numbers) for shape in shapes)
        free = tuple({2: f"rows_{layer}", 3: f"columns_{layer}"} for layer in network.layers)
        return Graph(_Decoder(network), network.layers, free, features)
    pictures = torch.rand(2, 1, 3, *size, generator=numbers)
    free = tuple({2: f"{name}_height", 3: f"{name}_width"} for name in ("content", "style"))
    return Graph(
        _AnyStyle(network, model), ("content", "style", "strength"), (*free, {}),
        (pictures[0], pictures[1, :, :, : size[0] - 3], torch.tensor(0.8)),
    )  # fmt: skip


def _graph_of_generator(generator: Generator, content: Tensor) -> Graph:
    noise = generator.draw((content.shape[2], content.shape[3]))
    names = [f"noise_{k}" for k in range(len(noise))]
    inputs = list(noise)
    if generator.design["stylizes"]:
        names += [f"content_{k}" for k in range(len(noise))]
        inputs += [resize(content, (z.shape[2], z.shape[3])) for z in noise]
    free = [{2: f"height_{k}", 3: f"width_{k}"} for k in range(len(noise))]
    sizes = free * (len(inputs) // len(noise))
    return Graph(_Generator(generator), tuple(names), tuple(sizes), tuple(inputs))


class _Painter(nn.Module):
    def __init__(self, painter: Painter):
        super().__init__()
        self.painter = painter

    def forward(self, content: Tensor) -> Tensor:
        return self.painter(content).clamp(0, 1)


class _Generator(nn.Module):
    """Noise, coarse to fine, and the content at the same sizes → a picture."""

    def __init__(self, generator: Generator):
        super().__init__()
        self.generator = generator

    def forward(self, *inputs: Tensor) -> Tensor:
        scales = self.generator.design["scales"]
        noise, contents = inputs[:scales], inputs[scales:]
        return self.generator.join(noise, contents or None).clamp(0, 1)


class _Decoder(nn.Module):
    def __init__(self, decoder: Decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, *features: Tensor) -> Tensor:
        return self.decoder(dict(zip(self.decoder.layers, features, strict=True))).clamp(0, 1)


class _AnyStyle(nn.Module):
    """What `one_pass.paint` does with one style and AdaIN."""

    def __init__(self, decoder: Decoder, model: VGG19):
        super().__init__()
        self.decoder, self.encoder = decoder, _Encoder(model, decoder.layers)

    def forward(self, content: Tensor, style: Tensor, strength: Tensor) -> Tensor:
        f, y = (self.encoder(continued(x, self.decoder.stride)) for x in (content, style))
        t = {layer: adain(f[layer], *mean_and_deviation(y[layer])) for layer in f}
        painted = self.decoder({layer: f[layer] + strength * (t[layer] - f[layer]) for layer in f})
        return painted[:, :, : content.shape[2], : content.shape[3]].clamp(0, 1)


class _Encoder(nn.Module):
    """VGG19 to the last of some layers, by plain convolutions: picture → features at each."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: VGG19, layers: Sequence[str]):
        super().__init__()
        if (model.padding, model.edges) != ("zeros", "zeros"):
            raise ValueError("only a network with zeros beyond the border can be exported")
        self.layers, self.pooling = layers, model.pooling
        self.names = LAYERS[: LAYERS.index(layers[-1]) + 1]
        for name in self.names:
            if name.startswith("conv"):
                weight, bias = model.parameters_of(name)
                self.register_buffer(f"{name}_weight", weight.detach().cpu())
                self.register_buffer(f"{name}_bias", bias.detach().cpu())
        self.register_buffer("mean", model.mean.detach().cpu())
        self.register_buffer("std", model.std.detach().cpu())

    def forward(self, picture: Tensor) -> Features:
        x, seen = (picture - self.mean) / self.std, {}
        pool = F.max_pool2d if self.pooling == "max" else F.avg_pool2d
        for name in self.names:
            if name.startswith("conv"):
                weight, bias = getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")
                x = F.conv2d(x, weight, bias, padding=1)
            else:
                x = x.relu() if name.startswith("relu") else pool(x, 2)
            if name in self.layers:
                seen[name] = x
        return seen
