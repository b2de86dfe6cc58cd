"""Removing fine grain from a picture after the optimisation, in a second or a few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..checks import check_choice, check_number, check_pictures
from ..presets import DENOISING_AREAS
from .level import GREY, at_least_single, flat_regions, flatness
from .poisson import screened_poisson
from .strength import least_strength, visible_grain
from .strips import in_strips

FAINTEST = 0.001 / GREY  # noise in 0..1 that is none: files of 16 bits a channel round more away


def denoise(
    image: Tensor,
    method: str = "bilateral",
    guide: Tensor | None = None,
    strength: float | str = "auto",
    where: str | None = None,
    style: Tensor | None = None,
) -> Tensor:
    """Return the picture with less noise.

    >>> import nst_tutorial as nst
    >>> noise = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    >>> noisy = 0.5 + 10 / 255 * noise
    >>> nst.noise_level(denoise(noisy)) < nst.noise_level(noisy) / 3
    True

    Parameters
    ----------
    image
        (1, 3, H, W), sRGB, 0..1.
    method
        A name from `FILTERS`.
    guide
        The content picture, of the same size: it tells where there should be nothing, and "guided"
        and "poisson" take the edges from it.
    strength
        The noise to be removed, in grey levels of 255: its standard deviation. 0 changes nothing.
        "auto": the least that leaves a third of the grain, or as little as the guide has, in the
        flat regions of the guide or, without one, of the image; see `level_to_reach`.
    where
        "flat": only where the guide is flat, since there the eye sees noise, and texture elsewhere
        keeps its statistics; "everywhere". None: "flat" with a guide, else "everywhere".
    style
        The style picture, in the size in which it was used. What is as fine in its own flat regions
        is brushwork and not noise: "auto" then takes off only what the image has beyond it.

    Returns
    -------
    Tensor
        (1, 3, H, W), 0..1, in the dtype and on the device of `image`.

    Raises
    ------
    ValueError
        No picture, values that are not finite, a guide of another size or none where one is needed,
        a strength below 0, an unknown name.
    """
    _check(image, method, guide, where, style)
    strength = find_strength(image, method, guide, strength, where, style)
    dtype = image.dtype
    image = at_least_single(image.detach()).clamp(0, 1)
    guide = None if guide is None else guide.detach().to(image)
    sigma = strength / GREY
    if sigma < FAINTEST:
        return image.to(dtype)
    smooth = FILTERS[method](image, guide, sigma).to(image).clamp_(0, 1)
    if guide is not None and where != "everywhere":  # image + flatness · (smooth - image), in place
        smooth.sub_(image).mul_(flatness(guide)).add_(image)
    return smooth.to(dtype)


def find_strength(
    image: Tensor,
    method: str = "bilateral",
    guide: Tensor | None = None,
    strength: float | str = "auto",
    where: str | None = None,
    style: Tensor | None = None,
) -> float:
    """Return the strength that `denoise` uses, in grey levels, for the same arguments."""
    _check(image, method, guide, where, style)
    if not isinstance(strength, str):
        return check_number("strength", strength, most=GREY)
    check_choice("a strength that is no number", strength, ("auto",))
    image = at_least_single(image.detach()).clamp(0, 1)
    guide = None if guide is None else guide.detach().to(image)
    least = least_strength(image, FILTERS[method], guide, style)
    if method == "guided" and guide is not None and least > 0:
        # With less, the guide's own grain would be edges, and leave specks
        return max(least, visible_grain(guide, flat_regions(guide)))
    return least


def _check(
    image: Tensor, method: str, guide: Tensor | None, where: str | None, style: Tensor | None
) -> None:
    check_choice("method", method, FILTERS)
    pictures = {"image": image, "guide": guide, "style": style}
    check_pictures({name: picture for name, picture in pictures.items() if picture is not None})
    if guide is not None and guide.shape != image.shape:
        sizes = ["×".join(map(str, p.shape[:1:-1])) for p in (guide, image)]
        raise ValueError("guide must have the size of the image: {} is not {}".format(*sizes))
    if where is not None:
        check_choice("where", where, DENOISING_AREAS)
    if guide is None and (where == "flat" or method in NEED_GUIDE):
        what = f"method {method}" if method in NEED_GUIDE else "where='flat'"
        raise ValueError(f"{what} needs a guide: the content picture, of the same size")


# --- the methods: picture, guide and the noise's standard deviation in 0..1 → smoother picture ----


def _total_variation(image: Tensor, guide: Tensor | None, sigma: float) -> Tensor:
    """Rudin, Osher & Fatemi 1992, by Chambolle's algorithm (2004)."""
    from skimage.restoration import denoise_tv_chambolle

    smoothed = denoise_tv_chambolle(
        _array(image), weight=1.5 * sigma, channel_axis=-1, max_num_iter=50
    )
    return _picture(smoothed)


def _bilateral(image: Tensor, guide: Tensor | None, sigma: float) -> Tensor:
    """Tomasi & Manduchi 1998: a mean of the neighbours that have a like colour."""
    from kornia.filters import bilateral_blur

    def blur(strip: Tensor) -> Tensor:
        return bilateral_blur(strip, (7, 7), 7 * sigma, (2.0, 2.0), color_distance_type="l2")

    return in_strips(blur, image, reach=3)


def _non_local_means(image: Tensor, guide: Tensor | None, sigma: float) -> Tensor:
    """Buades, Coll & Morel 2005: a mean of the pixels that have like surroundings."""
    from skimage.restoration import denoise_nl_means

    smoothed = denoise_nl_means(
        _array(image),
        patch_size=5,
        patch_distance=5,
        h=2 * sigma,
        sigma=1.3 * sigma,
        channel_axis=-1,
    )
    return _picture(smoothed)


def _guided(image: Tensor, guide: Tensor, sigma: float) -> Tensor:
    """He, Sun & Tang 2010: around each pixel a linear function of the guide's brightness."""
    from kornia.filters import guided_blur

    def blur(guide: Tensor, image: Tensor) -> Tensor:
        return guided_blur(guide.mean(dim=1, keepdim=True), image, 5, sigma**2)

    return in_strips(blur, guide, image, reach=4)  # 2 of the means, and 2 of those they are of


def _poisson(image: Tensor, guide: Tensor, sigma: float) -> Tensor:
    """Bhat et al. 2008: the picture's colours, the guide's gradients."""
    return screened_poisson(image, guide, GREY * sigma)


FILTERS: dict[str, Callable[[Tensor, Any, float], Tensor]] = {
    "bilateral": _bilateral,
    "total-variation": _total_variation,
    "non-local-means": _non_local_means,
    "guided": _guided,
    "poisson": _poisson,
}
NEED_GUIDE = ("guided", "poisson")


def _array(image: Tensor):
    """(1, 3, H, W) → an array (H, W, 3), as scikit-image wants it."""
    return image[0].permute(1, 2, 0).cpu().numpy()


def _picture(array) -> Tensor:
    return torch.from_numpy(array).permute(2, 0, 1)[None]
