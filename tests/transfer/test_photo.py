"""Photo mode: only the colours of the content move."""

from dataclasses import replace

import pytest
import torch
from runs import TINY, quick
from tensors import box, ones

from nst_tutorial.images.color import match_color
from nst_tutorial.images.resizing import resize
from nst_tutorial.looks import look
from nst_tutorial.looks.grid import apply_grid, identity_grid, roughness
from nst_tutorial.optimize.grid import GridAtScales
from nst_tutorial.presets import PRESETS, options_from
from nst_tutorial.tiling.planning import Stage
from nst_tutorial.transfer import style_transfer
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.transfer.textures import reconstruct, synthesize_texture
from nst_tutorial.vgg.network import VGG19


def photo(pair, tiny, **options):
    return quick(pair, tiny, **{"mode": "photo", "grid_size": 5, **options})


def test_it_is_the_preset(tiny, pair):
    ours, theirs = photo(pair, tiny), quick(pair, tiny, preset="photo", grid_size=5)
    assert torch.equal(ours.image, theirs.image)
    assert ours.settings == theirs.settings
    assert ours.settings["preset"] == "photo"
    assert ours.settings["parametrization"] == PRESETS["photo"].parametrization == "grid"
    assert ours.history[-1]["total"] < ours.history[0]["total"]


def test_the_picture_is_the_look_of_the_content(tiny, pair):
    found = photo(pair, tiny)
    content = pair[0]
    expected = apply_grid(found.look.grid, content, found.look.guide(content)).clamp(0, 1)
    torch.testing.assert_close(found.image, expected)
    torch.testing.assert_close(found.apply(content), found.image)
    assert found.look.record == found.settings
    assert found.look.grid.shape == (1, 12, PRESETS["photo"].grid_depth, 5, 4)


def test_without_a_step_it_is_the_content(tiny, pair):
    torch.testing.assert_close(photo(pair, tiny, steps=0, start="content").image, pair[0])


def test_the_start_is_the_content_in_the_colours_of_the_style(tiny, pair):
    """An affine map of all colours, which a grid holds exactly."""
    content, style = pair
    expected = match_color(content, 0.4 + 0.2 * style)
    found = photo((content, 0.4 + 0.2 * style), tiny, steps=0, start="match")
    torch.testing.assert_close(found.image, expected, rtol=0, atol=1e-4)


def test_four_times_as_large_it_is_the_same_picture(tiny, pair):
    """Smooth pictures, which resizing does not change."""
    small = resize(resize(pair[0], (5, 4)), (40, 36)).clamp(0, 1)
    found = photo((small, pair[1]), tiny)
    large = found.apply(resize(small, (160, 144)))
    assert (resize(large, (40, 36)) - found.image).abs().mean() < 5e-3


def test_pixels_leave_no_look(tiny, pair):
    found = quick(pair, tiny, steps=1)
    assert found.look is None
    with pytest.raises(ValueError, match="no look to apply: it moved pixels; mode='photo'"):
        found.apply(pair[0])


def test_every_scale_goes_on_with_the_grid(tiny):
    """The first evaluation of a scale is of the best grid of the one before."""
    generator = torch.Generator().manual_seed(0)
    content, style = torch.rand(2, 1, 3, 400, 48, generator=generator).double()
    seen = []
    found = photo((content, style), tiny, steps=9, callback=seen.append)
    assert [progress.size[0] for progress in seen] == [200] * 6 + [400] * 3
    best = min(seen[:6], key=lambda progress: progress.total)
    assert seen[6].terms["smoothness"] == pytest.approx(best.terms["smoothness"])
    torch.testing.assert_close(found.image, found.apply(content))


@pytest.mark.parametrize("how", ["callback", "interrupted"])
def test_stopped_at_a_coarse_scale_all_detail_is_there(tiny, how):
    generator = torch.Generator().manual_seed(0)
    content, style = torch.rand(2, 1, 3, 400, 48, generator=generator).double()

    def callback(progress):
        if progress.evaluation == 3 and how == "interrupted":
            raise KeyboardInterrupt
        return progress.evaluation == 3

    found = photo((content, style), tiny, steps=30, callback=callback)
    assert found.stopped == how
    assert len(found.history) == 3
    torch.testing.assert_close(found.image, found.apply(content))


def test_it_goes_on_from_a_checkpoint_bit_for_bit(tiny, pair, tmp_path):
    options = {"checkpoint": tmp_path / "run", "checkpoint_every": 3, "balance": "gradient"}
    photo(pair, tiny, callback=lambda p: p.evaluation == 7, **options)
    again, whole = photo(pair, tiny, **options), photo(pair, tiny, balance="gradient")
    assert torch.equal(again.image, whole.image)
    assert torch.equal(again.look.grid, whole.look.grid)
    assert [r["total"] for r in again.history] == [r["total"] for r in whole.history]


@pytest.mark.parametrize("setting", [{"grid_size": 6}, {"smoothness": 3.0}, {"guide": "principal"}])
def test_a_checkpoint_of_another_grid_is_refused(tiny, pair, tmp_path, setting):
    path = tmp_path / "run"
    photo(pair, tiny, steps=4, checkpoint=path, checkpoint_every=1)
    (name,) = setting
    with pytest.raises(ValueError, match=f"checkpoint of another run: {name} was"):
        photo(pair, tiny, steps=4, checkpoint=path, **setting)


def test_in_tiles_it_is_the_same(tiny):
    generator = torch.Generator().manual_seed(0)
    content, style = torch.rand(2, 1, 3, 160, 140, generator=generator).double()
    whole, tiles = (photo((content, style), tiny, steps=5, tile=tile) for tile in ("whole", 64))
    torch.testing.assert_close(whole.image, tiles.image, rtol=0, atol=1e-6)


