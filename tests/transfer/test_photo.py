"""Photo mode: only the colours of the content move."""

import pytest
import torch
from runs import quick
from tensors import box, ones

from nst_tutorial.images.color import match_color
from nst_tutorial.images.resizing import resize
from nst_tutorial.looks.grid import apply_grid
from nst_tutorial.presets import PRESETS, options_from
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.transfer.textures import reconstruct, synthesize_texture


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
    """What lies in neither region stays as it is; what lies in one goes its way."""
    content, style = pair
    masks = [box(40, 36, (0, 12), (0, 36)), box(40, 36, (28, 40), (0, 36))]
    found = photo(
        (content, [style, 1 - style]), tiny, content_masks=masks,
        style_masks=[ones(48, 33), None], content_weight=0.0,
    )  # fmt: skip
    assert {"style 1 relu1_1", "style 2 relu1_1", "smoothness"} <= set(found.history[-1])
    assert found.history[-1]["total"] < found.history[0]["total"]


def test_the_record_makes_it_again(tiny, pair):
    found = photo(pair, tiny, guide="principal", smoothness=0.3, grid_depth=3)
    again = stylize(*pair, model=tiny, **options_from(found.settings))
    assert torch.equal(found.image, again.image)
    assert found.look.guide == again.look.guide


@pytest.mark.parametrize("start", ["style", "noise", "match"])
def test_other_starts_are_the_nearest_that_colours_allow(tiny, pair, start):
    found = photo(pair, tiny, start=start)
    assert found.history[-1]["total"] < found.history[0]["total"]
    torch.testing.assert_close(found.image, found.apply(pair[0]))


@pytest.mark.parametrize("guide", ["luminance", "principal"])
@pytest.mark.parametrize("kind", ["grey", "one colour", "black"])
def test_poor_photographs(tiny, pair, guide, kind):
    content = {
        "grey": pair[0][:, :1].expand(-1, 3, -1, -1),
        "one colour": torch.tensor([0.2, 0.5, 0.9]).double().view(1, 3, 1, 1).expand(1, 3, 40, 36),
        "black": torch.zeros(1, 3, 40, 36).double(),
    }[kind]  # fmt: skip
    found = photo((content, pair[1]), tiny, guide=guide)
    assert found.image.isfinite().all()
    assert found.look.grid.isfinite().all()
    assert found.row["total"] < found.history[0]["total"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grid_size": 41}, "grid_size must be at most 40, the pixels of the picture's longer"),
        ({"grid_size": 0}, "grid_size must be a whole number ≥ 1, got 0"),
        ({"grid_depth": 0}, "grid_depth must be a whole number ≥ 1, got 0"),
        ({"grid_depth": 1000}, "grid_depth must be at most 256, got 1000"),
        ({"smoothness": -1.0}, "smoothness must be finite and ≥ 0, got -1"),
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
