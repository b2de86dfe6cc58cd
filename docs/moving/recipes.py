"""The explorers of the course whose answers are finite, as the notebooks call them."""

from __future__ import annotations

from nst_tutorial import widgets

from .answers import Recipe

RECIPES = {
    "inversion": Recipe(widgets.inversion_explorer),
    "gram": Recipe(widgets.gram_explorer),
    "kernel": Recipe(widgets.kernel_explorer),
    "balance": Recipe(widgets.balance_explorer),
}
