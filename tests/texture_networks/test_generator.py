import pytest
import torch
import torch.nn.functional as F

from nst_tutorial.texture_networks.generator import Generator, InstanceNorm, padded, pyramid


def by_hand(scales, width, depth):
    """Parameters: branches, the norms behind them, joins, the norms before them, the last layer."""
    w = width
    branch = 9 * depth * w + 9 * w * w + w * w + 3 * 2 * w
    joins = sum(9 * c * c + 9 * c * c + c * c + 3 * 2 * c for c in range(2 * w, scales * w + 1, w))
    before = sum(2 * i * w for i in range(2, scales))
    return scales * (branch + 2 * w) + joins + before + 3 * scales * w + 3


@pytest.mark.parametrize(("scales", "width", "depth"), [(6, 8, 3), (1, 4, 2), (3, 5, 1)])
@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_parameters_by_hand(scales, width, depth, normalization):
    design = {"scales": scales, "width": width, "depth": depth, "normalization": normalization}
    assert sum(p.numel() for p in Generator(**design).parameters()) == by_hand(**{
        k: design[k] for k in ("scales", "width", "depth")
    })  # fmt: skip
    painter = Generator(**design, stylizes=True)
    more = scales * 9 * 3 * width  # the content's three channels, in each first convolution
    assert sum(p.numel() for p in painter.parameters()) == by_hand(scales, width, depth) + more


def test_the_papers_generator_has_116_thousand_parameters():
    assert by_hand(6, 8, 3) == 116_291


@pytest.mark.parametrize("size", [16, 17, 32, (40, 57), (100, 16), 96])
@pytest.mark.parametrize("padding", ["circular", "replicate"])
@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_any_size(size, padding, normalization):
    generator = Generator(width=2, padding=padding, normalization=normalization)
    height, width = (size, size) if isinstance(size, int) else size
    images = generator.sample(size, count=2)
    assert images.shape == (2, 3, height, width)
    assert images.isfinite().all()
    assert images.min() >= 0
    assert images.max() <= 1


def test_pyramid():
    assert pyramid((64, 50), 4) == [(8, 7), (16, 13), (32, 25), (64, 50)]
    assert pyramid(16, 6) == [(2, 2), (2, 2), (2, 2), (4, 4), (8, 8), (16, 16)]
    for size in (15, 0, 16.5, (64, 64, 64), 40_000, "64"):
        with pytest.raises(ValueError, match="size must be"):
            pyramid(size, 6)


@pytest.mark.parametrize(
    ("padding", "mode"), [("circular", "circular"), ("replicate", "replicate")]
)
def test_padding_is_that_of_torch(padding, mode):
    x = torch.rand(2, 3, 5, 4).contiguous(memory_format=torch.channels_last)
    y = padded(x, padding)
    assert torch.equal(y, F.pad(x, (1, 1, 1, 1), mode=padding))
    assert y.is_contiguous(memory_format=torch.channels_last)
    small = torch.rand(2, 1, 2, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: padded(x, padding), small)


def test_instance_norm_is_that_of_torch():
    x = 3 * torch.rand(2, 4, 5, 6).double() + 1
    norm = InstanceNorm(4).double()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    wanted = F.instance_norm(x, weight=norm.weight, bias=norm.bias)
    torch.testing.assert_close(norm(x), wanted)


@pytest.mark.parametrize(("padding", "tiles"), [("circular", True), ("replicate", False)])
def test_rolled_noise_gives_the_rolled_picture(padding, tiles):
    """So a circular picture has no border at all: it could be cut anywhere."""
    generator = Generator(scales=4, width=3, padding=padding).double()
    noise = generator.draw((64, 48))
    rolled = [z.roll((2**k, -(2**k)), dims=(2, 3)) for k, z in enumerate(noise)]
    plain, other = generator(noise), generator(rolled)
    assert torch.allclose(other, plain.roll((8, -8), dims=(2, 3)), atol=1e-9) == tiles


@pytest.mark.parametrize("size", [(96, 96), (75, 91)])
def test_opposite_borders_continue(size):
    image = Generator(seed=3).sample(size)
    inside = image.diff(dim=3).abs().mean()
    seam = (image[..., 0] - image[..., -1]).abs().mean()
    assert seam < 1.5 * inside


@pytest.mark.parametrize("normalization", ["instance", "batch"])
@pytest.mark.parametrize("stylizes", [False, True])
def test_gradients_reach_every_parameter(normalization, stylizes):
    generator = Generator(width=2, normalization=normalization, stylizes=stylizes).double()
    content = torch.rand(2, 3, 32, 32).double() if stylizes else None
    images = generator(generator.draw(32, count=2), content)
    (
        images * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    ).sum().backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        # What the norms in front of the joins add is constant over the picture, and the norm behind
        # the next convolution takes constants away: no gradient but rounding.
        without = name.startswith(("norms.", "coarse.")) and name.endswith(".bias")
        assert (parameter.grad.abs().max() > 1e-9) != without, name


