"""Draw three styles that belong to this project: stained glass, woodcut waves, confetti dots.

    python images/draw_styles.py

writes them into images/style. Every stroke comes from a seeded generator, so the pictures are the
same wherever the script runs. Shapes are drawn three times as large and reduced at the end.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SIZE, OVERSAMPLING = (720, 540), 3
CANVAS = (SIZE[0] * OVERSAMPLING, SIZE[1] * OVERSAMPLING)


def stained_glass(rng: np.random.Generator) -> Image.Image:
    """A Voronoi diagram around a rising sun, leaded in black, each pane a little uneven."""
    width, height = SIZE
    rings = []
    for ring, count in enumerate((1, 7, 12, 18, 24, 30, 36, 42, 48, 54, 60, 66)):
        angle = np.arange(count) * 2 * np.pi / count + 0.31 * ring
        radius = 44 * ring + rng.normal(0, 4, count)
        rings.append(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))
    seeds = np.concatenate(rings) + np.array([width * 0.56, height * 0.46])
    seeds += rng.normal(0, 5, seeds.shape)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    distance = np.sqrt((x[..., None] - seeds[:, 0]) ** 2 + (y[..., None] - seeds[:, 1]) ** 2)
    order = np.argsort(distance, axis=-1)[..., :2]
    first, second = np.take_along_axis(distance, order, -1).transpose(2, 0, 1)
    cell = order[..., 0]
    warm = np.array([[250, 196, 48], [238, 136, 32], [214, 58, 38], [160, 24, 52]])
    cool = np.array([[92, 36, 108], [28, 62, 150], [20, 122, 162], [34, 140, 104], [12, 40, 92]])
    reach = np.hypot(*(seeds - [width * 0.56, height * 0.46]).T)
    colours = np.where(
        (reach < 165)[:, None],
        warm[np.clip((reach / 44 + rng.uniform(-0.4, 0.4, len(seeds))).astype(int), 0, 3)],
        cool[rng.integers(0, len(cool), len(seeds))],
    ).astype(float)
    colours *= rng.uniform(0.8, 1.15, (len(seeds), 1))
    noise = Image.fromarray(rng.integers(0, 256, (height // 6, width // 6)).astype(np.uint8))
    streaks = np.asarray(noise.resize(SIZE, Image.Resampling.BICUBIC), dtype=float) / 1280 - 0.1
    glow = 1.12 - 0.3 * np.clip(first / 40, 0, 1)
    panes = colours[cell] * glow[..., None] * (1 + 0.6 * streaks[..., None])
    lead = np.clip((second - first - 4.0) / 2.5, 0, 1)[..., None]
    rim = np.clip((second - first - 8.0) / 5.0, 0, 1)[..., None]
    picture = (24 + 40 * streaks[..., None]) * (1 - lead) + panes * lead * (0.72 + 0.28 * rim)
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def woodcut_waves(rng: np.random.Generator) -> Image.Image:
    """Rolling waves cut with a gouge: dark lines that swell and thin along every swell."""
    picture = Image.new("RGB", CANVAS, (236, 224, 196))
    draw = ImageDraw.Draw(picture)
    width, height = CANVAS
    x = np.linspace(-60, width + 60, 700)
    inks = [(22, 44, 84), (36, 78, 118), (22, 44, 84), (178, 66, 46)]
    sun = (width * 0.74, height * 0.2, height * 0.13)
    for turn in range(11):
        r = sun[2] * (1 - turn / 11)
        box = [sun[0] - r, sun[1] - r, sun[0] + r, sun[1] + r]
        draw.ellipse(box, fill=(188, 62, 42) if turn % 2 == 0 else (236, 200, 150))
    for swell in range(9):
        base = height * (0.3 + 0.085 * swell)
        length = width / (1.3 + 0.35 * swell) * rng.uniform(0.85, 1.2)
        phase, tall = rng.uniform(0, 2 * np.pi), height * 0.055 * (1 + 0.12 * swell)
        t = 2 * np.pi * x / length + phase
        crest = base - tall * (np.sin(t) + 0.35 * np.sin(2 * t + 0.9))
        body = [*zip(x, crest, strict=True), (width + 60, height + 60), (-60, height + 60)]
        draw.polygon(body, fill=(236, 224, 196))
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
            draw.polygon(edge[0] + edge[1][::-1], fill=ink)
        for _ in range(26):  # foam: short red and pale cuts on the crest
            at = rng.integers(20, len(x) - 20)
            r = OVERSAMPLING * rng.uniform(1.2, 3.4)
            cx, cy = x[at], crest[at] - OVERSAMPLING * rng.uniform(-2, 10)
            draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=inks[3] if r > 8 else inks[1])
    return picture.resize(SIZE, Image.Resampling.LANCZOS)


def confetti_dots(rng: np.random.Generator) -> Image.Image:
    """Pointillism: hills under a low sun in round dabs of unmixed colour, large to small."""
    picture = Image.new("RGB", CANVAS, (242, 226, 190))
    draw = ImageDraw.Draw(picture)
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
            box = [x[i] - sizes[i], y[i] - sizes[i], x[i] + sizes[i], y[i] + sizes[i]]
            draw.ellipse(box, fill=tuple(int(c) for c in colour))
    return picture.resize(SIZE, Image.Resampling.LANCZOS)


def main() -> None:
    folder = Path(__file__).resolve().parent / "style"
    for seed, draw in enumerate((stained_glass, woodcut_waves, confetti_dots), start=1):
        path = folder / f"{draw.__name__}.jpg"
        draw(np.random.default_rng(seed)).save(path, quality=92)
        print(path.name)


if __name__ == "__main__":
    main()
