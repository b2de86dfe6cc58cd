import pytest
import torch

from nst_tutorial.images.reading import load_settings
from nst_tutorial.images.resizing import resize
from nst_tutorial.images.writing import save_image
from nst_tutorial.presets import options_from
from nst_tutorial.tiling import scales
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.vgg.network import VGG19


def test_narrow_pictures_work(tiny):
    wide, style = torch.rand(1, 3, 18, 420).double(), torch.rand(1, 3, 64, 64).double()
    assert {r["size"] for r in stylize(wide, style, model=tiny, steps=4).history} == {420}
    assert {r["size"] for r in stylize(torch.rand(1, 3, 420, 420).double(), wide, model=tiny,
            steps=4).history} == {420}  # fmt: skip


def test_coarse_to_fine_uses_every_scale(tiny):
    content, style = torch.rand(2, 1, 3, 400, 48).double()
    sizes = [r["size"] for r in stylize(content, style, model=tiny, steps=6).history]
    assert sizes == [200] * 4 + [400] * 2


def test_the_detail_of_the_content_survives_the_coarse_scale(tiny):
    """One evaluation a scale changes nothing, so the content must come back whole."""
    content, style = torch.rand(2, 1, 3, 400, 48).double()
    found = stylize(content, style, model=tiny, steps=2)
    torch.testing.assert_close(found.image, content)


def test_history_is_one_through_all_scales(tiny):
    content, style = torch.rand(2, 1, 3, 400, 48).double()
    seen = []
    found = stylize(content, style, model=tiny, steps=6, callback=lambda p: seen.append(p) or False)
    assert (
        [p.evaluation for p in seen] == [r["evaluation"] for r in found.history] == [*range(1, 7)]
    )
    assert {p.steps for p in seen} == {6}


@pytest.mark.parametrize("how", ["callback", "interrupted"])
def test_stopping_at_a_coarse_scale_gives_a_full_picture(tiny, how):
    content, style = torch.rand(2, 1, 3, 400, 48).double()

    def callback(progress):
        if progress.evaluation == 3:
            if how == "interrupted":
                raise KeyboardInterrupt
            return True
        return False

    found = stylize(content, style, model=tiny, steps=30, callback=callback)
    assert found.stopped == how
    assert len(found.history) == 3
    assert found.image.shape == content.shape


def test_the_style_is_made_smaller_and_larger_only_if_its_strokes_grow(tiny, monkeypatch):
    seen = []
    look = VGG19.look

    def spy(self, image, layers):
        seen.append(tuple(image.shape[2:]))
        return look(self, image, layers)

    monkeypatch.setattr(VGG19, "look", spy)
    content, large, small = (torch.rand(1, 3, h, 32).double() for h in (64, 96, 40))
    for style, scale, strokes, expected in [
        (large, 1.0, "both", (64, 21)), (large, 1.25, "both", (80, 27)),
        (large, 9.0, "both", (96, 32)), (large, 9.0, "keep", (96, 32)),
        (large, 2.0, "grow", (128, 43)), (large, 0.75, "grow", (48, 16)),
        (small, 1.0, "both", (40, 32)), (small, 1.0, "grow", (64, 51)),
    ]:  # fmt: skip
        seen.clear()
        stylize(content, style, model=tiny, steps=0, style_scale=scale, strokes=strokes)
        assert seen[1] == expected


# --- scales whose loss has settled ---------------------------------------------------------------


