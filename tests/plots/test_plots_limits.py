import pytest
import torch
from tensors import white

from nst_tutorial import plots
from nst_tutorial.noise.level import fine_detail, flat_regions, noise_level, power_spectrum
from nst_tutorial.tiling.windows import split_into_windows


@pytest.fixture
def result(temple):
    return (temple + 4 / 255 * white(*temple.shape, seed=5).float()).clamp(0, 1)


def test_noise_report_tells_the_levels_of_the_flat_regions(result, temple, starry):
    figure = plots.noise_report(result, temple, starry)
    flat = flat_regions(temple)
    told = f"result {noise_level(result, flat):.2f}, content {noise_level(temple, flat):.2f}"
    assert told in figure.alt
    assert told in figure._suptitle.get_text()
    shown = torch.from_numpy(figure.axes[0].get_images()[0].get_array().copy()) / 255
    kept = flat[0, 0]
    assert (shown[kept] - result[0].permute(1, 2, 0)[kept]).abs().max() < 0.01
    grain = figure.axes[1].get_images()[0].get_array()
    assert (grain[~kept.numpy()] == 255).all()
    assert grain[kept.numpy()].std() == pytest.approx(4 * plots.limits.GAIN, rel=0.25)
    labels = [line.get_label() for line in figure.axes[2].get_lines()]
    assert labels == ["result", "content", "style"]


def test_grain_is_shown_four_times_as_strong(result):
    """A flat grey with one odd pixel; and a picture, whose detail the figure has in its pixels."""
    grey = torch.full((1, 3, 9, 12), 0.5)
    grey[..., 4, 5] += 0.1
    figure = plots.amplified_grain({"one pixel": grey, "result": result})
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == ["one pixel", "result"]
    assert [axis.get_title() for axis in figure.axes[:2]] == [
        "as it is", "its fine detail, 4 times",
    ]  # fmt: skip
    plain, grain, _, noisy = (axis.get_images()[0].get_array() for axis in figure.axes)
    assert plain.shape == grain.shape == (7, 10, 3)
    assert (grain[:, 8:] == 128).all()
    assert grain[3, 4, 0] == round(255 * (0.5 + 4 * float(fine_detail(grey)[0, 0, 3, 4])))
    wanted = (0.5 + 4 * fine_detail(result)).clamp(0, 1)[0].permute(1, 2, 0)
    assert abs(noisy / 255 - wanted.numpy()).max() < 0.5001 / 255
    assert "its fine detail, 4 times" in figure.alt
    with pytest.raises(ValueError, match="no pictures"):
        plots.amplified_grain({})
    with pytest.raises(ValueError, match="gain must be a number above 0, got 0"):
        plots.amplified_grain({"result": result}, 0)


def test_power_spectra_draw_what_is_measured(result, temple):
    axis = plots.power_spectra({"result": result, "content": temple}).axes[0]
    found = power_spectrum(temple)
    x, y = axis.get_lines()[1].get_data()
    assert max(x) <= 0.5
    assert min(x) > 0
    assert list(y) == found.power[1 : len(y) + 1].tolist()
    assert axis.get_xscale() == axis.get_yscale() == "log"
    with pytest.raises(ValueError, match="no pictures"):
        plots.power_spectra({})


def test_noise_front_starts_at_the_picture_before():
    fronts = {"bilateral": [(1.0, 2.0), (0.5, 6.0)], "poisson": [(0.9, 1.0), (0.6, 9.0)]}
    figure = plots.noise_front(fronts, (3.0, 0.0))
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    assert list(lines["bilateral"].get_xdata()) == [3.0, 1.0, 0.5]
    assert list(lines["poisson"].get_ydata()) == [0.0, 1.0, 9.0]
    assert lines["a third"].get_xdata()[0] == 1.0
    assert "bilateral down to 0.5" in figure.alt
    with pytest.raises(ValueError, match="at least one point"):
        plots.noise_front({"bilateral": []}, (3.0, 0.0))
    with pytest.raises(ValueError, match="at least one point"):
        plots.noise_front({}, (3.0, 0.0))


def test_tile_windows_draws_every_tile_and_one_block():
    image = torch.rand(1, 3, 96, 160)
    parts = split_into_windows((96, 160), 64, ["relu3_1"])
    figure = plots.tile_windows(image, parts, shown=1)
    boxes = figure.axes[0].patches
    assert len(boxes) == len(parts) + 2
    rows, columns = parts[1].block
    seen = boxes[-2]
    assert (seen.get_x() + 0.5, seen.get_y() + 0.5) == (columns.start, rows.start)
    assert (seen.get_width(), seen.get_height()) == (
        columns.stop - columns.start, rows.stop - rows.start,
    )  # fmt: skip
    assert f"seen with {int(seen.get_width() * seen.get_height())} pixels" in figure.alt
    with pytest.raises(ValueError, match="shown must be one of"):
        plots.tile_windows(image, parts, shown=len(parts))
