from collections import Counter
from itertools import islice

import pytest
import torch

from nst_tutorial import save_image
from nst_tutorial.league import Ballot, Vote, load_votes, pictures_to_vote_on, save_votes
from nst_tutorial.league.votes import ballots
from nst_tutorial.widgets import BlindVotes

NAMES = ("gram", "linear", "nnst")


@pytest.fixture
def folder(tmp_path):
    for pair in ("cat-waves", "dog-glass"):
        (tmp_path / pair).mkdir()
        for name in NAMES:
            save_image(torch.rand(1, 3, 8, 8), tmp_path / pair / f"{name}.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not a pair")
    return tmp_path


def test_every_pair_of_pictures_comes_once_before_any_comes_again(folder):
    drawn = list(islice(ballots(pictures_to_vote_on(folder), 0), 12))
    looks = Counter((b.pair, frozenset((b.left.stem, b.right.stem))) for b in drawn[:6])
    assert len(looks) == 6
    assert set(looks.values()) == {1}
    again = Counter((b.pair, frozenset((b.left.stem, b.right.stem))) for b in drawn[6:])
    assert again == looks
    assert all(b.left.parent == b.right.parent for b in drawn)


def test_sides_and_order_depend_on_the_seed_alone(folder):
    pairs = pictures_to_vote_on(folder)
    first, same, other = (list(islice(ballots(pairs, seed), 6)) for seed in (1, 1, 2))
    assert first == same != other


def test_neither_side_is_preferred(folder):
    drawn = islice(ballots(pictures_to_vote_on(folder), 0), 3000)
    left = Counter(b.left.stem for b in drawn)
    assert all(900 < left[name] < 1100 for name in NAMES)


def test_a_vote_names_the_side_that_was_chosen(folder):
    ballot = Ballot("cat-waves", folder / "cat-waves/gram.png", folder / "cat-waves/nnst.png")
    assert ballot.vote("right") == Vote("gram", "nnst", "nnst")
    assert ballot.vote(None) == Vote("gram", "nnst", None)
    with pytest.raises(ValueError, match="got 'up'"):
        ballot.vote("up")


def test_votes_of_a_class_are_put_together(tmp_path):
    first, second = [Vote("a", "b", "a")], [Vote("b", "c", None), Vote("a", "c", "c")]
    paths = [save_votes(v, tmp_path / f"{i}.json") for i, v in enumerate((first, second))]
    assert load_votes(paths) == first + second
    assert load_votes(paths[0]) == first


@pytest.mark.parametrize("text", ["{", "[1]", '[{"first": "a", "second": "a", "winner": null}]'])
def test_a_file_without_votes_is_told_by_name(tmp_path, text):
    path = tmp_path / "votes.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="votes.json holds no votes"):
        load_votes(path)


def test_what_systems_leave_in_folders_is_no_picture(folder):
    before = pictures_to_vote_on(folder)
    (folder / "cat-waves" / "._gram.png").write_bytes(b"")
    (folder / "cat-waves" / "folder.png").mkdir()
    (folder / ".ipynb_checkpoints").mkdir()
    for name in ("a.png", "b.png"):
        (folder / ".ipynb_checkpoints" / name).write_bytes(b"")
    assert pictures_to_vote_on(folder) == before
    (folder / "cat-waves" / "gram.jpg").write_bytes(b"")
    with pytest.raises(ValueError, match="cat-waves has two pictures of one contestant's name"):
        pictures_to_vote_on(folder)


def test_a_folder_without_pairs(tmp_path):
    with pytest.raises(ValueError, match="nothing to vote on"):
        pictures_to_vote_on(tmp_path)
    with pytest.raises(OSError, match="nowhere"):
        pictures_to_vote_on(tmp_path / "nowhere")


def test_the_widget_counts_clicks_and_shows_no_name_before_the_end(folder):
    voting = BlindVotes(folder, seed=3)
    assert voting.reveal.disabled
    assert not voting.votes
    for side in ("left", "right", None):
        asked = voting.ballot
        shown = [(picture["light"], picture["alt"]) for picture in voting.row.pictures]
        assert shown == [
            (asked.left.read_bytes(), "the left picture"),
            (asked.right.read_bytes(), "the right picture"),
        ]
        voting.buttons[side].click()
        assert voting.votes[-1] == asked.vote(side)
        assert not any(name in voting.question.value for name in NAMES)
    assert "Votes so far: 3" in voting.question.value
    voting.reveal.click()
    assert all(name in voting.ranking.value for name in {v.first for v in voting.votes})
    assert all(button.disabled for button in voting.buttons.values())
