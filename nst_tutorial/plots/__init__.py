"""The figures of the notebooks: one function each, each returns a matplotlib Figure.

The figures belong to no window and no global state. In a notebook they show themselves, with an
alternative text for readers who do not see them.
"""

from .at_scale import timeline
from .balance import exchange_rates, norms_by_layer, two_parabolas
from .beyond_gram import one_channel_textures, shift_maps, sorted_samples
from .charts import bars, lines
from .drift import differences, totals
from .features import boxes, feature_maps, filters, gradient_fields, small_tensors
from .figure import COLORS, DPI, new_figure, to_bytes
from .kernels import kernel_blocks, permutation_tests, point_sets
from .league import league_front, league_table
from .limits import amplified_grain, noise_front, noise_report, power_spectra, tile_windows
from .losses import front, gradient_norms, loss_curves
from .optimize import descent_paths, race, scaling
from .photographs import color_clouds, matched_regions, regions
from .pictures import image_grid, image_row, show
from .sheets import contact_sheet
from .statistics import gram_matrices
from .style import channel_maps, distance_table, maps, spectra, written_out
from .texture_networks import speed_and_quality

__all__ = [
    "COLORS",
    "DPI",
    "amplified_grain",
    "bars",
    "boxes",
    "channel_maps",
    "color_clouds",
    "contact_sheet",
    "descent_paths",
    "differences",
    "distance_table",
    "exchange_rates",
    "feature_maps",
    "filters",
    "front",
    "gradient_fields",
    "gradient_norms",
    "gram_matrices",
    "image_grid",
    "image_row",
    "kernel_blocks",
    "league_front",
    "league_table",
    "lines",
    "loss_curves",
    "maps",
    "matched_regions",
    "new_figure",
    "noise_front",
    "noise_report",
    "norms_by_layer",
    "one_channel_textures",
    "permutation_tests",
    "point_sets",
    "power_spectra",
    "race",
    "regions",
    "scaling",
    "shift_maps",
    "show",
    "small_tensors",
    "sorted_samples",
    "spectra",
    "speed_and_quality",
    "tile_windows",
    "timeline",
    "to_bytes",
    "totals",
    "two_parabolas",
    "written_out",
]
