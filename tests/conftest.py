"""Fixtures. What tests import by name lives in the modules beside this one."""

import os
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import chromium, lab  # noqa: F401  (fixtures)
from pictures import HEIGHT, WIDTH
from PIL import Image
from runs import TINY
from tensors import features

from nst_tutorial.images.reading import load_image
from nst_tutorial.vgg.network import VGG19, load_vgg19

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell sets it for `pytest &`
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """What explorers keep: nothing of the user's is used, nothing is left behind."""
    os.environ["NST_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def _same_threads():
    """A test may work with another number of threads; those after it do not."""
    number = torch.get_num_threads()
    yield
    torch.set_num_threads(number)


@pytest.fixture(scope="session")
def tiny() -> VGG19:
    return VGG19("random", channels=TINY, device="cpu", pooling="average").double()


@pytest.fixture(scope="session")
def vgg() -> VGG19:
    return load_vgg19(device="cpu")


@pytest.fixture(scope="session")
def temple() -> torch.Tensor:
    return load_image("temple", 128)


@pytest.fixture(scope="session")
def starry() -> torch.Tensor:
    return load_image("starry_night", 128)


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.rand(1, 3, 40, 36, generator=torch.Generator().manual_seed(1)).double()


def pytest_terminal_summary(terminalreporter):
    """Say loudly that nothing was seen in a browser, where there is none."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum("browser" in report.keywords for report in skipped)
    if count:
        reason = "set CHROMIUM to a Chromium's path, or install one, to run them"
        terminalreporter.section("NOT TESTED IN A BROWSER", yellow=True, bold=True)
        terminalreporter.line(f"{count} tests marked browser were skipped: {reason}")


@pytest.fixture
def scene() -> Image.Image:
    """Left half red, right half a blue ramp: any turn, flip or swap of channels shows."""
    array = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    array[:, : WIDTH // 2, 0] = 200
    array[:, WIDTH // 2 :, 2] = np.linspace(60, 250, HEIGHT, dtype=np.uint8)[:, None]
    return Image.fromarray(array)


@pytest.fixture
def pair(picture):
    other = torch.rand(1, 3, 48, 33, generator=torch.Generator().manual_seed(7)).double()
    return picture, other


@pytest.fixture
def full_disk(tmp_path, monkeypatch):
    """Fill the disk for what a module writes, as `full_disk(module)`; return where there is room.

    That is the folder for temporary files.
    """

    def fill(module) -> Path:
        spare = tmp_path / "spare"
        spare.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(spare))
        replacing = module.replacing

        @contextmanager
        def full(path, **options):
            with replacing(path, **options) as file:
                yield file
                if not Path(path).is_relative_to(spare):
                    raise OSError(28, "No space left on device")

        monkeypatch.setattr(module, "replacing", full)
        return spare

    return fill


@pytest.fixture
def small(tmp_path):
    """A studio with small settings, saving into a folder of its own."""
    from nst_tutorial.widgets import Studio

    made = Studio(size=64, steps=3, folder=tmp_path / "results", speed=1.0)
    yield made
    if made.job is not None:
        made.job.stop()
        assert made.wait(60)


@pytest.fixture
def x():
    return features(1, 4, 3, 5)


@pytest.fixture
def y():
    """Another number of positions than x."""
    return features(1, 4, 2, 4, seed=1) * 1.3 + 0.2
