"""Who stands where: the contestants that no other dominates, and strengths from pairwise votes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PRIOR = 0.5  # wins and losses of everybody against an average contestant
ROUNDS, TOLERANCE = 10_000, 1e-10


def non_dominated(
    scores: Mapping[str, Sequence[float]], more_is_better: Sequence[bool]
) -> list[str]:
    """Return the names whose scores no other's are at least as good in all, and better in one.

    >>> non_dominated({"a": (1, 5), "b": (2, 4), "c": (2, 6)}, (False, False))
    ['a', 'b']
    """
    signs = [-1 if more else 1 for more in more_is_better]
    costs = {
        name: [sign * value for sign, value in zip(signs, each, strict=True)]
        for name, each in scores.items()
    }
    return [
        name
        for name, cost in costs.items()
        if not any(_dominates(other, cost) for other in costs.values())
    ]


def _dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and list(a) != list(b)


# --- votes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Vote:
    """One look at two pictures of the same content and style."""

    first: str
    second: str
    winner: str | None  # None: neither

    def __post_init__(self) -> None:
        if self.first == self.second:
            raise ValueError(f"a vote needs two contestants, got {self.first!r} twice")
        if self.winner not in (self.first, self.second, None):
            raise ValueError(
                f"the winner must be {self.first!r}, {self.second!r} or None, got {self.winner!r}"
            )


@dataclass(frozen=True)
class Rank:
    """What the votes say of one contestant."""

    name: str
    strength: float  # natural logarithm; the mean of all is 0
    error: float  # standard error of that
    votes: int

    def chance_against(self, other: Rank) -> float:
        """The probability, by the model, of being preferred to another contestant."""
        return 1 / (1 + math.exp(other.strength - self.strength))


def bradley_terry(votes: Iterable[Vote]) -> list[Rank]:
    """Return the contestants by strength, the strongest first.

    The model: i is preferred to j with probability πᵢ / (πᵢ + πⱼ) (Bradley & Terry 1952). The
    likelihood is maximised by Hunter's MM algorithm ("MM algorithms for generalized Bradley-Terry
    models", Annals of Statistics 2004, equation 3):

        πᵢ ← Wᵢ / Σⱼ [Nᵢⱼ / (πᵢ + πⱼ)],

    W being wins and N comparisons; a tie is half a win for each. A contestant who never lost would
    get an infinite strength, so that each also has half a win and half a loss against an average
    one, π = 1 (a weak prior). Errors are from the curvature of the logarithm of the likelihood; who
    was seen in few votes has a large one.

    >>> [rank.name for rank in bradley_terry([Vote("gram", "linear", "gram")])]
    ['gram', 'linear']

    Raises
    ------
    ValueError
        No votes.
    """
    votes = list(votes)
    if not votes:
        raise ValueError("there are no votes yet")
    names = sorted({name for vote in votes for name in (vote.first, vote.second)})
    wins, met = _counted(votes, names)
    pi = _strengths(wins, met)
    information = _information(pi, met)
    centre = np.eye(len(names)) - 1 / len(names)
    errors = np.sqrt(np.diag(centre @ np.linalg.inv(information) @ centre))
    logs = np.log(pi) - np.log(pi).mean()
    seen = met.sum(axis=1)
    order = sorted(range(len(names)), key=lambda i: (-logs[i], names[i]))
    return [Rank(names[i], float(logs[i]), float(errors[i]), round(seen[i])) for i in order]


def _counted(votes: list[Vote], names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Wins of each, and how often each met each."""
    place = {name: i for i, name in enumerate(names)}
    wins, met = np.zeros(len(names)), np.zeros((len(names), len(names)))
    for vote in votes:
        pair = place[vote.first], place[vote.second]
        met[pair] += 1
        met[pair[::-1]] += 1
        for name, i in zip((vote.first, vote.second), pair, strict=True):
            wins[i] += 0.5 if vote.winner is None else float(vote.winner == name)
    return wins, met


def _strengths(wins: np.ndarray, met: np.ndarray) -> np.ndarray:
    pi = np.ones(len(wins))
    for _ in range(ROUNDS):
        expected = (met / (pi[:, None] + pi)).sum(axis=1) + 2 * PRIOR / (pi + 1)
        new = (wins + PRIOR) / expected
        if np.abs(np.log(new / pi)).max() < TOLERANCE:
            return new
        pi = new
    return pi


def _information(pi: np.ndarray, met: np.ndarray) -> np.ndarray:
    """Minus the second derivatives of the logarithm of the posterior by log π."""
    weights = met * np.outer(pi, pi) / (pi[:, None] + pi) ** 2
    own = weights.sum(axis=1) + 2 * PRIOR * pi / (pi + 1) ** 2
    return np.diag(own) - weights