@pytest.fixture
def tall(monkeypatch):
    """Two pictures of 64 × 48 pixels, which are worked on at 32 pixels first."""
    monkeypatch.setattr(scales, "COARSEST", 32)
    content, style = torch.rand(2, 1, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    return content.double(), style.double() ** 3


SETTLING = {"steps": [40, 40], "settle": 0.2, "kernel": "gram"}


def test_a_scale_that_has_settled_gives_way_to_the_next(tiny, tall):
    seen = []
    found = stylize(*tall, model=tiny, callback=seen.append, **SETTLING)
    counts = found.settings["evaluations"]
    assert counts == [sum(row["size"] == size for row in found.history) for size in (32, 64)]
    assert all(10 < count < 40 for count in counts)
    assert found.settings["settled"] == found.settled == [32, 64]
    assert found.stopped == "settled"
    # The bar jumps to the end of the scale, and spared evaluations are not waited for.
    first, second = counts
    share = 1 / 5  # of the work: a quarter of the pixels, as many evaluations
    assert seen[first - 2].fraction == pytest.approx(share * (first - 1) / 40)
    assert seen[first - 1].fraction == pytest.approx(share)
    assert seen[first].fraction == pytest.approx(share + (1 - share) / 40)
    assert seen[-1].fraction == 1
    assert [p.steps for p in seen] == [80] * (first - 1) + [first + 40] * second + [first + second]
    assert [p.evaluation for p in seen] == [*range(1, first + second + 1)]


def test_a_run_that_settled_is_made_again_from_its_file(tiny, tall, tmp_path):
    found = stylize(*tall, model=tiny, **SETTLING)
    for suffix in (".png", ".jpg", ".tif"):
        written = load_settings(
            save_image(found.image, tmp_path / f"result{suffix}", found.settings)
        )
        assert written["evaluations"] == found.settings["evaluations"]
        assert options_from(written) == options_from(found.settings)
    again = stylize(*tall, model=tiny, **options_from(written))
    assert torch.equal(again.image, found.image)
    assert again.settings == found.settings
    unsettled = stylize(*tall, model=tiny, steps=[3, 2])
    assert (unsettled.settings["evaluations"], unsettled.settings["settled"]) == ([3, 2], [])


def test_a_run_that_settles_goes_on_bit_for_bit(tiny, tall, tmp_path):
    """Stopped before, at and after the end of a scale; and when all is done."""
    whole = stylize(*tall, model=tiny, **SETTLING)
    first = whole.settings["evaluations"][0]
    for stop in (first - 1, first, first + 8, len(whole.history)):
        notes = {"checkpoint": tmp_path / str(stop), "checkpoint_every": 4}
        stylize(*tall, model=tiny, callback=lambda p, n=stop: p.evaluation == n, **SETTLING,
                **notes)  # fmt: skip
        seen = []
        again = stylize(*tall, model=tiny, callback=seen.append, **SETTLING, **notes)
        assert torch.equal(again.image, whole.image)
        assert (again.settings, again.stopped) == (whole.settings, "settled")
        assert [p.evaluation for p in seen] == [*range(stop + 1, len(whole.history) + 1)]
        assert all(p.steps <= 40 + first for p in seen if p.size[0] == 64)
    with pytest.raises(ValueError, match=r"settle was 0.2 and is 0.5 now"):
        stylize(*tall, model=tiny, **{**SETTLING, "settle": 0.5}, **notes)


# --- from a small result to a large one ----------------------------------------------------------


def soft(seed, height, width):
    """A picture in the middle of 0..1, so that nothing leaves it."""
    generator = torch.Generator().manual_seed(seed)
    return 0.4 + 0.2 * torch.rand(1, 3, height, width, generator=generator).double()


@pytest.mark.parametrize(
    ("steps", "begin", "options"),
    [
        ([7, 5], 64, {}),
        ([7, 5], 33, {"style_scale": 0.8, "parametrization": "pixel"}),
        ([6, 4, 3], 64, {"method": "adam", "average": 0.5, "learning_rate": 1e-3}),
    ],
)
def test_a_small_result_goes_on_as_the_whole_run(tiny, monkeypatch, steps, begin, options):
    """Bit for bit, where no value had to be clamped.

    The small run has one scale: at a second one its content would be resized twice.
    """
    monkeypatch.setattr(scales, "COARSEST", 32)
    sides = [32 * 2**i for i in range(len(steps))]
    content, style = soft(1, sides[-1], sides[-1] * 3 // 4), soft(2, 90, 120) ** 0.8
    options = {"model": tiny, "kernel": "gram", "range_weight": 0.0, **options}
    whole = stylize(content, style, steps=steps, **options)
    small = stylize(resize(content, 32), style, steps=steps[0], **options)
    assert 0 < small.image.min() < small.image.max() < 1
    after = {"start": small.image, "begin_at": begin, "steps": steps[1:]}
    large = stylize(content, style, **options, **after)
    assert torch.equal(large.image, whole.image)
    rows = [
        {name: value for name, value in row.items() if name not in ("seconds", "evaluation")}
        for row in small.history + large.history
    ]
    for row, expected in zip(rows, whole.history, strict=True):
        assert row == {name: expected[name] for name in row}
    assert large.settings["enlarged_from"] == [32, 24]
    assert (large.settings["begin_at"], large.settings["start"]) == (begin, "picture")
    assert "enlarged_from" not in whole.settings


def test_a_mix_from_coarse_to_fine_is_that_of_the_whole_run(tiny, monkeypatch):
    """The start is small, but the way from the coarsest scale to the finest is the result's."""
    monkeypatch.setattr(scales, "COARSEST", 32)
    content, styles = soft(1, 128, 96), [soft(2, 64, 64), soft(3, 64, 48)]
    options = {"model": tiny, "style_mix": [1, 3], "style_mix_fine": [3, 1]}
    weights = []
    for more in ({"steps": [1, 1, 1]},
                 {"steps": [1, 1], "start": resize(content, 48), "begin_at": 64}):  # fmt: skip
        seen = {}
        stylize(content, styles, **options, **more,
                callback=lambda p, seen=seen: seen.update({p.size: p.term_weights}))  # fmt: skip
        weights.append(seen)
    whole, large = weights
    assert large == {size: whole[size] for size in ((64, 48), (128, 96))}
    assert len({each["style 1 relu1_1"] for each in whole.values()}) == 3


def test_one_number_of_steps_gives_an_enlarged_run_those_of_the_whole_one(tiny, monkeypatch):
    monkeypatch.setattr(scales, "COARSEST", 32)
    content, style = soft(1, 64, 48), soft(2, 64, 64)
    whole = stylize(content, style, model=tiny, steps=9)
    large = stylize(
        content, style, model=tiny, steps=9, begin_at=64, start=resize(content, 32)
    )  # fmt: skip
    assert whole.settings["evaluations"] == [6, 3]
    assert large.settings["evaluations"] == [3]


def test_what_is_put_back_is_what_the_small_result_could_not_hold(tiny):
    """Without an evaluation: what a small copy of the content becomes is the content itself."""
    content, style = soft(1, 64, 48), soft(2, 64, 64)
    still = {"model": tiny, "steps": 0}
    small = resize(content, 32)
    found = stylize(content, style, start=small, begin_at=64, **still)
    torch.testing.assert_close(found.image, content)
    plain = stylize(content, style, start=small, **still)
    assert torch.equal(plain.image, resize(small, (64, 48)))
    assert "enlarged_from" not in plain.settings
    large = stylize(content, style, start=1 - content, begin_at=64, **still)
    assert torch.equal(large.image, 1 - content)
    assert "enlarged_from" not in large.settings


def test_gradients_are_balanced_where_the_whole_run_would(tiny):
    """At the content, for at a finished result hardly a gradient of the style is left."""
    content, style = soft(1, 64, 48), soft(2, 64, 64)
    options = {"model": tiny, "steps": 2, "balance": "gradient"}
    whole = stylize(content, style, **options)
    small = stylize(resize(content, 32), style, **{**options, "steps": 8}).image
    large = stylize(content, style, start=small, begin_at=64, **options)
    assert large.gradient_norms == whole.gradient_norms


@pytest.mark.parametrize(
    ("shape", "begin", "message"),
    [
        ((32, 30), 64, "start is 30×32 px, and a content of 48×64 would be 24×32: with begin_at it "
         "must be a result of this content"),
        ((32, 24), 65, "begin_at must be at most the longer side, 64 px; got 65"),
    ],
)  # fmt: skip
def test_starts_that_are_no_small_result_are_refused(tiny, shape, begin, message):
    content, style = soft(1, 64, 48), soft(2, 64, 64)
    with pytest.raises(ValueError, match="begin_at") as raised:
        stylize(content, style, model=tiny, steps=2, start=soft(3, *shape), begin_at=begin)
    assert str(raised.value) == message


def test_a_shape_may_be_rounded_otherwise(tiny):
    content, style = soft(1, 64, 48), soft(2, 64, 64)
    for shape in ((33, 24), (33, 25), (33, 26)):
        found = stylize(content, style, model=tiny, steps=1, start=soft(3, *shape), begin_at=64)
        assert found.image.shape == content.shape
        assert found.settings["enlarged_from"] == list(shape)


def test_an_enlargement_goes_on_from_its_checkpoint(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(scales, "COARSEST", 32)
    content, style = soft(1, 128, 96), soft(2, 64, 64)
    options = {"model": tiny, "start": soft(3, 32, 24), "begin_at": 64, "steps": [4, 3]}
    whole = stylize(content, style, **options)
    notes = {"checkpoint": tmp_path / "notes", "checkpoint_every": 1}
    for stop in (2, 5):
        stylize(content, style, callback=lambda p, n=stop: p.evaluation == n, **options, **notes)
    again = stylize(content, style, **options, **notes)
    assert torch.equal(again.image, whole.image)
    with pytest.raises(ValueError, match="start picture was"):
        stylize(content, style, **{**options, "start": soft(4, 32, 24)}, **notes)
