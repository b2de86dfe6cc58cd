import pytest
import torch

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
