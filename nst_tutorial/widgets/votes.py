"""Which of two pictures is better? Blind votes, and the ranking they make."""

from __future__ import annotations

import html
from pathlib import Path

import ipywidgets

from .. import plots
from ..league.standing import Rank, Vote, bradley_terry
from ..league.votes import ballots, pictures_to_vote_on
from .components import Picture, PictureRow
from .still import beside, plain, still

SIDES = ("left", "right")
WORDS = {"left": "The left one", "right": "The right one", None: "Cannot say"}


class BlindVotes(ipywidgets.VBox):
    """Two pictures of one content and style without names; a button for each, and one for neither.

        voting = BlindVotes()
        save_votes(voting.votes, "votes.json")

    `votes` holds the votes so far. "Show the ranking" says who is who: from then on votes would not
    be blind, and the buttons are off.

    Parameters
    ----------
    folder
        Of pictures, as for `league.pictures_to_vote_on`; None: those that come with the course.
    seed
        Of the order of the pictures. Everybody in a class should take another.
    """

    def __init__(self, folder: str | Path | None = None, seed: int = 0):
        self.votes: list[Vote] = []
        self._ballots = ballots(pictures_to_vote_on(folder), seed)
        self.ballot = next(self._ballots)
        self.question = ipywidgets.HTML()
        self.row = PictureRow(("48%", "48%"))
        self.buttons = {
            side: ipywidgets.Button(description=words, layout={"width": "auto", "flex": "1 1 9em"})
            for side, words in WORDS.items()
        }
        for side, button in self.buttons.items():
            button.on_click(lambda _, side=side: self.choose(side))
        self.reveal = ipywidgets.Button(description="Show the ranking", disabled=True)
        self.reveal.on_click(lambda _: self.show_ranking())
        self.ranking = ipywidgets.HTML()
        wrap = {"flex_flow": "row wrap", "justify_content": "space-between"}
        order = [self.buttons[side] for side in ("left", None, "right")]
        super().__init__(
            [
                self.question,
                self.row,
                ipywidgets.HBox(order, layout=wrap),
                self.reveal,
                self.ranking,
            ]
        )
        self._show()

    def __repr__(self) -> str:  # what a page without a kernel shows in its place
        return "(two pictures to choose from; it moves while a kernel runs)"

    def _repr_mimebundle_(self, **kwargs) -> tuple[dict, dict]:
        """The widget, and beside it a still of the two pictures."""
        widget = super()._repr_mimebundle_(**kwargs)
        question = plain(self.question.value)
        alt = f"Two pictures side by side. {question}"
        figure = still([each["light"] for each in self.row.pictures], question, "", alt)
        return beside(widget, plots.to_bytes(figure, figure.kind), f"image/{figure.kind}", alt)

    def choose(self, side: str | None) -> None:
        """Vote for "left", "right" or None, neither, and go on to the next two."""
        self.votes.append(self.ballot.vote(side))
        self.ballot = next(self._ballots)
        self._show()

    def show_ranking(self) -> None:
        """Say what the votes say, and end the voting."""
        for button in self.buttons.values():
            button.disabled = True
        self.ranking.value = ranking_table(bradley_terry(self.votes))

    def _show(self) -> None:
        self.question.value = (
            f"<b>Which do you prefer?</b> {html.escape(self.ballot.pair)}. "
            f"Votes so far: {len(self.votes)}"
        )
        files = {side: getattr(self.ballot, side).read_bytes() for side in SIDES}
        self.row.show([Picture(data, alt=f"the {side} picture") for side, data in files.items()])
        self.reveal.disabled = not self.votes


def ranking_table(ranks: list[Rank]) -> str:
    """The ranking as an HTML table, with a standard error and the chance against the average."""
    rows = "".join(
        f"<tr><td>{i}</td><td>{html.escape(rank.name)}</td>"
        f"<td>{rank.strength:+.2f} ± {rank.error:.2f}</td>"
        f"<td>{100 * rank.chance_against(Rank('average', 0.0, 0.0, 0)):.0f} %</td>"
        f"<td>{rank.votes}</td></tr>"
        for i, rank in enumerate(ranks, start=1)
    )
    heads = ("", "contestant", "strength", "preferred to the average", "votes")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"<table><tr>{head}</tr>{rows}</table>"
