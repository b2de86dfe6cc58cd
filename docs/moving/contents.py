"""What there is: which explorer belongs below which cell, and how each is exported."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from nst_tutorial.widgets.components.assets import script, style

from . import networks, recipes
from .answers import write_answers
from .layers import write_layers
from .quizzes import (
    CALL,
    EXERCISES,
    number_of,
    quizzes,
    with_predictions,
    write_exercise,
    write_quiz,
)
from .votes import write_votes
from .walks import write_walks

PAGE = Path(__file__).parent / "page"
BEGIN = Path(__file__).parent / "begin.js"
COMPONENTS = ("step_slider", "compare_view", "picture_picker", "picture_row", "result_strip")
FOLDER = "moving"
SETUP = "except ModuleNotFoundError:"  # in the first code cell of every notebook

TITLES = {
    "painter": "A painter: your photograph, repainted in this page",
    "layer": "The layer explorer: what one channel of a layer responds to, and how far it sees",
    "inversion": "The inversion slider: a picture rebuilt from one layer alone",
    "gram": "The Gram explorer: positions moved, hidden or blurred",
    "kernel": "The kernel explorer: what a kernel tells apart, and its texture",
    "balance": "The balance explorer: two weights, one ratio, one place on the front",
    "optimizer": "The optimiser explorer: a walker in a valley beside a wall",
    "denoising": "The de-noising explorer: the grain of a result, and what removing it costs",
    "region": "The region explorer: a region, and the pixels that a style inside it pulls at",
    "look": "The look explorer: a fitted look, weaker or stronger, stiff or free",
    "generator": "The generator explorer: a texture network, its noise and its scales",
    "votes": "Blind votes: which of two pictures is better, and the ranking that votes make",
}
PLAY = tuple(TITLES)
"""Names in the order of the course, for a page that holds all of them."""

FIRST = "painter"
"""What stands at the top of the page of all explorers, in sight from the beginning."""

IMPORT = re.compile(r'^import .*"\./(\w+\.js)";$', re.MULTILINE)

PREDICTIONS = "predictions"
"""Not an explorer: a box below every question of a page that asks for a prediction."""

QUIZZES = {f"quiz_{stem}": source for stem, source in quizzes().items()}
TITLES |= {name: f"The exercise {name.replace('_', ' ')}" for name in EXERCISES}
TITLES |= {name: f"The quiz of {name.removeprefix('quiz_')}" for name in QUIZZES}

NAMES: dict[str, list[tuple[str, str]]] = {
    "01_features": [("widgets.layer_explorer(", "layer")],
    "02_content": [("widgets.inversion_explorer(", "inversion")],
    "03_style_gram": [("widgets.gram_explorer(", "gram")],
    "04_kernels": [("widgets.kernel_explorer(", "kernel")],
    "05_balance": [("widgets.balance_explorer(", "balance")],
    "06_optimize": [("widgets.optimizer_explorer(", "optimizer")],
    "08_limits": [("widgets.denoising_explorer(", "denoising")],
    "09_photographs": [
        ("widgets.region_explorer(", "region"),
        ("widgets.look_explorer(", "look"),
    ],
    "10_texture_networks": [
        ("widgets.generator_explorer(", "generator"),
        ("widgets.generator_explorer(", "painter"),
    ],
    "12_beyond_gram": [("voting = BlindVotes(", "votes")],
}
"""Notebook → (what the source of a code cell contains, the explorer that belongs below it)."""

for _name, (_stem, _) in EXERCISES.items():
    NAMES.setdefault(_stem, []).append((f"check.{_name}(", _name))
for _quiz in QUIZZES:
    NAMES.setdefault(_quiz.removeprefix("quiz_"), []).append((CALL, _quiz))
for _stem in with_predictions():
    NAMES.setdefault(_stem, []).append((SETUP, PREDICTIONS))

WRITERS: dict[str, Callable[[Path], None]] = {
    name: (lambda folder, name=name: write_answers(recipes.RECIPES[name], folder))
    for name in recipes.RECIPES
} | {
    "layer": write_layers,
    "optimizer": write_walks,
    "votes": write_votes,
    "painter": networks.write_painter,
    "generator": networks.write_generator,
    "networks": networks.write_networks,
    "runtime": networks.write_runtime,
}
"""Folder of `moving` → what writes it."""


def export(folder: Path) -> None:
    """Write `folder`/moving: scripts, and for each explorer a folder with what it knows.

    Minutes the first time; what took long is kept in the package's cache folder. The runtime of the
    networks comes from npm, once.

    Raises
    ------
    ValueError
        A quiz that `check.quiz` does not know, or a network that gives other pictures than PyTorch.
    RuntimeError
        The runtime cannot be fetched; the message says what to do.
    """
    moving = Path(folder) / FOLDER
    if moving.exists():
        shutil.rmtree(moving)
    moving.mkdir(parents=True)
    write_page(moving)
    for name, write in WRITERS.items():
        (moving / name).mkdir()
        write(moving / name)
    for name in EXERCISES:
        (moving / name).mkdir()
        write_exercise(name, moving / name)
    for name, source in QUIZZES.items():
        from nst_tutorial.check.quizzes import LETTERS

        number = number_of(source)
        if number not in LETTERS:
            raise ValueError(f"{name}: `check.quiz` knows no quiz {number!r}")
        (moving / name).mkdir()
        write_quiz(source, LETTERS[number], moving / name)


def write_page(moving: Path) -> None:
    """The scripts and the style sheet: ours, and the components that the notebooks show, too."""
    for path in sorted(PAGE.glob("*.js")):
        shutil.copy(path, moving)
    for name in COMPONENTS:
        (moving / f"{name}.js").write_text(script(name), encoding="utf-8")
    shared = style(COMPONENTS[0])
    rest = [style(name).removeprefix(_shared()) for name in COMPONENTS[1:]]
    own = (PAGE / "moving.css").read_text(encoding="utf-8")
    (moving / "moving.css").write_text("\n".join([shared, *rest, own]), encoding="utf-8")


def _shared() -> str:
    """The rules that the style of every component begins with."""
    first, second = style(COMPONENTS[0]), style(COMPONENTS[1])
    same = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    return first[: first.rfind("\n", 0, same) + 1]


def scripts_of(name: str) -> list[str]:
    """A script of the page and all that it imports, sorted."""
    found, left = set(), [name]
    while left:
        found.add(name := left.pop())
        own = PAGE / name
        text = own.read_text("utf-8") if own.exists() else script(name.removesuffix(".js"))
        left += set(IMPORT.findall(text)) - found
    return sorted(found)


def preloads(depth: int = 0) -> str:
    """The HTML for the head of a page with `FIRST` at its top: what that needs is loaded early.

    `depth` is that of `snippet`.
    """
    moving = "../" * depth + FOLDER
    links = [f'<link rel="modulepreload" href="{moving}/{n}">' for n in scripts_of(f"{FIRST}.js")]
    begin = BEGIN.read_text("utf-8").replace("MOVING", moving)
    begin = begin.replace("NETWORK", next(iter(networks.painters())))
    return "\n".join([f"<script>\n{begin}</script>", *links])


def snippet(name: str, depth: int = 0) -> str:
    """The HTML of an explorer.

    Parameters
    ----------
    name
        One of `TITLES`, or "predictions".
    depth
        In how many folders the page lies below the one that `export` was given.

    Raises
    ------
    KeyError
        There is no such explorer.
    """
    moving = "../" * depth + FOLDER
    sheet = f'<link rel="stylesheet" href="{moving}/moving.css">\n'
    if name == PREDICTIONS:
        return f'{sheet}<script type="module" src="{moving}/predictions.js"></script>\n'
    title = html.escape(TITLES[name], quote=True)
    return (
        f'<div class="nst-moving" data-explorer="{name}" role="group" aria-label="{title}">'
        f"<noscript>{title}. It moves where scripts are allowed.</noscript></div>\n"
        f'{sheet}<script type="module" src="{moving}/moving.js"></script>\n'
    )
