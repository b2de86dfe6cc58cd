"""Lines and bars for any named numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import NullFormatter

from .figure import COLORS, Figure, new_figure

STYLES = ("-", "--", "-.", ":")  # with the colours: lines are told apart in print, too


def lines(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    title: str,
    xlabel: str,
    ylabel: str,
    *,
    log: bool = False,
    log_x: bool = False,
    markers: bool = False,
) -> Figure:
    """Curves of a name, each (x, y), in one pair of axes; x may be words.

    `log`, `log_x`: a logarithmic y or x axis. `markers`: a dot at each value, for few of them.
    """
    if not curves:
        raise ValueError("there are no curves to show")
    for name, (x, y) in curves.items():
        if len(x) != len(y) or not len(x):
            raise ValueError(f"the curve {name!r} has {len(x)} x and {len(y)} y")
    told = [f"{name} from {y[0]:.3g} to {y[-1]:.3g}" for name, (_, y) in curves.items()]
    figure = new_figure(f"Lines, {title}: {'; '.join(told)}", 7.5, 3.6)
    axis = figure.subplots()
    for i, (name, (x, y)) in enumerate(curves.items()):
        style = STYLES[i // len(COLORS) if markers else i % len(STYLES)]
        marker = "o" if markers else None
        axis.plot(x, y, style, color=COLORS[i % len(COLORS)], marker=marker, label=name)
    axis.set(title=title, xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    if log_x:
        axis.set_xscale("log")
        ticks = sorted({value for x, _ in curves.values() for value in x})
        axis.set_xticks(ticks, [f"{value:g}" for value in ticks])
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def bars(
    series: Mapping[str, Mapping[str, float]],
    title: str,
    xlabel: str,
    *,
    log: bool = False,
    mark: tuple[float, str] | None = None,
) -> Figure:
    """Bars lying side by side: for each label one of each series, the number at its end.

    `mark` is a value and its name, drawn as a dotted line.
    """
    labels = list(dict.fromkeys(label for values in series.values() for label in values))
    if not labels:
        raise ValueError("there are no bars to show")
    told = [
        f"{name}: " + ", ".join(f"{label} {value:.3g}" for label, value in values.items())
        for name, values in series.items()
    ]
    height = 0.32 * len(labels) * max(1.0, 0.6 * len(series)) + 1.1
    figure = new_figure(f"Bars, {title}. {'; '.join(told)}", 7.5, height)
    axis = figure.subplots()
    thick = 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        y = [labels.index(label) + (i - (len(series) - 1) / 2) * thick for label in values]
        drawn = axis.barh(y, list(values.values()), 0.92 * thick, color=COLORS[i], label=name)
        numbers = [f"{value:.3g}" for value in values.values()]
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
        axis.bar_label(drawn, numbers, padding=4, fontsize=8, bbox=behind)
    axis.set(title=title, xlabel=xlabel, xscale="log" if log else "linear")
    axis.set(yticks=range(len(labels)), yticklabels=labels)
    axis.invert_yaxis()
    axis.margins(x=0.12)
    if mark is not None:
        axis.axvline(mark[0], color="black", linestyle=":", zorder=1.5, label=mark[1])
    if len(series) > 1 or mark is not None:
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