def test_several_styles_in_regions(tiny, pair):
    """Each region goes the way of its own style, and what lies in neither goes less far."""
    content, style = pair
    masks = [box(40, 36, (0, 12), (0, 36)), box(40, 36, (28, 40), (0, 36))]
    found = photo(
        (content, [0.2 * style, 1 - 0.2 * style]), tiny, content_masks=masks,
        style_masks=[ones(48, 33), None], content_weight=0.0, start="content", smoothness=1e-3,
        steps=40,
    )  # fmt: skip
    assert {"style 1 relu1_1", "style 2 relu1_1", "smoothness"} <= set(found.history[-1])
    brighter = (found.image - content).mean((0, 1, 3))
    above, between, below = brighter[:12].mean(), brighter[12:28].mean(), brighter[28:].mean()
    assert above < -0.05
    assert below > 0.05
    assert abs(between) < min(-above, below) / 2


def test_the_record_makes_it_again(tiny, pair):
    found = photo(pair, tiny, guide="principal", smoothness=0.3, grid_depth=3)
    again = stylize(*pair, model=tiny, **options_from(found.settings))
    assert torch.equal(found.image, again.image)
    assert found.look.guide == again.look.guide


@pytest.mark.parametrize("start", ["style", "noise", "match"])
def test_other_starts_are_the_nearest_that_colours_allow(tiny, pair, start, monkeypatch):
    """There the slope of the least squares is zero, beside what it is at the content."""
    starts, through_scales = [], style_transfer.through_scales

    def noting(start, *rest, **options):
        starts.append(start)
        return through_scales(start, *rest, **options)

    monkeypatch.setattr(style_transfer, "through_scales", noting)
    grid = photo(pair, tiny, start=start, steps=0).look.grid
    settings = replace(PRESETS["photo"], grid_size=5)
    basis = GridAtScales(pair[0], settings).at(Stage(40, 36, 1, None, 1, 0.0, 0.0))

    def slope(grid):
        grid = grid.clone().requires_grad_()
        apart = apply_grid(grid, basis.content, basis.guide) - starts[0]
        cost = apart.square().mean() + basis.coordinates.weight * roughness(grid)
        return basis.coordinates.pull_back(torch.autograd.grad(cost, grid)[0]).norm()

    assert slope(grid) < 1e-5 * slope(identity_grid(*grid.shape[2:]).double())


@pytest.fixture(scope="module")
def networks(tiny):
    single = VGG19("random", channels=TINY, device="cpu", pooling="average")
    return {torch.float32: single, torch.float64: tiny}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("guide", ["luminance", "principal"])
@pytest.mark.parametrize("kind", ["grey", "one colour", "two colours", "black"])
def test_poor_photographs(networks, pair, guide, kind, dtype):
    """They begin with the colours of the style, which one affine map gives them, and get nearer."""
    one = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 40, 36)
    content = {
        "grey": pair[0][:, :1].expand(-1, 3, -1, -1),
        "one colour": one,
        "two colours": torch.cat([one[:, :, :20], one[:, :, 20:].flip(1)], dim=2),
        "black": torch.zeros(1, 3, 40, 36),
    }[kind].to(dtype)  # fmt: skip
    style, model = pair[1].to(dtype), networks[dtype]
    begins = photo((content, style), model, guide=guide, steps=0, start="match")
    expected = match_color(content, style).clamp(0, 1)
    torch.testing.assert_close(begins.image, expected, rtol=0, atol=1e-5)
    found = photo((content, style), model, guide=guide)
    assert found.image.isfinite().all()
    assert found.look.grid.abs().max() < 100
    assert found.row["total"] < found.history[0]["total"]


def test_a_look_that_cannot_be_made_costs_the_look_alone(tiny, pair, monkeypatch):
    whole = photo(pair, tiny)
    monkeypatch.setattr(look, "LARGEST", 1e-3)
    with pytest.warns(UserWarning, match="the picture is made, but no look .* at most 0.001"):
        found = photo(pair, tiny)
    assert torch.equal(found.image, whole.image)
    assert found.settings == whole.settings
    assert found.look is None
    with pytest.raises(ValueError, match="no look to apply, as its run warned"):
        found.apply(pair[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid_size": 41}, "grid_size must be at most 40, the pixels of the picture's longer"),
        ({"grid_size": 0}, "grid_size must be a whole number ≥ 1, got 0"),
        ({"grid_depth": 0}, "grid_depth must be a whole number ≥ 1, got 0"),
        ({"grid_depth": 1000}, "grid_depth must be at most 256, got 1000"),
        ({"smoothness": -1.0}, "smoothness must be finite and ≥ 0, got -1"),
        ({"smoothness": 1e18}, r"smoothness must be at most 1e\+12, got 1e\+18"),
        ({"guide": "hue"}, "guide must be one of luminance, principal; got 'hue'"),
        ({"color": "luminance"}, "color='luminance' repaints a grey picture"),
        ({"method": "adam", "average": 0.9}, "average is of pictures, and a grid is what is"),
        ({"mode": "photograph"}, "mode must be one of painting, photo; .* did you mean photo"),
        ({"preset": "gatys2016"}, "mode='photo' means the preset 'photo', and here is 'gatys2016'"),
    ],
)
def test_what_a_grid_cannot_do(tiny, pair, options, message):
    with pytest.raises(ValueError, match=message):
        photo(pair, tiny, **options)


def test_textures_have_no_content_to_map(tiny, pair):
    for make in (
        lambda: synthesize_texture(pair[1], 32, model=tiny, parametrization="grid"),
        lambda: reconstruct(pair[0], "relu2_1", model=tiny, parametrization="grid"),
    ):
        with pytest.raises(ValueError, match="maps the colours of a content, and nothing of one"):
            make()
