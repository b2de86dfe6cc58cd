import pytest
import torch

from nst_tutorial.widgets import optimizer_explorer
from nst_tutorial.widgets.explorers.optimize import (
    BEHIND,
    BOTTOM,
    EVALUATIONS,
    FREE,
    TOLD,
    VALLEYS,
    WALL,
    least,
    walk,
)


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NST_CACHE", str(tmp_path))


def ends(path, place, distance=1e-3):
    return float((path[-1] - torch.tensor(place, dtype=path.dtype)).norm()) < distance


def test_descent_by_hand():
    path, losses = walk("gradient descent", 0.5, 0, FREE, "round")  # 2 · ½ = 1: there at once
    assert path[1].tolist() == list(BOTTOM)
    assert losses[:2] == [1.0, 0.0]
    path, _ = walk("gradient descent", 0.1, 0, FREE, "slanting")
    gradient = torch.tensor(VALLEYS["slanting"]).double() @ (path[0] - torch.tensor(BOTTOM))
    torch.testing.assert_close(path[1], path[0] - 0.1 * gradient)


def test_a_rate_beyond_two_over_the_curvature_leaves_the_valley():
    steepest = float(torch.linalg.eigvalsh(torch.tensor(VALLEYS["slanting"]))[-1])
    assert 0.2 < 2 / steepest < 0.3
    for rate, nearer in ((0.2, True), (0.3, False)):
        path, _ = walk("gradient descent", rate, 0, FREE, "slanting")
        away = (path - torch.tensor(BOTTOM)).norm(dim=1)
        assert bool(away[-1] < away[1]) is nearer
    path, _ = walk("gradient descent", 0.5, 0, FREE, "slanting")
    assert len(path) < EVALUATIONS  # thrown out


def test_pairs_make_the_difference_in_a_slanting_valley():
    slow, _ = walk("gradient descent", 0.2, 0, FREE, "slanting")
    one, _ = walk("L-BFGS", 1.0, 1, FREE, "slanting")
    two, losses = walk("L-BFGS", 1.0, 2, FREE, "slanting")
    assert not ends(slow, BOTTOM)
    assert ends(two, BOTTOM)
    assert not torch.equal(one, two)
    assert min(losses) < 1e-9


def test_clamping_behind_its_back_breaks_lbfgs_and_a_wall_does_not():
    best = least("slanting", BEHIND)
    assert best == pytest.approx(0.025, rel=1e-3)  # at (1, 0.2)
    path, losses = walk("L-BFGS", 1.0, 20, BEHIND, "slanting")
    assert path.min() >= 0
    assert path.max() <= 1
    assert min(losses) < 2 * best
    assert losses[-1] > max(losses[0], 10 * best)  # it has walked away, to above its start,
    assert path[-1].tolist() == path[-10].tolist() == [1, 1]  # and freezes in the corner
    path, losses = walk("L-BFGS", 1.0, 20, WALL, "slanting")
    assert losses[-1] < 1.2 * best
    assert ends(path, (1.0, 0.2), 0.1)


def test_whoever_remembers_no_places_may_be_clamped():
    for method, length in (("gradient descent", 0.2), ("Adam", 0.1)):
        behind, told = (walk(method, length, 0, walls, "slanting") for walls in (BEHIND, TOLD))
        assert torch.equal(behind[0], told[0])
    _, losses = walk("gradient descent", 0.2, 0, BEHIND, "slanting")
    assert losses[-1] < 1.05 * least("slanting", BEHIND)
    assert not torch.equal(
        *(walk("L-BFGS", 1.0, 20, w, "slanting")[0][:12] for w in (BEHIND, TOLD))
    )


def test_without_walls_the_lowest_loss_is_none():
    assert least("round", FREE) == 0
    assert least("round", BEHIND) == pytest.approx(0.25)  # at (1, 0.5)


def test_the_explorer_keeps_the_walk_before_on_the_same_axes():
    explorer = optimizer_explorer()
    controls = explorer.controls
    controls["before"].value = False
    alone = explorer.pictures[0].light
    controls["length"].value = 0.3
    controls["before"].value = True
    assert explorer.error is None
    both = explorer.pictures[0].light
    controls["before"].value = False
    assert explorer.pictures[0].light != both
    controls["length"].value = 1.0
    assert explorer.pictures[0].light == alone  # back where it was
    assert "best" in explorer.words.value


def test_the_history_matters_to_lbfgs_alone():
    explorer = optimizer_explorer()
    controls = explorer.controls
    controls["before"].value = False
    controls["method"].value = "Adam"
    assert controls["history"].disabled
    before = [picture.light for picture in explorer.pictures]
    controls["history"].value = 1
    assert [picture.light for picture in explorer.pictures] == before
    controls["method"].value = "L-BFGS"
    assert not controls["history"].disabled
    few = explorer.pictures[0].light
    controls["history"].value = 20
    assert explorer.pictures[0].light != few


@pytest.mark.slow
def test_every_setting_is_answered():
    explorer = optimizer_explorer()
    controls = explorer.controls
    for valley in VALLEYS:
        controls["valley"].value = valley
        for walls in controls["walls"].options:
            controls["walls"].value = walls
            assert explorer.error is None, explorer.words.value
    controls["method"].value = "gradient descent"
    controls["length"].value = 1.5  # thrown out
    assert explorer.error is None
    assert "it left these surroundings" in explorer.words.value