def test_seeds():
    generator = Generator(width=2)
    assert torch.equal(generator.sample(32, seed=1), generator.sample(32, seed=1))
    assert not torch.equal(generator.sample(32, seed=1), generator.sample(32, seed=2))
    same, other = Generator(width=2), Generator(width=2, seed=1)
    assert torch.equal(generator.sample(32), same.sample(32))
    assert not torch.equal(generator.sample(32), other.sample(32))


def test_the_weights_leave_the_global_random_numbers_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    Generator(width=2).sample(32)
    assert torch.equal(torch.rand(3), wanted)


def test_pictures_of_a_batch_do_not_see_each_other():
    generator = Generator(width=2).double()
    noise = generator.draw(32, count=3)
    together = generator(noise)
    for i in range(3):
        torch.testing.assert_close(generator([z[i : i + 1] for z in noise]), together[i : i + 1])


def test_batch_normalisation_sees_the_batch_only_while_it_learns():
    generator = Generator(width=2, normalization="batch").double()
    noise = generator.draw(32, count=3)
    learning = generator.train()(noise)
    assert not torch.allclose(generator([z[:1] for z in noise]), learning[:1])
    trained = generator.eval()(noise)
    torch.testing.assert_close(generator([z[:1] for z in noise]), trained[:1])


def test_a_scale_can_be_switched_off():
    generator = Generator(scales=3, width=4).double()
    noise, other = generator.draw(32, seed=0), generator.draw(32, seed=1)
    torch.testing.assert_close(generator(noise, strengths=[1, 1, 1]), generator(noise))
    for k in range(3):
        mixed = [other[i] if i == k else z for i, z in enumerate(noise)]
        without = [float(i != k) for i in range(3)]
        torch.testing.assert_close(generator(mixed, None, without), generator(noise, None, without))
        assert not torch.allclose(generator(mixed), generator(noise), atol=1e-3)


def test_a_sample_is_an_ordinary_tensor_and_the_generator_stays_as_it_was():
    generator = Generator(width=2, normalization="batch").train()
    before = generator.norms[0].running_mean.clone()
    image = generator.sample(32).requires_grad_()
    (image**2).sum().backward()
    assert image.grad is not None
    assert generator.training
    assert torch.equal(generator.norms[0].running_mean, before)


def test_a_painter_takes_the_size_of_its_content():
    painter = Generator(stylizes=True, width=2)
    content = torch.rand(1, 3, 40, 57)
    image = painter.sample(content=content, count=2)
    assert image.shape == (2, 3, 40, 57)
    assert not torch.equal(image[0], image[1])
    assert not torch.equal(painter.sample(content=1 - content)[0], image[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding": "zeros"}, "padding must be one of circular, replicate; got 'zeros'"),
        ({"normalization": "layer"}, "normalization must be one of instance, batch; got 'layer'"),
        ({"scales": 0}, "scales must be a whole number ≥ 1, got 0"),
        ({"width": 2.5}, "width must be a whole number ≥ 1, got 2.5"),
        ({"depth": -1}, "depth must be a whole number ≥ 1, got -1"),
        ({"seed": -1}, "seed must be a whole number ≥ 0, got -1"),
    ],
)
def test_bad_designs(options, message):
    with pytest.raises(ValueError, match=message):
        Generator(**options)


def test_what_does_not_fit_is_refused():
    texture, painter = Generator(width=2), Generator(width=2, stylizes=True)
    content = torch.rand(1, 3, 32, 32)
    with pytest.raises(ValueError, match="it takes no content"):
        texture.sample(content=content)
    with pytest.raises(ValueError, match="give a content"):
        painter.sample(32)
    with pytest.raises(ValueError, match="strengths must be given for 6 scales, got 2"):
        texture.sample(32, strengths=[1, 1])
    with pytest.raises(ValueError, match="a strength must be finite and ≥ 0, got nan"):
        texture.sample(32, strengths=[1, 1, 1, 1, 1, float("nan")])
    with pytest.raises(ValueError, match="noise must be given for 6 scales, got 1"):
        texture([torch.rand(1, 3, 32, 32)])
    with pytest.raises(ValueError, match="count must be a whole number ≥ 1, got 0"):
        texture.sample(32, count=0)
    with pytest.raises(ValueError, match="content must be a picture"):
        painter.sample(content=content[0])
