import os
import signal
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("NST_FAST", "1")  # notebooks: small sizes and few steps
os.environ.setdefault("MPLBACKEND", "agg")

import numpy as np
import pytest
import torch
from browser import chromium, lab  # noqa: F401  (fixtures)
from PIL import Image

from nst_tutorial.images.reading import load_image
from nst_tutorial.losses.objective import Evaluation
from nst_tutorial.transfer.style_transfer import stylize
from nst_tutorial.vgg.network import VGG19, load_vgg19

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell sets it for `pytest &`
    signal.signal(signal.SIGINT, signal.default_int_handler)

START = torch.full((1, 3, 16, 13), 0.5).double()  # of an optimisation
TINY = (4, 6, 8, 8, 8)  # channels of the five blocks


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    """‖a - b‖ / ‖b‖."""
    a, b = a.detach().double(), b.detach().double()
    return float((a - b).norm() / b.norm())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def skip_loudly(reason: str) -> None:
    """Skip the test; the reason stands among the warnings at the end, whatever pytest's options."""
    warnings.warn(f"SKIPPED: {reason}", stacklevel=2)
    pytest.skip(reason)


@contextmanager
def mounted(folder: Path, options: str):
    """A small file system in memory, mounted at a folder; needs root."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        skip_loudly(f"no command to mount a small disk: {error}")
    if done.returncode:
        skip_loudly(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


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


COMMAND = [sys.executable, "-m", "nst_tutorial"]
QUICK = ["--size", "64", "--steps", "3", "--device", "cpu"]
WIDTH, HEIGHT = 40, 24  # of the scene


@pytest.fixture
def scene() -> Image.Image:
    """Left half red, right half a blue ramp: any turn, flip or swap of channels shows."""
    array = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    array[:, : WIDTH // 2, 0] = 200
    array[:, WIDTH // 2 :, 2] = np.linspace(60, 250, HEIGHT, dtype=np.uint8)[:, None]
    return Image.fromarray(array)


def as_tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255


@pytest.fixture
def pair(picture):
    other = torch.rand(1, 3, 48, 33, generator=torch.Generator().manual_seed(7)).double()
    return picture, other


def quick(pair, tiny, **options):
    return stylize(*pair, model=tiny, **{"steps": 12, **options})


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


def features(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def distance(kernel, x, y):
    return kernel.distance(kernel.statistic(x), kernel.statistic(y))


def fitted_to(features, kernel):
    return kernel.fitted(kernel.statistic(features))


@pytest.fixture
def x():
    return features(1, 4, 3, 5)


@pytest.fixture
def y():
    """Another number of positions than x."""
    return features(1, 4, 2, 4, seed=1) * 1.3 + 0.2


class Quadratic:
    """½ Σ a (x - c)², with curvatures a over two decades."""

    def __init__(self, scale=1.0, bad=()):
        generator = torch.Generator().manual_seed(0)
        self.a = scale * 10 ** (2 * torch.rand(START.shape, generator=generator).double())
        self.c = torch.rand(START.shape, generator=generator).double()
        self.term_weights = {"distance": 1.0}
        self.scale, self.bad, self.seen = scale, bad, []

    def value_and_gradient(self, image):
        self.seen.append(image.clone())
        d = image - self.c
        total = float(0.5 * (self.a * d * d).sum())
        if len(self.seen) in self.bad:
            total = float("nan")
        return Evaluation(total, {"distance": total}, self.a * d)


def disc(height, width, *, radius=0.5, soft=0.4, x=0.0, y=0.0):
    """A soft mask: 1 in a disc, falling to 0 around it."""
    rows, columns = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    distance = (columns - x).hypot(rows - y)
    return ((radius + soft / 2 - distance) / soft).clamp(0, 1).double()[None, None]


def box(height, width, rows, columns):
    mask = torch.zeros(1, 1, height, width).double()
    mask[..., slice(*rows), slice(*columns)] = 1
    return mask


def ones(height, width):
    return torch.ones(1, 1, height, width).double()
