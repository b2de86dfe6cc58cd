"""Who worked on what, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .figure import COLORS, Figure, new_figure

Span = tuple[float, float, str]  # begin and end in seconds, and what was done


def timeline(
    workers: Mapping[str, Sequence[Span]],
    title: str,
    marks: Sequence[tuple[float, str]] = (),
) -> Figure:
    """A line for each worker, with a bar for each of its tasks.

    `marks` are moments with a name, drawn as dotted lines.
    """
    spans = [span for lane in workers.values() for span in lane]
    if not spans:
        raise ValueError("there are no tasks to show")
    if any(end < begin for begin, end, _ in spans):
        raise ValueError("a task ends before it begins")
    last = max(end for _, end, _ in spans)
    told = [f"{name} {len(lane)}" for name, lane in workers.items()]
    alt = f"Timeline, {title}: tasks of each worker: {', '.join(told)}; all done at {last:.3g} s"
    alt += "".join(f"; {name} at {when:.3g} s" for when, name in marks)
    figure = new_figure(alt, 8.5, 0.42 * len(workers) + 1.2)
    axis = figure.subplots()
    for row, lane in enumerate(workers.values()):
        for begin, end, label in lane:
            axis.barh(row, end - begin, 0.75, left=begin, color=COLORS[row % 6],
                      edgecolor="white", alpha=0.85)  # fmt: skip
            if label and end - begin > 0.02 * len(label) * last:
                axis.text((begin + end) / 2, row, label, ha="center", va="center", fontsize=8,
                          color="white")  # fmt: skip
    for (when, name), style in zip(marks, (":", "--", "-.", "-"), strict=False):
        axis.axvline(when, color="black", linestyle=style, label=name)
    axis.set(title=title, xlabel="seconds", yticks=range(len(workers)), yticklabels=list(workers))
    axis.set_xlim(min(0.0, *(begin for begin, _, _ in spans)), 1.02 * last)
    axis.invert_yaxis()
    axis.spines[["top", "right"]].set_visible(False)
    if marks:
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
