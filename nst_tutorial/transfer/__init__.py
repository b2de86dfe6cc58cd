"""The main job, and its halves: style transfer, textures, reconstructions, the trade-off."""

from .builder import choose_model, make_objective
from .masks import EMPTY, at_layer, at_layers, check_mask, fit_masks, load_mask, shares
from .options import check_optimizer, check_settings, denoise_options, narrowest_side, settings_from
from .pareto import Point, trade_off
from .provenance import how_much_and_where, identity, record
from .speed import seconds_per_evaluation
from .style_transfer import stylize
from .styles import (
    StyleSource,
    as_list,
    check_regions,
    normalized_mix,
    recolored,
    scales_of,
    style_names,
    style_sources,
)
from .textures import OPTIONS, noise, reconstruct, synthesize_texture

__all__ = [
    "EMPTY",
    "OPTIONS",
    "Point",
    "StyleSource",
    "as_list",
    "at_layer",
    "at_layers",
    "check_mask",
    "check_optimizer",
    "check_regions",
    "check_settings",
    "choose_model",
    "denoise_options",
    "fit_masks",
    "how_much_and_where",
    "identity",
    "load_mask",
    "make_objective",
    "narrowest_side",
    "noise",
    "normalized_mix",
    "recolored",
    "reconstruct",
    "record",
    "scales_of",
    "seconds_per_evaluation",
    "settings_from",
    "shares",
    "style_names",
    "style_sources",
    "stylize",
    "synthesize_texture",
    "trade_off",
]
