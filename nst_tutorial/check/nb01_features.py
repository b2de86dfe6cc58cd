"""Exercises of notebook 01: what each layer of VGG19 sees."""

from __future__ import annotations

import torch

from ..vgg.layers import CHANNELS, LAYERS, reach, stride
from .exercise import Wrong, ask, close, exercise, expect, features, number, tensor


@exercise
def convolution(answer):
    """x (H, W), w (3, 3), b → ReLU(x ∗ w + b), (H, W), zeros around x."""
    x = features(4, 5).abs() + 0.5
    centre = torch.zeros(3, 3)
    centre[1, 1] = 1.0
    same = tensor(ask(answer, x, centre, 0.0), (4, 5), "what comes out for a picture (4, 5)")
    expect(
        close(same, x),
        "a filter with a single 1 in its middle should give the picture back",
        "the middle of the filter, w[1, 1], belongs to the pixel itself, x[i, j]",
    )
    expect(
        (tensor(ask(answer, x, -centre, 0.0)) == 0).all(),
        "negative sums should come out as 0",
        "the ReLU is missing: .clamp(min=0), at the very end",
    )
    right = torch.zeros(3, 3)
    right[1, 2] = 1.0
    result = tensor(ask(answer, x, right, 0.0), (4, 5))
    expect(
        not close(result[:, 1:], x[:, :-1]),
        "a 1 to the right of the middle gives each pixel its left neighbour: the filter is "
        "mirrored",
        "what the field calls a convolution does not turn the filter over: w[1, 2] meets "
        "x[i, j + 1]",
    )
    expect(
        close(result[:, :-1], x[:, 1:]),
        "a 1 to the right of the middle should give each pixel its right neighbour",
        "w[a, b] meets x[i + a - 1, j + b - 1]; with one row and column of zeros added around x, "
        "it meets padded[i + a, j + b]",
    )
    expect(
        (result[:, -1] == 0).all(),
        "beyond the border there should be zeros",
        "F.pad(x, (1, 1, 1, 1)) puts one row or column of zeros on each side",
    )
    expect(
        close(ask(answer, x, -centre, 5.0), (5 - x).clamp(min=0)),
        "the bias is not added, or it is added after the ReLU",
        "first the sum, then + b, then the ReLU",
    )
    w = features(3, 3, seed=1)
    ours = torch.nn.functional.conv2d(x[None, None], w[None, None], padding=1)[0, 0].relu()
    expect(close(ask(answer, x, w, 0.0), ours), "all is well but the numbers of a random filter")
    return "zeros around, no mirroring, bias before ReLU"


@exercise
def layer_name(answer):
    """torchvision's index in `vgg19().features` → the layer's name."""
    first = ask(answer, 0)
    expect(isinstance(first, str), f"a name such as 'conv1_1' is wanted, got {first!r}")
    expect(first == "conv1_1", "index 0 is conv1_1: torchvision counts from 0, the paper from 1")
    expect(ask(answer, 1) == "relu1_1", "index 1 is the ReLU after conv1_1, so relu1_1")
    expect(
        ask(answer, 4) == "pool1",
        "index 4 is pool1",
        "a block ends with its pooling, which has an index of its own",
    )
    expect(
        ask(answer, 5) == "conv2_1",
        "index 5 is conv2_1",
        "after a pooling a new block begins, and its convolutions are counted from 1 again",
    )
    for index, name in enumerate(LAYERS):
        result = ask(answer, index)
        expect(
            result == name,
            f"index {index} is not {result!r}",
            "blocks 1 and 2 have two convolutions each, blocks 3, 4 and 5 have four",
        )
    return "all 37 layers have their names"


@exercise
def feature_shape(answer):
    """(layer, height, width) → (channels, height, width) of its features."""
    shape = _three(ask(answer, "relu1_1", 256, 160))
    expect(shape[0] == 64, f"relu1_1 has 64 channels, not {shape[0]}: channels come first")
    expect(
        shape[1:] == (256, 160),
        f"relu1_1 is as large as the picture, 256 and 160, not {shape[1]} and {shape[2]}",
        "a 3 × 3 convolution with a border of zeros keeps the size; only poolings halve it",
    )
    shape = _three(ask(answer, "relu4_2", 256, 160))
    expect(
        shape[1:] != (16, 10),
        "relu4_2 is not 16 × 10",
        "only three poolings lie before block 4; pool4 comes at its end",
    )
    expect(
        shape == (512, 32, 20),
        f"relu4_2 of a picture 256 × 160 is not {shape}",
        "512 channels, and each of three poolings halves both sides",
    )
    shape = _three(ask(answer, "pool3", 64, 64))
    expect(
        shape == (256, 8, 8),
        f"pool3 of a picture 64 × 64 is not {shape}",
        "pool3 itself halves, too; and a pooling has as many channels as its block",
    )
    shape = _three(ask(answer, "pool2", 102, 103))
    expect(
        shape == (128, 25, 25),
        "sides that cannot be halved lose their last row or column: 102 → 51 → 25",
        "round down at every pooling: side // 2",
    )
    for layer in LAYERS:
        step, channels = stride(layer), CHANNELS[int(layer[4]) - 1]
        result = _three(ask(answer, layer, 300, 451))
        expect(
            result == (channels, 300 // step, 451 // step),
            f"{layer} of a picture 300 × 451 is not {result}",
            "the channels of the five blocks are 64, 128, 256, 512 and 512",
        )
    return "right for every layer, at any size"


def _three(value) -> tuple[int, int, int]:
    value = tuple(value) if isinstance(value, list | torch.Size) else value
    if not isinstance(value, tuple) or len(value) != 3:
        raise Wrong(f"three numbers (channels, height, width) are wanted, got {value!r}")
    sides = [number(part, "each of the three") for part in value]
    if any(side != int(side) for side in sides):
        raise Wrong(
            f"sizes are whole numbers, got {value!r}", "// divides and rounds down, / does not"
        )
    channels, height, width = (int(side) for side in sides)
    return channels, height, width


@exercise
def receptive_field(answer):
    """A path of layers, [(kernel side, stride), …] → the side of the receptive field in pixels."""
    expect(
        number(ask(answer, [])) == 1,
        "without any layer a unit is a pixel, and sees 1",
        "start with field = 1 and step = 1",
    )
    conv, pool = (3, 1), (2, 2)
    expect(
        number(ask(answer, [conv])) == 3,
        "one 3 × 3 convolution sees 3",
        "each layer adds (kernel - 1) steps",
    )
    expect(
        number(ask(answer, [conv, conv])) == 5,
        "two 3 × 3 convolutions see 5",
        "each adds one pixel on both sides: a field grows by adding, not by multiplying",
    )
    result = number(ask(answer, [pool, conv]))
    expect(
        result != 4,
        "a 3 × 3 convolution after a pooling sees more than 4",
        "its neighbours are now two pixels apart: add (kernel - 1) · step, where each pooling "
        "doubles the step",
    )
    expect(
        result == 6,
        f"a pooling and then a 3 × 3 convolution see 6, not {result:g}",
        "the pooling sees 2 with the step of before it; only then is the step doubled",
    )
    for layer in LAYERS:
        path = LAYERS[: LAYERS.index(layer) + 1]
        steps = [pool if name.startswith("pool") else conv for name in path if "relu" not in name]
        expect(
            number(ask(answer, steps)) == stride(layer) + 2 * reach(layer),
            f"for {layer} of VGG19 it should be {stride(layer) + 2 * reach(layer)}",
            "field += (kernel - 1) * step, and then step *= stride, layer after layer",
        )
    return "the recursion of every layer of VGG19"
