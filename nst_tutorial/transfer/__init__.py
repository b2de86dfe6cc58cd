"""The main job, and its halves: style transfer, textures, reconstructions, the trade-off."""

from .builder import choose_model, make_objective
from .masks import DARK, EMPTY, at_layer, at_layers, check_mask, fit_masks, load_mask, shares
from .options import NAMES, Options, check_settings, chosen_options, settings_from, takes_settings
from .pareto import Point, trade_off
from .provenance import identity, record, record_transfer
from .request import Request, check_style_scale, request_transfer, room_for_pairs
from .scene import Objectives, Scene, noise, prepare, uniform_noise
from .speed import seconds_per_evaluation
from .style_transfer import finish, settings_and_start, stylize, warn_if_too_large
from .styles import (
    StyleSource,
    as_list,
    check_regions,
    recolored,
    scales_of,
    style_names,
    style_sources,
)
from .textures import OPTIONS, reconstruct, synthesize_texture

__all__ = [
    "DARK",
    "EMPTY",
    "NAMES",
    "OPTIONS",
    "Objectives",
    "Options",
    "Point",
    "Request",
    "Scene",
    "StyleSource",
    "as_list",
    "at_layer",
    "at_layers",
    "check_mask",
    "check_regions",
    "check_settings",
    "check_style_scale",
    "choose_model",
    "chosen_options",
    "finish",
    "fit_masks",
    "identity",
    "load_mask",
    "make_objective",
    "noise",
    "prepare",
    "recolored",
    "reconstruct",
    "record",
    "record_transfer",
    "request_transfer",
    "room_for_pairs",
    "scales_of",
    "seconds_per_evaluation",
    "settings_and_start",
    "settings_from",
    "shares",
    "style_names",
    "style_sources",
    "stylize",
    "synthesize_texture",
    "takes_settings",
    "trade_off",
    "uniform_noise",
    "warn_if_too_large",
]
