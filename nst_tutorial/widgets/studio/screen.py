"""What is seen of a job: how far it is, the picture, its curves, and at the end the comparison."""

from __future__ import annotations

import io

import ipywidgets
import numpy as np
from PIL import Image
from torch import Tensor

from ... import plots
from ...images.resizing import fit
from ...optimize.result import Result
from ...tiling.planning import duration
from ..compare import Compare
from .page import quiet
from .worker import Job, Pace

LONGER = 520  # pixels of the longer side on the page
FRAMES = (0.6, 0.02)  # seconds between two, and their share of the time, see `Pace`
CURVES = (4.0, 0.02)


def frame(image: Tensor, longer: int = LONGER) -> bytes:
    """A picture as JPEG, its longer side about `longer` pixels: for looking at while it changes.

    By numpy, since torch's threads wait busily for more work, on cores that the optimisation needs.
    """
    pixels = image[0].detach().cpu().numpy()
    factor = max(1, max(pixels.shape[1:]) // longer)
    height, width = (side // factor for side in pixels.shape[1:])
    blocks = pixels[:, : height * factor, : width * factor]
    blocks = blocks.reshape(3, height, factor, width, factor).mean(axis=(2, 4))
    levels = np.clip(np.rint(255 * blocks), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels.transpose(1, 2, 0)).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


class Screen(ipywidgets.VBox):
    """Shows one job after another. All drawing is done by whoever calls `follow`."""

    def __init__(self) -> None:
        hidden = {"max_width": "100%", "display": "none"}
        self.progress = ipywidgets.FloatProgress(min=0, max=1, value=0, layout={"width": "98%"})
        self.status = ipywidgets.HTML(quiet("Choose two pictures and press Run."))
        self.picture = ipywidgets.Image(format="jpeg", layout=hidden)
        self.compare = Compare()
        self.compare.layout.display = "none"
        self.curves = ipywidgets.Image(format="png", layout=hidden)
        self.frames = 0  # drawn so far
        super().__init__([self.progress, self.status, self.picture, self.compare, self.curves])

    def begin(self, content: Tensor) -> None:
        """Show the content, as large as the result will be shown."""
        width, _ = fit(content.shape[3], content.shape[2], LONGER)
        self.picture.layout.width = self.compare.layout.width = f"{width}px"
        self.picture.value = frame(content)
        self._uncover(self.picture)
        self.status.value = quiet("loading the network, looking at the pictures …")
        self.progress.value = 0

    def follow(self, job: Job) -> None:
        """Draw now and then until the job is done."""
        frames, curves = Pace(*FRAMES), Pace(*CURVES)
        drawn = None
        while not job.done:
            job.wait_for_news(0.5)
            progress = job.latest
            if progress is None or progress is drawn:
                continue
            if frames.due or job.paused:
                with frames.once():
                    picture = progress.unclamped.cpu()  # clamped by `frame`
                    if np.isfinite(picture.numpy()).all():  # else it is rolled back
                        self.picture.value = frame(picture)
                        self.frames += 1
                    self.tell(job)
                drawn = progress
            if curves.due and len(job.history) > 1:  # one evaluation is no curve
                with curves.once():
                    self._draw_curves(job)

    def tell(self, job: Job) -> None:
        """Say how far it is."""
        p = job.latest
        if p is None or job.done:
            return
        seconds = p.seconds - job.seconds_paused
        left = duration(seconds * (1 - p.fraction) / p.fraction)
        state = "paused: " if job.paused else ""
        self.status.value = quiet(
            f"{state}evaluation {p.evaluation} of {p.steps} at {max(p.size)} px, loss "
            f"{p.total:.3g}, {seconds:.0f} s; about {left} left"
        )
        self.progress.value = p.fraction

    def end(self, job: Job, result: Result, content: Tensor) -> None:
        """Show what came out, beside the content."""
        why = {"callback": "Stopped", "no improvement": "Ended, as it got no better,"}
        how = why.get(result.stopped or "", "Done")
        self.status.value = quiet(
            f"{how} after {len(job.history)} evaluations, {duration(result.seconds)}"
        )
        self.progress.value = 1
        self.compare.show(content, result.image)
        self._uncover(self.compare)
        self._draw_curves(job)

    def _draw_curves(self, job: Job) -> None:
        if job.latest is None:  # no evaluation yet
            return
        figure = plots.loss_curves(list(job.history), job.latest.term_weights)
        self.curves.value = plots.to_bytes(figure)
        self.curves.layout.display = None

    def _uncover(self, wanted: ipywidgets.Widget) -> None:
        for each in (self.picture, self.compare):
            each.layout.display = None if each is wanted else "none"
