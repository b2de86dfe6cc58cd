"""Whatever the settings: a picture, or a plain error; of functions and of the command line."""

import json
import math
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from properties import PLAIN_ERRORS, few, is_picture

from nst_tutorial import cli
from nst_tutorial.images.reading import load_image
from nst_tutorial.kernels.registry import KERNELS
from nst_tutorial.losses.factors import CONTENT_NORMALIZATIONS, STYLE_NORMALIZATIONS
from nst_tutorial.presets import PRESETS
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.transfer.textures import reconstruct, synthesize_texture

odd = st.one_of(
    st.floats(), st.integers(-3, 3), st.integers(10**18, 10**21), st.booleans(),
    st.sampled_from(["", "x", "1", [], {}, [1], {"a": 1}, ("gram",), b"gram", torch.zeros(2), 1j]),
)  # fmt: skip
weights = st.one_of(st.floats(0, 1e4), st.sampled_from([0, 1e-300, 1e30, 1e300, 1e308]))
layer = st.sampled_from(["conv1_1", "relu1_1", "relu2_1", "pool2", "relu4_2", "relu5_1", "pool5"])
layers = st.dictionaries(layer, weights, max_size=3)
simple_kernel = st.one_of(
    st.sampled_from(sorted(KERNELS)),
    st.fixed_dictionaries(
        {"name": st.just("polynomial")},
        optional={"degree": st.integers(1, 2), "offset": st.floats(0, 1e200)},
    ),
    st.fixed_dictionaries(
        {"name": st.just("gaussian")},
        optional={
            "bandwidth": st.one_of(st.sampled_from(["mean", "median"]), st.floats(0, 1e300)),
            "pairs": st.integers(1, 50),
            "seed": st.integers(0, 9),
        },
    ),
)
kernel = st.one_of(
    simple_kernel,
    st.fixed_dictionaries(
        {"sum": st.lists(st.tuples(weights, simple_kernel).map(list), max_size=3)},
        optional={"relative": st.booleans()},
    ),
    st.dictionaries(layer, simple_kernel, max_size=3),
)
OPTIONS = {
    "preset": st.sampled_from(sorted(PRESETS)),
    "style_weight": weights,
    "content_weight": weights,
    "tv_weight": weights,
    "grain_weight": weights,
    "range_weight": weights,
    "balance": st.sampled_from(["weights", "gradient"]),
    "style_scale": st.floats(0.01, 10),
    "kernel": kernel,
    "style_layers": layers,
    "content_layers": layers,
    "style_normalization": st.sampled_from(sorted(STYLE_NORMALIZATIONS)),
    "content_normalization": st.sampled_from(sorted(CONTENT_NORMALIZATIONS)),
    "start": st.sampled_from(["content", "noise", "style"]),
    "coarse_to_fine": st.booleans(),
    "parametrization": st.sampled_from(["pixel", "fourier"]),
    "method": st.sampled_from(["lbfgs", "adam"]),
    "learning_rate": st.one_of(st.floats(1e-6, 10), st.sampled_from([1e30, 1e300, 1e-300])),
    "lbfgs_pairs": st.integers(1, 5),
    "begin_at": st.integers(1, 60),
    "settle": st.floats(0, 0.99),
    "seed": st.integers(0, 2**62),
    "memory": st.one_of(st.floats(0.1, 100), st.just(1e-300)),
    "tile": st.one_of(st.sampled_from(["auto", "whole"]), st.integers(1, 400)),
}
good_options = st.fixed_dictionaries({}, optional=OPTIONS)


@st.composite
def odd_options(draw) -> dict:
    """Good options, one or two of them replaced by something else."""
    options = draw(good_options)
    names = draw(st.lists(st.sampled_from([*OPTIONS, "steps"]), min_size=1, max_size=2))
    return {**options, **{name: draw(odd) for name in names}}


class Picture(NamedTuple):
    """A picture (1, 3, height, width): noise, a flat one, or one with all its edges at once."""

    kind: str
    height: int
    width: int

    def tensor(self) -> torch.Tensor:
        shape = (1, 3, self.height, self.width)
        if self.kind == "noise":
            return torch.rand(shape, generator=torch.Generator().manual_seed(self.height))
        image = torch.full(shape, float(self.kind == "white"))
        if self.kind == "stripes":
            image[..., ::2] = 1.0
        return image


sides = st.integers(16, 40)
kinds = st.sampled_from(["noise", "black", "white", "stripes"])
pictures = st.builds(Picture, kinds, sides, sides)


def check_run(run, height: int, width: int) -> None:
    try:
        result = run()
    except PLAIN_ERRORS as error:
        assert len(str(error)) > 10  # noqa: PT017
        return
    is_picture(result.image, height, width)
    totals = [row["total"] for row in result.history if "event" not in row]
    assert all(map(math.isfinite, totals))
    json.dumps(result.settings)


NOISE = Picture("noise", 16, 16)


@settings(few, max_examples=150)
@given(pictures, pictures, st.integers(0, 4), st.one_of(good_options, odd_options()))
@example(NOISE, NOISE, 2, {"kernel": "wasserstein", "learning_rate": 1e300})
def test_any_settings_give_a_picture_or_a_plain_error(tiny, content, style, steps, options):
    options = {"steps": steps, **options}
    tensors = content.tensor(), style.tensor()
    check_run(lambda: stylize(*tensors, model=tiny, **options), content.height, content.width)


