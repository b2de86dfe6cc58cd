import pytest
import torch
import torch.nn.functional as F

import nst_tutorial as nst
from nst_tutorial import check


def sums(x, w, b, pad=1):
    x = F.pad(x, (pad,) * 4)
    H, W = x.shape[0] - 2, x.shape[1] - 2
    return sum(w[i, j] * x[i : i + H, j : j + W] for i in range(3) for j in range(3)) + b


def no_relu(x, w, b):
    return sums(x, w, b)


def no_padding(x, w, b):
    return sums(x, w, b, pad=0).relu()


def mirrored(x, w, b):
    return sums(x, w.flip(0, 1), b).relu()


def transposed(x, w, b):
    return sums(x, w.T, b).relu()


def no_bias(x, w, b):
    return sums(x, w, 0).relu()


def bias_last(x, w, b):
    return sums(x, w, 0).relu() + b


def replicated(x, w, b):
    x = F.pad(x[None], (1, 1, 1, 1), mode="replicate")[0]
    return sums(x, w, b, pad=0).relu()


def shifted_name(index):
    return nst.LAYERS[index - 1]


def no_pools(index):
    return [name for name in nst.LAYERS if "pool" not in name][index]


def three_each(index):
    names = [f"{kind}{b}_{i}" for b in range(1, 6) for i in (1, 2) for kind in ("conv", "relu")]
    return [*names[:4], "pool1", *names[4:8], "pool2", *names[8:], *names][index]


def sizes(layer, height, width, by=lambda b: 2 ** (b - 1)):
    block = int(layer[4])
    return (64, 128, 256, 512, 512)[block - 1], height // by(block), width // by(block)


def at_once(layer, height, width):
    """Divides by 8 without rounding."""
    C, _, _ = sizes(layer, height, width)
    return C, height / 2 ** (int(layer[4]) - 1), width / 2 ** (int(layer[4]) - 1)


def rounded(layer, height, width):
    C, _, _ = sizes(layer, height, width)
    poolings = int(layer[4]) - (not layer.startswith("pool"))
    return C, round(height / 2**poolings), round(width / 2**poolings)


def no_step(path):
    return 1 + sum(kernel - 1 for kernel, _ in path)


def product(path):
    field = 1
    for kernel, _ in path:
        field *= kernel
    return field


def step_too_early(path):
    field, step = 1, 1
    for kernel, stride in path:
        step *= stride
        field += (kernel - 1) * step
    return field


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("convolution", no_relu, "negative sums should come out as 0"),
        ("convolution", no_padding, "should have the shape (4, 5), but has (2, 3)"),
        ("convolution", mirrored, "the filter is mirrored"),
        ("convolution", transposed, "should give each pixel its right neighbour"),
        ("convolution", no_bias, "the bias is not added"),
        ("convolution", bias_last, "the bias is not added, or it is added after"),
        ("convolution", replicated, "beyond the border there should be zeros"),
        ("layer_name", shifted_name, "torchvision counts from 0"),
        ("layer_name", no_pools, "index 4 is pool1"),
        ("layer_name", three_each, "index 14 is not"),
        ("layer_name", lambda i: i, "a name such as 'conv1_1' is wanted"),
        ("feature_shape", lambda *a: sizes(*a)[1:], "three numbers"),
        ("feature_shape", lambda *a: (*sizes(*a)[1:], sizes(*a)[0]), "channels come first"),
        ("feature_shape", lambda *a: sizes(*a, by=lambda b: 2**b), "as large as the picture"),
        ("feature_shape", sizes, "pool3 of a picture 64 × 64 is not (256, 16, 16)"),
        ("feature_shape", at_once, "pool3 of a picture 64 × 64"),
        ("feature_shape", rounded, "102 → 51 → 25"),
        ("receptive_field", lambda path: 0, "sees 1"),
        ("receptive_field", product, "two 3 × 3 convolutions see 5"),
        ("receptive_field", no_step, "sees more than 4"),
        ("receptive_field", step_too_early, "see 6, not 7"),
    ],
)
def test_wrong_answers_get_the_right_hint(capsys, name, answer, hint):
    getattr(check, name)(answer)
    assert hint in capsys.readouterr().out


def test_a_layer_whose_size_is_a_fraction(capsys):
    check.feature_shape(lambda layer, H, W: (64, H / 1.5, W))
    assert "sizes are whole numbers" in capsys.readouterr().out


def test_torch_agrees_with_the_right_convolution(capsys):
    check.convolution(lambda x, w, b: sums(x, w, b).relu())
    assert "right" in capsys.readouterr().out
    x, w = torch.rand(4, 5), torch.rand(3, 3)
    torch.testing.assert_close(
        sums(x, w, 0.5), F.conv2d(x[None, None], w[None, None], padding=1)[0, 0] + 0.5
    )
