import pytest
import torch

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


def test_the_style_is_made_smaller_never_larger(tiny, monkeypatch):
    seen = []
    look = VGG19.look

    def spy(self, image, layers):
        seen.append(tuple(image.shape[2:]))
        return look(self, image, layers)

    monkeypatch.setattr(VGG19, "look", spy)
    content, large, small = (torch.rand(1, 3, h, 32).double() for h in (64, 96, 40))
    for style, scale, expected in [
        (large, 1.0, (64, 21)), (large, 1.25, (80, 27)), (large, 9.0, (96, 32)),
        (large, 0.75, (48, 16)), (small, 1.0, (40, 32)),
    ]:  # fmt: skip
        seen.clear()
        stylize(content, style, model=tiny, steps=0, style_scale=scale)
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


def test_a_run_that_settled_is_made_again_from_its_record(tiny, tall):
    found = stylize(*tall, model=tiny, **SETTLING)
    again = stylize(*tall, model=tiny, **options_from(found.settings))
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
