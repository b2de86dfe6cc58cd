"""`nst denoise`: remove the noise from a picture that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from ..presets import DENOISERS, DENOISING_AREAS
from ..storage.atomic import save_under_free_name
from .options import (
    Bits,
    Dither,
    KeepAlpha,
    Overwrite,
    name_from,
    option,
    out_option,
    picture,
    with_default,
)
from .sources import check_files, opacity_of
from .terminal import choose_out, err, plain_errors
from .terminal import out as console

WHERE = "What is noise, and where"


def denoise(
    picture: Annotated[str, picture("PICTURE", "The result to clean")],
    out: Annotated[Path | None, out_option("results/PICTURE_denoised.png")] = None,
    method: Annotated[str, option("NAME", f"{', '.join(DENOISERS)}.")] = DENOISERS[0],
    strength: Annotated[
        str,
        option("NUMBER|auto", "Noise to remove in grey levels of 255; auto: two thirds of it."),
    ] = "auto",
    overwrite: Overwrite = False,
    guide: Annotated[
        str | None,
        option(
            "PICTURE",
            "Its content picture: where this is flat, noise is seen.",
            parser=name_from,
            panel=WHERE,
        ),
    ] = None,
    style: Annotated[
        str | None,
        option(
            "PICTURE",
            "Its style picture: what is as fine in this is not noise.",
            parser=name_from,
            panel=WHERE,
        ),
    ] = None,
    where: Annotated[
        str | None,
        option(
            "NAME",
            with_default(f"{' or '.join(DENOISING_AREAS)}.", "flat with --guide"),
            panel=WHERE,
        ),
    ] = None,
    bits: Bits = 8,
    dither: Dither = False,
    keep_alpha: KeepAlpha = False,
) -> None:
    """Remove fine noise from PICTURE, say a result of `nst stylize`."""
    with plain_errors() as ending:
        from ..images.catalog import find_image
        from ..images.reading import load_image, load_settings, save_image
        from ..noise.filters import denoise as run
        from ..noise.filters import find_strength
        from ..noise.strength import level_of

        amount = strength_from(strength)
        path = find_image(picture)
        image = load_image(path)
        content = None if guide is None else load_image(guide, max(image.shape[2:]), kind="content")
        painting = None
        if style is not None:  # never enlarged, as in stylize
            painting = load_image(style, max(image.shape[2:]), kind="style", enlarge=False)
        target = choose_out(
            out, f"{path.stem}_denoised", overwrite, bits=bits, dither=dither, opacity=keep_alpha
        )
        check_files({"--out": target}, {"PICTURE": [path], "--guide": [guide], "--style": [style]})
        amount = find_strength(image, method, content, amount, where, painting)
        opacity = opacity_of(path) if keep_alpha else None
        cleaned = run(image, method, content, amount, where)
        try:
            record = load_settings(path)
        except ValueError:  # a picture that is not ours
            record = {}
        record = {**record, "denoised": {"method": method, "strength": amount, "where": where}}
        form: dict[str, Any] = {"bits": bits, "dither": dither, "opacity": opacity}

        def save(path: Path, overwrite: bool) -> Path:
            return save_image(cleaned, path, record, overwrite=overwrite, **form)

        saved = save_under_free_name(save, target, overwrite)
        ending.interrupted = f"interrupted; {saved} is there"
        before, after = level_of(image, content), level_of(cleaned, content)
        err.print(
            f"noise {before:.2f} → {after:.2f} grey levels of 255; strength {amount:.2f}",
            markup=False,
        )
        console.print("the picture is", end=" ")
        console.print(str(saved), style="bold", markup=False, soft_wrap=True)


def strength_from(text: str) -> float | str:
    """ "auto" or a number; `denoise` says what it takes."""
    try:
        return float(text)
    except ValueError:
        return text


def spec_from(text: str | None) -> dict | str | None:
    """What `--denoise METHOD` or `--denoise METHOD:STRENGTH` stands for."""
    if text is None or ":" not in text:
        return text
    method, _, strength = text.partition(":")
    return {"method": method, "strength": strength_from(strength)}
