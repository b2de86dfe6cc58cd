"""The studio: the whole of `stylize`, to be turned by hand and watched."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import ipywidgets
from torch import Tensor

from ...checks import MOST_UPLOAD
from ...images.catalog import READABLE
from ...images.reading import check_can_save, load_image, save_image
from ...machine.openmp import dismiss_team
from ...optimize.result import Result
from ...storage.atomic import free_name
from .controls import Controls
from .page import alert, as_code, download, in_words, quiet, thumbnails
from .recipe import Picture, Recipe
from .screen import Screen
from .uploads import Uploads, files_of, safe_name
from .worker import Job


def under_voila() -> bool:
    """Whether this is a web page for visitors: they get files by download, and leave none here."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


@lru_cache(maxsize=1)
def seconds_per_megapixel() -> float:
    """Of one evaluation here, measured once."""
    from ...transfer.speed import seconds_per_evaluation
    from ...vgg.network import load_vgg19

    return seconds_per_evaluation(load_vgg19(), 256) / 0.256**2


class Studio(ipywidgets.VBox):
    """Choose pictures, turn the knobs, run, watch, compare, save, and take the code along.

    The optimisation runs in a background thread (`job`), a second one draws; the kernel stays free.
    `controls` holds the knobs, `recipe` what was last started, `result` what came out.

    Parameters
    ----------
    content, style, size, steps
        What the controls show at first.
    folder
        Where Save writes. None: nowhere here, for download only, and always so under Voilà.
    speed
        Seconds of one evaluation per megapixel, for the plan; None: measured, which takes seconds.
    """

    def __init__(
        self,
        content: str = "temple",
        style: str = "starry_night",
        size: int = 384,
        steps: int = 160,
        *,
        folder: str | Path | None = "results",
        speed: float | None = None,
    ):
        self.folder = None if folder is None or under_voila() else Path(folder)
        self.controls, self.screen = Controls(content, style, size, steps), Screen()
        self.uploads = Uploads()
        self.job: Job | None = None
        self.recipe: Recipe | None = None
        self.result: Result | None = None
        self.speed = speed
        self._watcher: threading.Thread | None = None
        self._shown = True  # what was started; nothing was
        self._buttons = threading.Lock()  # set by clicks and by the thread that watches a job
        super().__init__(self._laid_out())
        self.controls.on_change(self._prepare)
        self._prepare()
        self._enable()
        if speed is None:
            threading.Thread(target=self._measure, daemon=True).start()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(the studio: pictures, knobs, Run, Pause, Stop and Save, while a kernel runs)"

    @property
    def running(self) -> bool:
        """Whether something was started that is not over and shown yet."""
        return not self._shown

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until what was started is over and shown; return whether it is."""
        if self._watcher is not None:
            self._watcher.join(seconds)
        return self._watcher is None or not self._watcher.is_alive()

    # --- what is seen ------------------------------------------------------------------------

    def _laid_out(self) -> list[ipywidgets.Widget]:
        box, row, html = ipywidgets.VBox, ipywidgets.HBox, ipywidgets.HTML
        self.message, self.thumbnails, self.plan = html(), html(), html()
        self.saved, self.code = html(), html()
        self.run = self._button("Run", "primary", "Compute the picture", self._start)
        self.pause = self._button("Pause", "", "Wait, and go on later", self._pause_or_resume)
        self.stop = self._button("Stop", "", "End, and keep the best picture so far", self._stop)
        self.save = self._button("Save", "", "Save the picture as PNG", self._save)
        c = self.controls
        self.upload_content = self._upload("Upload a content", c.content)
        self.upload_style = self._upload("Upload a style", c.style)
        limit = html(quiet(f"Uploads: up to {MOST_UPLOAD / 1e6:.0f} MB each"))  # before one fails
        uploads = box([row([self.upload_content, self.upload_style]), limit])
        buttons = row([self.run, self.pause, self.stop, self.save])
        knobs = [c.mode, c.size, c.steps, c.style_weight, c.style_scale, c.more()]
        left = box(
            [c.content, c.style, uploads, self.thumbnails, *knobs, self.plan, buttons, self.saved],
            layout={"width": "400px", "flex": "0 0 auto"},
        )
        right = box(
            [self.screen, self.code],
            layout={"flex": "1 1 420px", "min_width": "0", "padding": "0 0 0 20px"},
        )
        return [self.message, row([left, right], layout={"flex_flow": "row wrap"})]

    def _button(self, name: str, style: str, tip: str, call) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=name, button_style=style, tooltip=tip, layout={"width": "92px"}
        )
        button.on_click(call)
        return button

    def _upload(self, name: str, chosen: ipywidgets.Dropdown) -> ipywidgets.FileUpload:
        upload = ipywidgets.FileUpload(
            description=name, accept=",".join(READABLE), multiple=False, layout={"width": "190px"}
        )
        upload.observe(lambda change: self._take_in(upload, chosen), "value")
        return upload

    def _enable(self) -> None:
        """Buttons that can be pressed now."""
        with self._buttons:  # whoever comes last sees how things stand last
            job = self.job if self.running else None
            self.run.disabled = job is not None
            self.pause.disabled = self.stop.disabled = job is None or job.stopping
            self.save.disabled = self.result is None
            self.pause.description = "Resume" if job is not None and job.paused else "Pause"

    # --- before a run ------------------------------------------------------------------------

    def _measure(self) -> None:
        try:
            self.speed = seconds_per_megapixel()
        except Exception as error:  # no weights, no memory: to be said in words
            self.message.value = alert(in_words(error))
        else:
            self._prepare()

    def _prepare(self, change=None) -> None:
        """Show the pictures that are chosen, and what a run would take."""
        pictures: tuple[Picture, ...] = ()
        try:
            recipe = self.controls.recipe()
            pictures = recipe.pictures
            plan = recipe.plan(self.speed)
            self.thumbnails.value = thumbnails(pictures)
        except (ValueError, OSError) as error:
            self.plan.value = alert(in_words(error, pictures))
            return
        if self.running:
            dismiss_team()  # that looking at pictures has gathered; it would slow down the job
        time = "" if self.speed else "time: being measured"
        self.plan.value = quiet(f"Plan: {plan}\n{time}".strip())
        if self.recipe is None:
            self.code.value = as_code(recipe, "These settings as code")

    def _take_in(self, upload: ipywidgets.FileUpload, chosen: ipywidgets.Dropdown) -> None:
        """Check an uploaded file, and choose it if it is good."""
        files = list(files_of(upload.value))
        if not files:
            return
        self.message.value = ""
        for sent, content in files:
            try:
                name = self.uploads.add(sent, content, self.controls.names)
            except (ValueError, OSError) as error:
                self.message.value = alert(str(error))
                continue
            if name != safe_name(sent):
                self.message.value = quiet(
                    f"There is another picture of the name {safe_name(sent)}: the one uploaded now "
                    f"is called {name} here."
                )
            self.controls.add(name, self.uploads.paths[name], chosen)
        if isinstance(upload.value, tuple):  # ipywidgets 8: the same file may come again
            upload.value = ()

    # --- a run -------------------------------------------------------------------------------

    def _start(self, button=None) -> None:
        if self.running:
            return
        self.message.value = self.saved.value = ""
        pictures: tuple[Picture, ...] = ()
        try:
            recipe = self.controls.recipe()
            pictures = recipe.pictures
            recipe = recipe.pinned()
            content = load_image(recipe.content.path, recipe.size)
            job = Job(recipe.run)
            job.start()
        except (ValueError, OSError, RuntimeError) as error:  # the last: no thread can be started
            self.message.value = alert(in_words(error, pictures))
            return
        self.recipe, self.result, self.job, self._shown = recipe, None, job, False
        self.code.value = as_code(recipe, "This picture as code")
        self.screen.begin(content)
        self._enable()
        self._watcher = threading.Thread(
            target=self._watch, args=(recipe, job, content), daemon=True
        )
        self._watcher.start()

    def _pause_or_resume(self, button=None) -> None:
        if self.running and self.job is not None:
            if self.job.paused:
                self.job.resume()
            else:
                self.job.pause()
            self.screen.tell(self.job)
            self._enable()

    def _stop(self, button=None) -> None:
        if self.job is not None:
            self.job.stop()
            self._enable()

    def _watch(self, recipe: Recipe, job: Job, content: Tensor) -> None:
        """Draw while the job works, and the result at its end. Runs in a thread."""
        try:
            self._draw(lambda: self.screen.follow(job))
            job.wait()  # also where nothing can be drawn
            self._conclude(recipe, job, content)
        finally:  # whatever happens, another run can be started
            self._shown = True
            self._enable()

    def _conclude(self, recipe: Recipe, job: Job, content: Tensor) -> None:
        """Show what came out, or why nothing did."""
        if job.error is not None:
            self.message.value = alert(in_words(job.error, recipe.pictures))
            self.screen.status.value = quiet("Ended by an error.")
        elif (result := job.result) is not None:
            result.seconds -= job.seconds_paused
            if result.stopped == "callback":
                self.recipe = recipe = replace(recipe, stop_after=len(job.history))
            self.code.value = as_code(recipe, "This picture as code")
            self._draw(lambda: self.screen.end(job, result, content))
            self.result = result

    def _draw(self, draw: Callable[[], None]) -> None:
        """Draw; an error is told and costs no more than the view, since nobody else catches it."""
        try:
            draw()
        except Exception as error:
            told = f"Nothing can be shown ({in_words(error)}). The picture is computed all the same"
            self.message.value = alert(f"{told}, and can be saved at the end.")

    def _save(self, button=None) -> None:
        """Write the picture with its settings, and offer it for download."""
        if self.result is None or self.recipe is None:
            return
        names = {"content": self.recipe.content.name, "style": [s.name for s in self.recipe.styles]}
        settings = {**self.result.settings, **names, "seconds": round(self.result.seconds, 1)}
        folder = self.folder or self.uploads.folder
        try:
            path = check_can_save(free_name(folder / f"{self.recipe.name}.png"))
            save_image(self.result.image, path, settings, overwrite=False)
            self.saved.value = download(path, self.folder is not None)
        except (ValueError, OSError) as error:
            self.message.value = alert(str(error))