not_pictures = st.sampled_from(
    [None, "temple", 3, torch.zeros(3, 20, 20), torch.zeros(1, 3, 15, 40),
     torch.zeros(1, 4, 20, 20), torch.zeros(1, 3, 20, 20, dtype=torch.uint8),
     torch.full((1, 3, 20, 20), math.nan),
     torch.full((1, 3, 20, 20), math.inf), torch.full((1, 3, 20, 20), 255.0),
     torch.zeros(2, 3, 20, 20), torch.zeros(1, 3, 0, 20), np.zeros((1, 3, 20, 20))]
)  # fmt: skip


@few
@given(not_pictures, pictures, st.sampled_from(["content", "style", "start"]))
def test_what_is_no_picture_is_refused_by_name(tiny, wrong, good, where):
    assume(wrong is not None or where != "start")  # which means the preset's
    given = {"content": good.tensor(), "style": good.tensor(), where: wrong}
    with pytest.raises(ValueError, match=where):
        stylize(**given, model=tiny, steps=1)


@few
@given(
    pictures,
    st.one_of(st.integers(16, 40), st.tuples(st.integers(16, 40), st.integers(16, 40)), odd),
    st.one_of(st.none(), layers, st.lists(layer, max_size=2), odd),
    st.one_of(simple_kernel, odd),
    st.booleans(),
    st.one_of(st.integers(0, 3), odd),
)
def test_any_texture_is_a_picture_or_a_plain_error(tiny, style, size, chosen, kernel, tile, steps):
    from nst_tutorial.vgg.network import VGG19

    model = tiny
    if tile:
        model = VGG19("random", channels=(4, 6, 8, 8, 8), device="cpu", padding="circular")

    def run():
        return synthesize_texture(
            style.tensor(), size, chosen, kernel, steps=steps, model=model, tileable=tile
        )

    pair = isinstance(size, tuple) and len(size) == 2  # others are refused
    shape = size if pair else (size, size)
    check_run(run, *shape)


@few
@given(pictures, st.one_of(layer, odd), st.one_of(st.integers(0, 3), odd))
def test_any_inversion_is_a_picture_or_a_plain_error(tiny, content, name, steps):
    image = content.tensor()
    check_run(lambda: reconstruct(image, name, steps=steps, model=tiny), *image.shape[2:])


# --- the command line --------------------------------------------------------------------------

LONG = "x" * 300  # longer than a file's name may be
OUT = ["a.png", "a.jpg", "a.txt", "a", "", "folder", "folder/b.webp", "/proc/a.png", f"{LONG}.png"]
WORDS = {
    "--size": ["16", "40", "64", "15", "0", "-3", "3.5", "nan", "x", "30001", "9" * 30],
    "--steps": ["0", "1", "-1", "x", "1.5", "2,1", "1,", "2,0", f"{'9' * 5000},1"],
    "--begin-at": ["16", "40", "0", "-1", "x"],
    "--settle": ["0.1", "1", "-1", "nan"],
    "--style-weight": ["3", "0", "-1", "nan", "inf", "1e300", "x"],
    "--content-weight": ["0", "1e-300", "nan"],
    "--tv-weight": ["0.1", "-1", "inf"],
    "--style-scale": ["0.5", "2", "0", "1e-9", "1e9", "nan", "inf", "-1"],
    "--kernel": [*KERNELS, "nothing", ""],
    "--bandwidth": ["mean", "1", "0", "1e300", "1e-300", "nan", "x"],
    "--degree": ["1", "2", "3", "-1", "x"],
    "--offset": ["0", "1", "-1", "nan", "1e200"],
    "--pairs": ["1", "0", "9", "99999999999999999999"],
    "--order": ["2", "9", "1", "x"],
    "--reach": ["1", "0", "500"],
    "--directions": ["3", "0", "x"],
    "--balance": ["gradient", "weights", "x"],
    "--preset": ["gatys2016-code", "li2017-bn", "x"],
    "--pooling": ["average", "x"],
    "--start": ["noise", "style", "temple", "nowhere", "", "."],
    "--parameters": ["pixel", "x"],
    "--method": ["adam", "x"],
    "--seed": ["0", "-1", "99999999999999999999999", "x"],
    "--device": ["cpu", "nowhere", "", "cpu:7", "meta"],
    "--memory": ["4", "0", "-1", "nan", "1e-9"],
    "--tile": ["whole", "64", "1", "0", "x", "²"],
    "--checkpoint": ["notes", "/proc/notes", "", "folder"],
    "--like": ["nowhere.png", "folder", ""],
    "--weights": ["nowhere.pth", "folder", "random", ""],
}
words = st.lists(
    st.sampled_from([(name, word) for name, choices in WORDS.items() for word in choices]),
    max_size=4,
    unique_by=lambda pair: pair[0],
)
names = st.sampled_from(
    ["temple", "starry_night", "nothing", "", ".", "folder", "text.png", "\0", LONG]
)


@settings(few, max_examples=100)
@given(
    st.one_of(st.just("temple"), names),
    st.one_of(st.just("starry_night"), names),
    words,
    st.one_of(st.just("a.png"), st.sampled_from(OUT)),
)
def test_any_command_ends_with_a_picture_or_one_plain_line(content, style, given, out):
    arguments = {"--size": "32", "--steps": "1", "--device": "cpu", **dict(given), "--out": out}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("folder").mkdir()
        Path("text.png").write_text("no picture")
        line = ["stylize", *(word for pair in arguments.items() for word in pair), content, style]
        with pytest.raises(SystemExit) as ended:
            cli.app(line)
        assert ended.value.code in (0, 2)
        made = [path for path in Path(folder).rglob("*") if path.is_file()]
        made = [path for path in made if path.name not in ("text.png", "notes")]
        if ended.value.code == 0:
            assert len(made) == 1
            assert torch.isfinite(load_image(made[0])).all()
        else:
            assert made == []
