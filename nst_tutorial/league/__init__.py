"""A league of style transfers: a referee's measures, the standing, and people's votes.

The contestants play in `benchmarks/league.py`. `load_league()` is the one bundled with the course.
"""

from .measures import (
    Measures,
    correlation,
    edge_coherence,
    energy_distance,
    measure,
    relative_distance,
)
from .records import COLUMNS, MEASURES, League, Row, load_league
from .standing import Rank, Vote, bradley_terry, non_dominated
from .votes import Ballot, load_votes, pictures_to_vote_on, save_votes

__all__ = [
    "COLUMNS",
    "MEASURES",
    "Ballot",
    "League",
    "Measures",
    "Rank",
    "Row",
    "Vote",
    "bradley_terry",
    "correlation",
    "edge_coherence",
    "energy_distance",
    "load_league",
    "load_votes",
    "measure",
    "non_dominated",
    "pictures_to_vote_on",
    "relative_distance",
    "save_votes",
]
