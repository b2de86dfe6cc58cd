"""A league of style transfers: a referee's measures, the standing, and people's votes.

The contestants play in `benchmarks/league.py`. `load_league()` is the one bundled with the course.
"""

from .measures import (
    Measures,
    Referee,
    Way,
    correlation,
    edge_coherence,
    energy_distance,
    measure,
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
    "Referee",
    "Row",
    "Vote",
    "Way",
    "bradley_terry",
    "correlation",
    "edge_coherence",
    "energy_distance",
    "load_league",
    "load_votes",
    "measure",
    "non_dominated",
    "pictures_to_vote_on",
    "save_votes",
]
