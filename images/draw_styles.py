"""Draw three styles that belong to this project: stained glass, woodcut waves, confetti dots.

    python images/draw_styles.py
    python images/draw_styles.py --size 3072 --to results

The first writes them into images/style, 720 pixels wide; the second at any width into any folder.
Every stroke comes from a seeded generator and is measured in units of the small picture, so the
pictures are the same wherever the script runs, and at any size. Shapes are drawn three times as
large and reduced, a band of rows at a time.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.spatial import KDTree

UNITS, OVERSAMPLING = (720, 540), 3
CANVAS = (UNITS[0] * OVERSAMPLING, UNITS[1] * OVERSAMPLING)
SMALLEST, LARGEST = 64, 16_384  # pixels wide
BAND = 256  # rows that are drawn at a time
SUPPORT = 3  # rows on either side that Lanczos looks at


class Canvas:
    """Shapes in units of `CANVAS`, drawn at any size, one over the other."""

    def __init__(self, background: tuple[int, int, int], size: tuple[int, int]) -> None:
        self.background, self.size = background, size
        self.scale = size[0] / UNITS[0]
        self.shapes: list[tuple[str, np.ndarray, tuple[int, ...]]] = []

    def polygon(self, points: Iterable[tuple[float, float]], fill: tuple[int, ...]) -> None:
        self._add("polygon", list(points), fill)

    def ellipse(self, x: float, y: float, radius: float, fill: tuple[int, ...]) -> None:
        self._add("ellipse", [(x - radius, y - radius), (x + radius, y + radius)], fill)

    def _add(self, kind: str, points: list[tuple[float, float]], fill: tuple[int, ...]) -> None:
        corners = (self.scale * np.asarray(points)).astype(int)  # as Pillow cuts them off
        self.shapes.append((kind, corners, fill))

    def picture(self) -> Image.Image:
        picture = Image.new("RGB", self.size)
        for top in range(0, self.size[1], BAND):
            picture.paste(self._band(top, min(self.size[1], top + BAND)), (0, top))
        return picture

    def _band(self, top: int, bottom: int) -> Image.Image:
        """The rows from `top` to `bottom`, reduced from those around them."""
        width, height = self.size
        first, last = max(0, top - SUPPORT), min(height, bottom + SUPPORT)
        begin, end = OVERSAMPLING * first, OVERSAMPLING * last
        large = Image.new("RGB", (OVERSAMPLING * width, end - begin), self.background)
        draw = ImageDraw.Draw(large)
        for kind, corners, fill in self.shapes:
            if corners[:, 1].max() >= begin and corners[:, 1].min() < end:
                points = [(int(x), int(y) - begin) for x, y in corners]
                getattr(draw, kind)(points, fill=fill)
        rows = (OVERSAMPLING * top - begin, OVERSAMPLING * bottom - begin)
        box = (0, rows[0], large.width, rows[1])
        return large.resize((width, bottom - top), Image.Resampling.LANCZOS, box=box)


def stained_glass(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A Voronoi diagram around a rising sun, leaded in black, each pane a little uneven."""
    width, height = UNITS
    rings = []
    for ring, count in enumerate((1, 7, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66)):
        angle = np.arange(count) * 2 * np.pi / count + 0.31 * ring
        radius = 44 * ring + rng.normal(0, 4, count)
        rings.append(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))
    seeds = np.concatenate(rings) + np.array([width * 0.56, height * 0.46])
    seeds += rng.normal(0, 5, seeds.shape)
    warm = np.array([[250, 196, 48], [238, 136, 32], [214, 58, 38], [160, 24, 52]])
    cool = np.array([[92, 36, 108], [28, 62, 150], [20, 122, 162], [34, 140, 104], [12, 40, 92]])
    reach = np.hypot(*(seeds - [width * 0.56, height * 0.46]).T)
    colours = np.where(
        (reach < 165)[:, None],
        warm[np.clip((reach / 44 + rng.uniform(-0.4, 0.4, len(seeds))).astype(int), 0, 3)],
        cool[rng.integers(0, len(cool), len(seeds))],
    ).astype(float)
    colours *= rng.uniform(0.8, 1.15, (len(seeds), 1))
    unevenness = _unevenness(rng, size)
    tree, scale = KDTree(seeds), size[0] / width
    picture = Image.new("RGB", size)
    for top in range(0, size[1], BAND):
        streaks = unevenness[top : top + BAND, :, None]
        y, x = np.mgrid[top : top + len(streaks), 0 : size[0]]
        places = np.stack([x, y], axis=-1) + 0.5
        distances, panes = tree.query(places / scale - 0.5, k=2)
        first, second = distances[..., :1], distances[..., 1:]
        glow = 1.12 - 0.3 * np.clip(first / 40, 0, 1)
        glass = colours[panes[..., 0]] * glow * (1 + 0.6 * streaks)
        edge = 4.0 + 1.25 * (1 - 1 / scale)  # of the lead: as sharp in pixels at any size
        lead = np.clip((second - first - edge) * scale / 2.5, 0, 1)
        rim = np.clip((second - first - 8.0) / 5.0, 0, 1)
        band = (24 + 40 * streaks) * (1 - lead) + glass * lead * (0.72 + 0.28 * rim)
        picture.paste(Image.fromarray(np.clip(band, 0, 255).astype(np.uint8)), (0, top))
    return picture


