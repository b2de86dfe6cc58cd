"""What is seen of a job: how far it is, the picture, its curves, and at the end the comparison."""

from __future__ import annotations

import io

import ipywidgets
import numpy as np
from PIL import Image
from torch import Tensor

from ... import plots
from ...images.resizing import shape_of
from ...optimize.result import Result
from ...tiling.planning import duration
from ..components import CompareView, PictureRow
from ..drawings import drawn
from ..live import to_jpeg
from .page import Fold, ProgressBar, quiet
from .recipe import Recipe
from .worker import Job, Pace

LONGER = 520  # pixels of the longer side of a frame, while the picture changes
FRAMES = (0.6, 0.02)  # seconds between two, and their share of the time, see `Pace`
CURVES = (4.0, 0.02)
WHY = {"callback": "Stopped", "no improvement": "Ended, as it got no better,"}


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


class Screen:
    """Shows one job after another. All drawing is done by whoever calls `follow`.

    Its parts have their places on the page: `view` the picture, `progress` and `status` how far it
    is, `curves` the losses, folded.
    """

    def __init__(self) -> None:
        self.view = CompareView()
        self.progress = ProgressBar()
        self.status = ipywidgets.HTML(quiet("Choose two pictures and press Run."))
        self.curves = PictureRow(["auto"])
        self.folded_curves = Fold("Losses", [self.curves])
        self.folded_curves.layout.display = "none"
        self.frames = 0  # drawn so far

    def preview(self, content: Tensor, name: str) -> None:
        """Show a content, of which nothing was made yet."""
        self.view.finished = False
        self.view.alt_after = f"{name}, the photograph"
        self.view.show(frame(content), shape_of(content))
        self.folded_curves.layout.display = "none"

    def begin(self, content: Tensor, recipe: Recipe) -> None:
        """Show the content, which is the picture so far."""
        self.view.finished = False
        self._describe(recipe)
        small = frame(content)
        self.view.show(small, shape_of(content), before=small)
        self.status.value = quiet("loading the network, looking at the pictures …")
        self.progress.fraction = 0.0

    def follow(self, job: Job) -> None:
        """Draw now and then until the job is done."""
        frames, curves = Pace(*FRAMES), Pace(*CURVES)
        shown = None
        while not job.done:
            job.wait_for_news(0.5)
            progress = job.latest
            if progress is None or progress is shown:
                continue
            if frames.due or job.paused:
                with frames.once():
                    picture = progress.unclamped.cpu()  # clamped by `frame`
                    if np.isfinite(picture.numpy()).all():  # else it is rolled back
                        self.view.after = frame(picture)
                        self.frames += 1
                    self.tell(job)
                shown = progress
            if curves.due and len(job.history) > 1:  # one evaluation is no curve
                with curves.once():
                    self._draw_curves(job.history, progress.term_weights)

    def tell(self, job: Job) -> None:
        """Say how far it is."""
        p = job.latest
        if p is None or job.done:
            return
        seconds = p.seconds - job.seconds_paused
        left = duration(seconds * (1 - p.fraction) / p.fraction)
        state = "paused: " if job.paused else ""
        self.status.value = quiet(
            f"{state}evaluation {p.evaluation} of {p.steps} at {max(p.size)} px; about {left} left"
        )
        self.progress.fraction = p.fraction

    def end(self, result: Result, content: Tensor, recipe: Recipe) -> None:
        """Show what came out, over the content."""
        how = WHY.get(result.stopped or "", "Done")
        evaluations = len(result.history)
        self.status.value = quiet(
            f"{how} after {evaluations} evaluations, {duration(result.seconds)}"
        )
        if result.stopped != "callback":  # else the bar stays where it was
            self.progress.fraction = 1.0
        self._describe(recipe)
        self.view.show(to_jpeg(result.image), shape_of(result.image), before=to_jpeg(content))
        self.view.finished = True
        if len(result.history) > 1:
            self._draw_curves(result.history, result.term_weights)

    def _describe(self, recipe: Recipe) -> None:
        styles = " and ".join(style.name for style in recipe.styles)
        self.view.alt_before = f"{recipe.content.name}, the photograph"
        self.view.alt_after = f"{recipe.content.name} in the manner of {styles}"

    def _draw_curves(self, history: list[dict], weights) -> None:
        self.curves.show([drawn(plots.loss_curves(list(history), weights))])
        self.folded_curves.layout.display = None
