"""What a texture network costs and what it gives: seconds against style distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .charts import STYLES
from .figure import COLORS, Figure, new_figure

MARKERS = ("o", "s", "^", "D", "v", "P")


def speed_and_quality(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    points: Mapping[str, tuple[float, float]],
    title: str = "Seconds for one picture, and how good it is",
) -> Figure:
    """Optimisations as curves, networks as points: (seconds, style distance), both logarithmic.

    Lower is better, further left is faster. A dotted line leads from each point to the right: where
    it crosses a curve, the optimisation is as good.
    """
    if not runs and not points:
        raise ValueError("there is nothing to compare")
    for name, (x, y) in runs.items():
        if len(x) != len(y) or not len(x):
            raise ValueError(f"the run {name!r} has {len(x)} times and {len(y)} distances")
    values = [v for pair in runs.values() for axis in pair for v in axis]
    if min([*values, *(v for point in points.values() for v in point)]) <= 0:
        raise ValueError("seconds and distances must be above 0 for logarithmic axes")
    told = [
        f"{name}: {y[0]:.3g} down to {min(y):.3g} in {x[-1]:.3g} s" for name, (x, y) in runs.items()
    ]
    told += [f"{name}: {y:.3g} in {x:.3g} s" for name, (x, y) in points.items()]
    figure = new_figure(f"{title}. {'; '.join(told)}", 7.5, 4.0)
    axis = figure.subplots()
    for i, (name, (x, y)) in enumerate(runs.items()):
        axis.plot(x, y, STYLES[i % len(STYLES)], color=COLORS[i % len(COLORS)], label=name)
    last = max([x[-1] for x, _ in runs.values()], default=None)
    for i, (name, (seconds, distance)) in enumerate(points.items(), start=len(runs)):
        color, marker = COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]
        axis.plot([seconds], [distance], marker, color=color, markersize=9, label=name)
        if last is not None and last > seconds:
            axis.plot([seconds, last], [distance, distance], ":", color=color, linewidth=1)
    axis.set(title=title, xlabel="seconds", ylabel="style distance", xscale="log", yscale="log")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
