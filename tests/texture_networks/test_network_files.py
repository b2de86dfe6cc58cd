import json
import math
import re

import pytest
import torch
from safetensors.torch import load_file, save_file

from nst_tutorial.images.reading import load_image
from nst_tutorial.storage.tensor_files import write_tensors
from nst_tutorial.texture_networks.files import FORMAT, bundled, load_generator, save_generator
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.objective import style_distance


@pytest.mark.parametrize("normalization", ["instance", "batch"])
@pytest.mark.parametrize("stylizes", [False, True])
def test_saved_and_loaded(tmp_path, normalization, stylizes):
    generator = Generator(width=2, normalization=normalization, stylizes=stylizes, seed=3)
    generator.train()(generator.draw(32, count=2), torch.rand(2, 3, 32, 32) if stylizes else None)
    generator.settings = {"steps": 3, "style_layers": {"relu1_1": 1.0}}
    path = save_generator(generator, tmp_path / "a.safetensors")
    again = load_generator(path, "cpu")
    assert (again.design, again.settings) == (generator.design, generator.settings)
    content = torch.rand(1, 3, 32, 32) if stylizes else None
    images = [g.sample(32, content=content) for g in (generator, again)]
    assert torch.equal(*images)
    with pytest.raises(FileExistsError):
        save_generator(generator, path, overwrite=False)


@pytest.mark.parametrize("name", bundled())
def test_bundled_generators_reproduce_their_style_distance(vgg, name):
    path = bundled()[name]
    assert path.stat().st_size < 1e6
    generator = load_generator(name, "cpu")
    record = generator.settings
    style = load_image(record["style"], max(record["style_size"]), kind="style")
    content = None
    if generator.design["stylizes"]:
        content = load_image(record["content"], record["sample_size"], kind="content")
    image = generator.sample(record["sample_size"], seed=0, content=content)
    found = style_distance(image, style, model=vgg)
    assert found == pytest.approx(record["style_distance"], rel=0.02)
    grey = style_distance(torch.full_like(image, 0.5), style, model=vgg)
    assert found < grey / 4


def test_what_is_bundled():
    designs = [load_generator(name, "cpu").design["stylizes"] for name in bundled()]
    assert designs.count(False) >= 2
    assert designs.count(True) >= 1


def test_unknown_names():
    with pytest.raises(FileNotFoundError, match="nothing: no such file; by name there are"):
        load_generator("nothing")


def test_files_that_are_no_generators(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"\x10" + bytes(40))
    with pytest.raises(ValueError, match="a.safetensors: not a generator, or damaged"):
        load_generator(path)
    save_generator(Generator(width=2), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="not a generator, or damaged"):
        load_generator(path)
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match="it was not made by us"):
        load_generator(path)
    save_file({"x": torch.zeros(3)}, path, metadata={"format": "nst_tutorial training 1"})
    with pytest.raises(ValueError, match="it is a nst_tutorial training"):
        load_generator(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, "'design'"),
        ({"design": "{"}, "Expecting property name"),
        ({"design": "[" * 100_000}, "recursion"),
        ({"design": "[]", "settings": "{}"}, "must be a mapping, not list"),
        ({"design": json.dumps({"size": 3})}, "unexpected keyword"),
        ({"design": json.dumps({"padding": "zeros"})}, "padding must be one of"),
        ({"design": json.dumps({"width": -3})}, "width must be a whole number ≥ 1, got -3"),
        ({"design": json.dumps({"width": 10**300})}, "width must be at most 1024, got 1000000"),
        ({"design": json.dumps({"depth": 10**9})}, "depth must be at most 1024, got 1000000000"),
        ({"design": json.dumps({"scales": 10**9})}, "scales must be at most 16"),
        ({"design": json.dumps({"width": 3})},
         "weights branches.0.0.weight have the shape (2, 3, 3, 3), and (3, 3, 3, 3) by the design"),
        ({"design": json.dumps({"width": 2, "scales": 5})}, "design has no weights branches.5.0.w"),
        ({"design": json.dumps({"width": 2, "scales": 7})}, "weights branches.6.0.weight are miss"),
        ({"design": json.dumps({"\x1b[2J\n": 1})}, r"unexpected keyword argument '\x1b[2J '"),
        ({"design": json.dumps({"width": 2}), "settings": "[1]"}, "settings are damaged: [1] is"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit(tmp_path, header, message):
    """One line, that no file can make long or colourful."""
    path = tmp_path / "a.safetensors"
    save_generator(Generator(width=2), path)
    if "design" in header:
        header = {"settings": "{}", **header}
    write_tensors(path, load_file(path), {"format": FORMAT, **header})
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        load_generator(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert text.isprintable()
    assert len(text) < len(str(path)) + 300


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("last.bias", [math.nan] * 3, "the weights last.bias are not finite"),
        ("last.bias", [1, 2, 3], "the weights last.bias are of the type torch.int64"),
        ("norms.0.running_var", [1.0, -1.0], "the variances norms.0.running_var are negative"),
        ("a\x1b\nb", [1.0], r"the design has no weights a\x1b b"),
    ],
)
def test_absurd_weights_with_a_right_checksum(tmp_path, name, value, message):
    generator = Generator(width=2, normalization="batch")
    header = {"format": FORMAT, "design": json.dumps(generator.design), "settings": "{}"}
    path = tmp_path / "a.safetensors"
    write_tensors(path, {**generator.state_dict(), name: torch.tensor(value)}, header)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        load_generator(path)
    assert str(caught.value).isprintable()


def test_a_flipped_bit_is_found(tmp_path):
    path = save_generator(Generator(width=2), tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="a.safetensors: not a generator, or damaged .its checks"):
        load_generator(path)


def test_nothing_that_is_not_finite_is_saved_or_loaded(tmp_path):
    path, generator = tmp_path / "a.safetensors", Generator(width=2)
    save_generator(generator, path)
    design = json.dumps(generator.design)
    tensors = load_file(path)
    tensors["last.bias"].fill_(float("nan"))
    save_file(tensors, path, metadata={"format": FORMAT, "design": design, "settings": "{}"})
    with pytest.raises(ValueError, match="the weights last.bias are not finite"):
        load_generator(path)
    generator.last.bias.data.fill_(float("inf"))
    with pytest.raises(ValueError, match="the weights last.bias are not finite"):
        save_generator(generator, tmp_path / "b.safetensors")
    assert not (tmp_path / "b.safetensors").exists()
    generator.last.bias.data.fill_(0)
    generator.settings = {"style": torch.zeros(3)}
    with pytest.raises(ValueError, match="settings cannot be stored"):
        save_generator(generator, tmp_path / "b.safetensors")
