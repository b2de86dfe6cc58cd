"""The studio: the whole of `stylize`, to be turned by hand and watched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import ipywidgets
from torch import Tensor
from traitlets import TraitError

from ...images.reading import load_image
from ...machine.openmp import dismiss_team
from ...optimize.result import Result
from ..components import PicturePicker, ResultStrip
from ..components.compare_view import FILMS, FORMATS
from ..still import beside
from .controls import Controls
from .delivery import filmed, new_film, offer_films, write_film, write_masks, write_picture
from .knobs import PAINTED
from .layout import button, laid_out
from .page import alert, as_code, in_words, plan_in_words, quiet
from .recipe import Picture, Recipe
from .screen import Screen, frame
from .shelf import Shelf
from .surroundings import seconds_per_megapixel, under_voila
from .uploads import Uploads, safe_name, too_large
from .worker import Job

PREVIEW = 900  # pixels of a content that is looked at
STILL = (
    "Still of the studio. On the left a temple, a divider across it: left of it the photograph, "
    "right of it the painting; below, buttons to download it and the results so far. On the right "
    "pictures to choose content and style from, buttons such as Subtle and Wild, and knobs, style "
    "weight and stroke size first. At the bottom Run, Pause and Stop, a bar, and the plan."
)


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
        self.uploads, self.shelf = Uploads(), Shelf()
        self.job: Job | None = None
        self.recipe: Recipe | None = None
        self.result: Result | None = None
        self.film = new_film()
        self.speed = speed
        self._seen: Picture | None = None  # the content that was chosen last
        self._watcher: threading.Thread | None = None
        self._shown = True  # what was started; nothing was
        self._buttons = threading.Lock()  # set by clicks and by the thread that watches a job
        html = ipywidgets.HTML
        self.message, self.plan, self.saved, self.code = html(), html(), html(), html()
        self.run = button("Run", "Compute the picture", self._start, "primary")
        self.pause = button("Pause", "Wait, and go on later", self._pause_or_resume)
        self.stop = button("Stop", "End, and keep the best picture so far", self._stop)
        self.save = button("Save", f"Write the picture into {self.folder}", self._save)
        self.reset = button("Reset the knobs", "Everything as at first", self._reset)
        self.strip = ResultStrip(self.restore)
        self.screen.view.deliver = self._file
        offer_films(self.screen.view)
        for picker in (self.controls.content, self.controls.style):
            picker.take, picker.refuse = partial(self._take_in, picker), self._refuse
        super().__init__(laid_out(self))
        self.add_class("nst-studio")
        self.controls.on_change(self._prepare)
        self._prepare()
        self._enable()
        if speed is None:
            threading.Thread(target=self._measure, daemon=True).start()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(the studio: pictures, knobs, Run, Pause, Stop and Save, while a kernel runs)"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """The studio, and beside it a stored still: before the first run there is little to see."""
        image = files(__package__).joinpath("still.jpg").read_bytes()
        return beside(super()._repr_mimebundle_(**kwargs), image, "image/jpeg", STILL)

    @property
    def running(self) -> bool:
        """Whether something was started that is not over and shown yet."""
        return not self._shown

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until what was started is over and shown; return whether it is."""
        if self._watcher is not None:
            self._watcher.join(seconds)
        return self._watcher is None or not self._watcher.is_alive()

    # --- before a run ------------------------------------------------------------------------

    def _enable(self) -> None:
        """Buttons that can be pressed now."""
        with self._buttons:  # whoever comes last sees how things stand last
            job = self.job if self.running else None
            self.run.disabled = job is not None
            self.pause.disabled = self.stop.disabled = job is None or job.stopping
            self.save.disabled = self.result is None
            self.pause.description = "Resume" if job is not None and job.paused else "Pause"

    def _measure(self) -> None:
        try:
            self.speed = seconds_per_megapixel()
        except Exception as error:  # no weights, no memory: to be said in words
            self.message.value = alert(in_words(error))
        else:
            self._prepare()

    def _prepare(self) -> None:
        """Show the content that is chosen, and what a run would take."""
        pictures: tuple[Picture, ...] = ()
        try:
            recipe = self.controls.recipe()
            pictures = recipe.pictures
            if recipe.content != self._seen:
                self._seen = recipe.content
                if not self.running:  # else it is for the next run
                    self._look_at(recipe.content)
            self.plan.value = plan_in_words(recipe.plan(self.speed), self.running)
        except (ValueError, OSError) as error:
            self.plan.value = alert(in_words(error, pictures))
            return
        if self.running:
            dismiss_team()  # that looking at pictures has gathered; it would slow down the job
        if self.recipe is None:
            self.code.value = as_code(recipe, "These settings as code")

    def _look_at(self, content: Picture) -> None:
        """Show a picture of which nothing was made yet; results stay in the strip."""
        self.screen.preview(load_image(content.path, PREVIEW, enlarge=False), content.name)
        self.recipe, self.result = None, None
        self.strip.chosen = -1
        self._enable()

    def _take_in(self, chosen: PicturePicker, sent: str, content: bytes) -> None:
        """Check an uploaded file, and choose it if it is good."""
        self.message.value = ""
        try:
            name = self.uploads.add(sent, content, self.controls.names)
        except (ValueError, OSError) as error:
            self.message.value = alert(str(error))
            return
        if name != safe_name(sent):
            self.message.value = quiet(
                f"There is another picture of the name {safe_name(sent)}: the one uploaded now "
                f"is called {name} here."
            )
        self.controls.add(name, self.uploads.paths[name], chosen)

    def _refuse(self, sent: str, why: int | str) -> None:
        """Say why a file did not come: its size, or the browser's words."""
        name = safe_name(sent)
        told = too_large(name, why) if isinstance(why, int) else f"{name}: cannot be read ({why})"
        self.message.value = alert(told)

    def _reset(self, button: object = None) -> None:
        self.controls.reset()

    # --- a run -------------------------------------------------------------------------------

    def _start(self, button=None) -> None:
        if self.running:
            return
        self.message.value = self.saved.value = ""
        pictures: tuple[Picture, ...] = ()
        try:
            recipe = self.controls.recipe()
            pictures = recipe.pictures
            if self.controls.regions.value == PAINTED:
                recipe = self.controls.painted.with_masks(recipe, self.uploads.folder)
            recipe = recipe.pinned()
            content = load_image(recipe.content.path, recipe.size)
            film = new_film()
            job = Job(filmed(recipe, film))
            job.start()
        except (ValueError, OSError, RuntimeError) as error:  # the last: no thread can be started
            self.message.value = alert(in_words(error, pictures))
            return
        self.recipe, self.result, self.job, self._shown = recipe, None, job, False
        self.film = film
        self._seen = recipe.content
        self.code.value = as_code(recipe, "This picture as code")
        self.screen.begin(content, recipe)
        self.strip.chosen = -1
        self._prepare()
        self._enable()
        self._watcher = threading.Thread(
            target=self._watch, args=(recipe, job, content, self.controls.values()), daemon=True
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

    def _watch(self, recipe: Recipe, job: Job, content: Tensor, knobs: dict) -> None:
        """Draw while the job works, and the result at its end. Runs in a thread."""
        try:
            self._draw(lambda: self.screen.follow(job))
            job.wait()  # also where nothing can be drawn
            self._conclude(recipe, job, content, knobs)
        finally:  # whatever happens, another run can be started
            self._shown = True
            self._prepare()
            self._enable()

    def _conclude(self, recipe: Recipe, job: Job, content: Tensor, knobs: dict) -> None:
        """Show what came out, or why nothing did."""
        if job.error is not None:
            self.message.value = alert(in_words(job.error, recipe.pictures))
            self.screen.status.value = quiet("Ended by an error.")
        elif (result := job.result) is not None:
            result.seconds -= job.seconds_paused
            if result.stopped == "callback":
                self.recipe = recipe = replace(recipe, stop_after=len(job.history))
            self.code.value = as_code(recipe, "This picture as code")
            self.result = result  # before the view offers to download it
            self._draw(lambda: self._keep(recipe, knobs, content, result))
            self._draw(lambda: self.screen.end(result, content, recipe))
            self.screen.view.filmed = bool(self.film.evaluations)

    def _keep(self, recipe: Recipe, knobs: dict, content: Tensor, result: Result) -> None:
        """Put a result into the strip."""
        key = self.shelf.keep(recipe, knobs, content, result, self.film)
        styles = " + ".join(style.name for style in recipe.styles)
        label = f"{recipe.content.name} × {styles}, {recipe.size} px"
        item = {"key": key, "label": label, "picture": frame(result.image, 160)}
        with self.strip.hold_sync():
            self.strip.items = [i for i in self.strip.items if i["key"] in set(self.shelf)] + [item]
            self.strip.chosen = key

    def restore(self, key: int) -> None:
        """Show an earlier result, and let the knobs stand as they stood then."""
        if self.running:
            self.message.value = quiet("Earlier results can be looked at when the run is over.")
            return
        kept = self.shelf[key]
        self.message.value = self.saved.value = ""
        self._seen = kept.recipe.content
        try:
            self.controls.turn_to(kept.knobs)
        except TraitError as error:  # a picture that was deleted meanwhile
            self.message.value = alert(str(error))
        self.recipe, self.result = kept.recipe, kept.result
        self.film = kept.film
        self.code.value = as_code(kept.recipe, "This picture as code")
        self.screen.progress.fraction = 0.0
        self.screen.end(kept.result, kept.content.float() / 255, kept.recipe)
        self.screen.view.filmed = bool(self.film.evaluations)
        self.strip.chosen = key
        self._enable()

    def _draw(self, draw: Callable[[], None]) -> None:
        """Draw; an error is told and costs no more than the view, since nobody else catches it."""
        try:
            draw()
        except Exception as error:
            told = f"Nothing can be shown ({in_words(error)}). The picture is computed all the same"
            self.message.value = alert(f"{told}, and can be saved at the end.")

    # --- files -------------------------------------------------------------------------------

    def _save(self, button: object = None) -> None:
        """Write the picture with its settings into the folder of results."""
        if self.result is None or self.recipe is None or self.folder is None:
            return
        try:
            path = write_picture(self.recipe, self.result, self.folder, ".png")
            masks = write_masks(self.recipe, self.folder)
        except (ValueError, OSError) as error:
            self.message.value = alert(str(error))
        else:
            beside = f", its {len(masks)} masks beside it" if masks else ""
            self.saved.value = quiet(f"Saved as {path}{beside}.")

    def _file(self, kind: str) -> tuple[str, bytes] | None:
        """The picture or its film to be downloaded: name and bytes; None if there is none."""
        if self.result is None or self.recipe is None:
            return None
        folder, suffix = self.uploads.folder, FORMATS[kind]
        try:
            if kind in FILMS:
                path = write_film(self.recipe, self.result, self.film, folder, suffix)
            else:
                path = write_picture(self.recipe, self.result, folder, suffix)
            content = path.read_bytes()
            path.unlink()  # nothing is left here
        except (ValueError, OSError) as error:
            self.message.value = alert(str(error))
            return None
        return f"{self.recipe.name}{suffix}", content
