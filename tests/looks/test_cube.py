"""3D LUTs, read back by a reader that knows the specification and nothing of the writer."""

import re

import pytest
import torch
from tensors import features

from nst_tutorial.looks import Look, identity_grid, write_cube


def read_cube(path):
    """(title, table[blue, green, red, 3]) of a file after Adobe's specification 1.0."""
    title, size, domain, rows = None, None, {}, []
    data = path.read_bytes()
    assert data.isascii()
    assert data.endswith(b"\n")
    for line in data.decode().split("\n")[:-1]:
        assert 0 < len(line) <= 249
        keyword, _, rest = line.partition(" ")
        if keyword == "TITLE":
            title = re.fullmatch(r'"([^"]*)"', rest)[1]
        elif keyword == "LUT_3D_SIZE":
            size = int(rest)
        elif keyword.startswith("DOMAIN"):
            domain[keyword] = [float(x) for x in rest.split(" ")]
        else:
            rows.append([float(x) for x in line.split(" ")])
    assert domain == {"DOMAIN_MIN": [0, 0, 0], "DOMAIN_MAX": [1, 1, 1]}
    assert len(rows) == size**3
    return title, torch.tensor(rows, dtype=torch.float64).view(size, size, size, 3)


def interpolated(table, colors):
    """What programs make of colours (N, 3): trilinear between the eight around each."""
    result = torch.zeros_like(colors)
    places = colors * (len(table) - 1)
    lower = places.floor().clamp(max=len(table) - 2).long()
    share = places - lower
    for corner in range(8):
        step = torch.tensor([corner & 1, corner >> 1 & 1, corner >> 2])
        red, green, blue = (lower + step).T
        weight = torch.where(step > 0, share, 1 - share).prod(1, keepdim=True)
        result += weight * table[blue, green, red]
    return result


def off(look, path, size, colors):
    """By how much the table, as programs read it, is off at colours (N, 3)."""
    _, table = read_cube(write_cube(look, path, size))
    exact = look.apply(colors.T.reshape(1, 3, -1, 1)).flatten(2)[0].T
    return (interpolated(table, colors) - exact).abs().max()


@pytest.fixture
def colors():
    return torch.rand(500, 3, generator=torch.Generator().manual_seed(5)).double()


@pytest.fixture
def look():
    return Look(identity_grid(8, 1, 1).double() + 0.05 * features(1, 12, 8, 1, 1))


def test_one_affine_map_is_held_exactly(tmp_path, colors):
    affine = Look(features(1, 12, 1, 1, 1))
    for size in (2, 5, 17):
        assert off(affine, tmp_path / "a.cube", size, colors) < 2e-6


def test_where_a_look_bends_the_table_is_off_by_less_the_finer_it_is(tmp_path, look, colors):
    coarse, fine = (off(look, tmp_path / "a.cube", size, colors) for size in (9, 33))
    assert fine < coarse / 2
    assert fine < 0.02
    nodes = (colors * 16).round() / 16  # of a table of 17
    assert off(look, tmp_path / "a.cube", 17, nodes) < 2e-6


def test_red_is_fastest_then_green_then_blue(tmp_path):
    _, table = read_cube(write_cube(Look(identity_grid(3, 1, 1)), tmp_path / "a.cube", 3))
    torch.testing.assert_close(table[0, 0, 1], torch.tensor([0.5, 0, 0]).double())
    torch.testing.assert_close(table[1, 2, 0], torch.tensor([0, 1, 0.5]).double())


def test_colours_beyond_the_screens_are_kept(tmp_path):
    brighter = identity_grid(1, 1, 1) * 2
    _, table = read_cube(write_cube(Look(brighter), tmp_path / "a.cube", 2))
    assert table.max() == 2


def test_titles(tmp_path, look):
    for title, written in (
        (None, "a"), ("dusk", "dusk"), ('Łódź "x"\n\x1b', "__d_ _x___"), ("x" * 300, "x" * 200)
    ):  # fmt: skip
        path = write_cube(look, tmp_path / "a.cube", 2, title=title)
        assert read_cube(path)[0] == written


def test_what_depends_on_position_is_refused(tmp_path):
    look = Look(features(1, 12, 4, 1, 2))
    with pytest.raises(ValueError, match=r"fit it with grid_size=1, or take its average"):
        write_cube(look, tmp_path / "a.cube")
    write_cube(look.averaged(), tmp_path / "a.cube", 4)
    assert [path.name for path in tmp_path.iterdir()] == ["a.cube"]


@pytest.mark.parametrize("size", [1, 0, 2.5, 257, "33"])
def test_sizes_that_are_none(tmp_path, look, size):
    with pytest.raises(ValueError, match="size must be"):
        write_cube(look, tmp_path / "a.cube", size)


def test_names_and_files_that_are_there(tmp_path, look):
    with pytest.raises(ValueError, match=r"a.lut: the name of a 3D LUT must end in .cube"):
        write_cube(look, tmp_path / "a.lut")
    path = tmp_path / "A.CUBE"
    path.write_text("another's")
    with pytest.raises(FileExistsError):
        write_cube(look, path, overwrite=False)
    assert path.read_text() == "another's"
    with pytest.raises(OSError, match="no"):
        write_cube(look, tmp_path / "no" / "a.cube")
