"""Stored results: read back as they were written, and clear words where there is none."""

import json
import re

import pytest
import torch
from PIL import Image

from nst_tutorial import records

ROWS = [
    {"layer": "relu1_1", "evaluations": 80, "loss": 0.5},
    {"layer": "relu1_1", "evaluations": 400, "loss": 0.25},
    {"layer": "relu4_2", "evaluations": 80, "loss": None},
]


@pytest.fixture
def folder(tmp_path):
    content = {
        "format": records.FORMAT, "name": "02_noise", "question": "?", "command": "make 02_noise",
        "settings": {"size": 64}, "machine": "none", "torch": "2", "missing": ["cat, relu2_1"],
        "rows": ROWS,
    }  # fmt: skip
    (tmp_path / "02_noise.json").write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / "02_noise").mkdir()
    Image.new("RGB", (24, 16), (255, 0, 0)).save(tmp_path / "02_noise" / "relu1_1_80.webp")
    return tmp_path


def test_rows_are_found_by_their_values(folder):
    record = records.load("02_noise", folder)
    assert records.names(folder) == ["02_noise"]
    assert list(record.rows) == ROWS
    assert record.missing == ("cat, relu2_1",)
    assert record.where(layer="relu1_1", evaluations=400) == [ROWS[1]]
    assert record.column("loss", layer="relu1_1") == [0.5, 0.25]
    assert record.column("loss") == [0.5, 0.25, None]


def test_rows_that_are_not_there_are_refused(folder):
    message = "record 02_noise: no row with {'layer': 'relu9_1'}; its 'layer' holds relu1_1, "
    with pytest.raises(ValueError, match=re.escape(message)):
        records.load("02_noise", folder).where(layer="relu9_1")


def test_pictures_lie_beside_the_record(folder):
    record = records.load("02_noise", folder)
    assert record.pictures == ["relu1_1_80"]
    picture = record.picture("relu1_1_80")
    assert picture.shape == (1, 3, 16, 24)
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand_as(picture)
    torch.testing.assert_close(picture, red, atol=0.02, rtol=0)
    with pytest.raises(ValueError, match="no picture 'relu1_1_8'; there are relu1_1_80"):
        record.picture("relu1_1_8")


def test_a_record_that_is_not_there_is_refused(folder):
    with pytest.raises(FileNotFoundError, match="no record '02_nois'; there are 02_noise"):
        records.load("02_nois", folder)
    (folder / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.json: is not a record of the format"):
        records.load("other", folder)