def _unevenness(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Of glass, about -0.1..0.1: noise in cells of 6 pixels, with finer ones in a larger picture.

    Each doubling of the size adds an octave of half the strength, from a generator of its own.
    """
    columns, rows = UNITS[0] // 6, UNITS[1] // 6
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(1 + max(0, int(np.log2(size[0] / UNITS[0])))):
        generator = rng if octave == 0 else np.random.default_rng((1, octave))
        cells = generator.integers(0, 256, (rows << octave, columns << octave)).astype(np.uint8)
        smooth = Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)
        total += (np.asarray(smooth, np.float32) / 1280 - 0.1) / 2**octave
    return total


def woodcut_waves(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Rolling waves cut with a gouge: dark lines that swell and thin along every swell."""
    canvas = Canvas((236, 224, 196), size)
    width, height = CANVAS
    x = np.linspace(-60, width + 60, 700)
    inks = [(22, 44, 84), (36, 78, 118), (22, 44, 84), (178, 66, 46)]
    sun = (width * 0.74, height * 0.2, height * 0.13)
    for turn in range(11):
        r = sun[2] * (1 - turn / 11)
        canvas.ellipse(sun[0], sun[1], r, (188, 62, 42) if turn % 2 == 0 else (236, 200, 150))
    for swell in range(9):
        base = height * (0.3 + 0.085 * swell)
        length = width / (1.3 + 0.35 * swell) * rng.uniform(0.85, 1.2)
        phase, tall = rng.uniform(0, 2 * np.pi), height * 0.055 * (1 + 0.12 * swell)
        t = 2 * np.pi * x / length + phase
        crest = base - tall * (np.sin(t) + 0.35 * np.sin(2 * t + 0.9))
        body = [*zip(x, crest, strict=True), (width + 60, height + 60), (-60, height + 60)]
        canvas.polygon(body, (236, 224, 196))
        for line in range(13):
            depth = line * height * 0.0125
            drift = 0.13 * line
            y = (
                base
                + depth
                - tall
                * np.exp(-0.07 * line)
                * (np.sin(t + drift) + 0.35 * np.sin(2 * t + 0.9 + 1.6 * drift))
            )
            swelling = 0.55 + 0.45 * np.sin(t * 1.0 + 0.9 * line + phase)
            thick = OVERSAMPLING * (0.6 + 3.2 * swelling * np.exp(-0.05 * line))
            y = y + np.cumsum(rng.normal(0, 0.12, len(x)))
            ink = inks[0] if line == 0 else inks[(line + swell) % 3]
            edge = [*zip(x, y - thick, strict=True)], [*zip(x, y + thick, strict=True)]
            canvas.polygon(edge[0] + edge[1][::-1], ink)
        for _ in range(26):  # foam: short red and pale cuts on the crest
            at = rng.integers(20, len(x) - 20)
            r = OVERSAMPLING * rng.uniform(1.2, 3.4)
            cx, cy = x[at], crest[at] - OVERSAMPLING * rng.uniform(-2, 10)
            canvas.ellipse(cx, cy, r, inks[3] if r > 8 else inks[1])
    return canvas.picture()


def confetti_dots(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """Pointillism: hills under a low sun in round dabs of unmixed colour, large to small."""
    canvas = Canvas((242, 226, 190), size)
    width, height = CANVAS
    palettes = [
        np.array([[252, 214, 120], [246, 176, 92], [250, 232, 178], [232, 140, 120]]),
        np.array([[74, 140, 196], [120, 178, 214], [238, 214, 170], [150, 130, 190]]),
        np.array([[40, 120, 90], [96, 160, 70], [204, 196, 70], [30, 84, 120]]),
        np.array([[196, 60, 60], [232, 112, 60], [120, 40, 90], [64, 110, 60]]),
    ]

    def zone(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = x / width, y / height
        far = 0.42 + 0.07 * np.sin(5.2 * u + 0.4)
        near = 0.68 + 0.1 * np.sin(3.1 * u + 2.2)
        return np.where(v < 0.2 + 0.05 * u, 0, np.where(v < far, 1, np.where(v < near, 2, 3)))

    for radius, count in ((22, 3500), (11, 7000), (7.5, 12000), (5, 16000)):
        x, y = rng.uniform(0, width, count), rng.uniform(0, height, count)
        zones = zone(x + rng.normal(0, 40, count), y + rng.normal(0, 40, count))
        choice = rng.integers(0, 4, count)
        shade = rng.normal(0, 12, (count, 3))
        sizes = radius * OVERSAMPLING / 2 * rng.uniform(0.75, 1.25, count)
        for i in range(count):
            colour = np.clip(palettes[zones[i]][choice[i]] + shade[i], 0, 255).astype(int)
            canvas.ellipse(x[i], y[i], sizes[i], tuple(int(c) for c in colour))
    return canvas.picture()


def draw_styles(folder: Path, width: int = UNITS[0]) -> list[Path]:
    """Write the three of them, `width` pixels wide and three quarters as high."""
    if not SMALLEST <= width <= LARGEST:
        raise ValueError(f"--size must be {SMALLEST} to {LARGEST} pixels, got {width}")
    size = (width, round(width * UNITS[1] / UNITS[0]))
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for seed, draw in enumerate((stained_glass, woodcut_waves, confetti_dots), start=1):
        paths.append(folder / f"{draw.__name__}.jpg")
        draw(np.random.default_rng(seed), size).save(paths[-1], quality=92)
    return paths


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Draw the styles that belong to this project.")
    parser.add_argument("--size", type=int, default=UNITS[0], help="pixels of the longer side")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="default: images/style")
    options = parser.parse_args(arguments)
    try:
        folder = options.to or Path(__file__).resolve().parent / "style"
        for path in draw_styles(folder, options.size):
            print(path.name)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
