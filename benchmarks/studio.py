"""What watching costs: the studio against the same `stylize` in the main thread, nobody watching.

    python benchmarks/studio.py                    # 256 px, 5 rounds of 40 evaluations
    python benchmarks/studio.py --size 512 --rounds 3

Both take turns. Printed: seconds of one evaluation of each (medians of the rounds) and their ratio,
frames a second, the longest time without a frame, and how long Stop took in evaluations.
"""

import argparse
import itertools
import statistics
import time

import nst_tutorial as nst
from nst_tutorial.widgets import Studio


def evaluations_per_round(rows: list[dict]) -> float:
    """Seconds of one evaluation, from the first to the last, so without what comes before."""
    return (rows[-1]["seconds"] - rows[0]["seconds"]) / (len(rows) - 1)


def alone(size: int, steps: int) -> float:
    content = nst.load_image("temple", size)
    style = nst.load_image("starry_night", size, enlarge=False)
    return evaluations_per_round(nst.stylize(content, style, steps=steps).history)


class Times:
    """When each frame came."""

    def __init__(self, studio: Studio):
        self.at: list[float] = []
        studio.screen.picture.observe(lambda change: self.at.append(time.monotonic()), "value")

    def longest_gap(self) -> float:
        running = self.at[1:]  # the first is the content, before the network looks at the pictures
        return max((b - a for a, b in itertools.pairwise(running)), default=0.0)


def watched(size: int, steps: int) -> tuple[float, float, float]:
    """Seconds of one evaluation, frames a second, the longest time without a frame."""
    studio = Studio(size=size, steps=steps, folder=None, speed=1.0)
    times = Times(studio)
    studio.run.click()
    studio.wait()
    rows = studio.result.history
    begin = times.at[0]
    running = [t for t in times.at[1:] if t <= begin + studio.result.seconds]
    return evaluations_per_round(rows), len(running) / studio.result.seconds, times.longest_gap()


def stop(size: int) -> tuple[int, float]:
    """Evaluations that ended after Stop was pressed, and the seconds until the job was done."""
    studio = Studio(size=size, steps=1000, folder=None, speed=1.0)
    studio.run.click()
    while studio.job.latest is None or studio.job.latest.evaluation < 5:
        time.sleep(0.01)
    before, begin = len(studio.job.history), time.monotonic()
    studio.stop.click()
    studio.job.wait()
    seconds = time.monotonic() - begin
    studio.wait()
    return len(studio.job.history) - before, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    alone(given.size, 3), watched(given.size, 3)  # weights, allocator, fonts
    bare, seen, rates, gaps = [], [], [], []
    for _ in range(given.rounds):
        bare.append(alone(given.size, given.steps))
        each, rate, gap = watched(given.size, given.steps)
        seen.append(each), rates.append(rate), gaps.append(gap)
    one, two = statistics.median(bare), statistics.median(seen)
    more, seconds = stop(given.size)
    print(f"{given.size} px: {one:.3f} s alone, {two:.3f} s in the studio, ratio {two / one:.3f}")
    print(f"{statistics.median(rates):.2f} frames a second, at most {max(gaps):.2f} s without one")
    print(f"Stop: {more} evaluation(s) more, {seconds:.2f} s")


if __name__ == "__main__":
    main()
