"""The full-size path against the other derivation of the same sum, and in its memory."""

import json
import subprocess
import sys

import pytest
import torch
from tensors import features

from nst_tutorial.looks import blocks
from nst_tutorial.looks.blocks import apply_in_blocks, spans
from nst_tutorial.looks.grid import apply_grid, identity_grid
from nst_tutorial.looks.guide import Guide

SHAPES = [(8, 11, 16), (1, 1, 1), (5, 1, 3), (2, 40, 1), (3, 200, 300)]  # the last: of more cells


@pytest.mark.parametrize("block", [40, 800, 2**20])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_what_apply_grid_does(monkeypatch, shape, block):
    monkeypatch.setattr(blocks, "BLOCK", block)
    grid = features(1, 12, *shape)
    picture = features(1, 3, 37, 23, seed=1).mul(0.4).add(0.5)
    found = apply_in_blocks(grid, picture, Guide())
    torch.testing.assert_close(found, apply_grid(grid, picture, Guide()(picture)))


def test_in_single_precision_it_is_off_by_rounding():
    grid, picture = features(1, 12, 8, 11, 16), features(1, 3, 90, 70, seed=1).mul(0.3).add(0.5)
    exact = apply_in_blocks(grid, picture, Guide())
    single = apply_in_blocks(grid.float(), picture.float(), Guide())
    assert (single - exact).abs().max() < 1e-5


def test_without_change_every_picture_stays_what_it_is(picture):
    found = apply_in_blocks(identity_grid(8, 3, 4).double(), picture, Guide())
    torch.testing.assert_close(found, picture, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("length", "cells"), [(1, 1), (1, 7), (7, 1), (40, 7), (7, 40), (64, 64)])
@pytest.mark.parametrize("longest", [1, 3, 1000])
def test_spans_are_all_pixels_once_with_the_weights_of_their_cells(length, cells, longest):
    every = list(spans(length, cells, longest))
    assert [i for span in every for i in range(length)[span.pixels]] == list(range(length))
    for span in every:
        below, above = span.cells
        assert len(span.share) == span.pixels.stop - span.pixels.start <= longest
        assert above == min(below + 1, cells - 1)
        for i, share in zip(range(length)[span.pixels], span.share.tolist(), strict=True):
            place = min(max((i + 0.5) / length * cells - 0.5, 0), cells - 1)
            assert below + share == pytest.approx(place)
            assert 0 <= share <= 1


def test_memory_is_that_of_the_picture_and_its_result():
    """In a fresh process, whose peak counts; twelve numbers a pixel would be four times as much."""
    script = """
import json, torch
from pathlib import Path
from nst_tutorial.looks import Guide, apply_in_blocks, identity_grid
def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
picture, grid = torch.rand(1, 3, 1000, 2000), identity_grid(8, 8, 16)
apply_in_blocks(grid, picture[:, :, :200, :200], Guide())  # libraries and their threads
before = peak()
apply_in_blocks(grid, picture, Guide())
print(json.dumps((peak() - before) / (picture.numel() * 4)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) < 2  # of the picture's own size; the result is 1
