import math
from dataclasses import replace

import pytest
import torch

from nst_tutorial.optimize import checkpoint
from nst_tutorial.texture_networks import training
from nst_tutorial.texture_networks.checkpoint import FORMAT
from nst_tutorial.texture_networks.generator import Generator
from nst_tutorial.texture_networks.objective import style_distance
from nst_tutorial.texture_networks.training import DivergedError, rate_at, train_generator
from nst_tutorial.vgg.network import VGG19

LAYERS = ("relu1_1", "relu2_1")


@pytest.fixture(scope="module")
def stripes():
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    wave = torch.sin((x + y) / 2)
    return torch.stack([0.5 + 0.3 * wave, 0.4 + 0.2 * wave, 0.6 - 0.3 * wave])[None].double()


def small(**options):
    return Generator(**{"scales": 3, "width": 4, **options})


def train(style, tiny, generator=None, **options):
    generator = generator or small()
    return train_generator(
        generator, style, model=tiny, **{"layers": LAYERS, "size": 32, "steps": 6, **options}
    )


@pytest.mark.parametrize("normalization", ["instance", "batch"])
def test_the_loss_falls_tenfold(stripes, tiny, normalization):
    found = train(stripes, tiny, small(normalization=normalization), steps=120)
    totals = [row["total"] for row in found.history]
    assert sum(totals[-5:]) / 5 < totals[0] / 10
    # and pictures of noise that it has never seen are as good
    image = found.generator.sample(32, seed=77)
    assert 15 * style_distance(image, stripes, layers=LAYERS, model=tiny) < totals[0] / 10


@pytest.mark.parametrize(
    "kernel",
    [
        "linear",
        "bn",
        "wasserstein",
        "gaussian",
        "pairs",
        "central_moments",
        "autocorrelation",
        "sliced_wasserstein",
        "nearest_neighbours",
    ],
)
def test_any_kernel(stripes, tiny, kernel):
    spec = {"name": "gaussian", "pairs": 200} if kernel == "pairs" else kernel
    found = train(stripes, tiny, kernel=spec, steps=30)
    totals = [row["total"] for row in found.history]
    assert all(map(math.isfinite, totals))
    assert sum(totals[-5:]) < 0.6 * sum(totals[:5])


def test_a_painter_keeps_its_content(stripes, tiny):
    contents = [torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(i)).double()
                for i in range(2)]  # fmt: skip
    options = {"content_layers": {"relu2_1": 1.0}, "style_weight": 0.01, "steps": 60}
    found = train(stripes, tiny, small(stylizes=True), contents=contents, **options)
    losses = [row["content relu2_1"] for row in found.history]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert found.generator.sample(content=contents[0]).shape == contents[0].shape


def test_the_schedule_is_the_papers():
    at = {step: rate_at(step / 2000) for step in (0, 999, 1000, 1199, 1200, 1400, 1600, 1800, 1999)}
    wanted = dict(zip(at, (0, 0, 1, 1, 2, 3, 4, 5, 5), strict=True))
    assert at == {step: pytest.approx(0.7**power) for step, power in wanted.items()}


def test_history_and_settings(stripes, tiny):
    seen = []
    found = train(stripes, tiny, steps=10, learning_rate=0.02, callback=seen.append, batch=3)
    assert [row["evaluation"] for row in found.history] == list(range(1, 11))
    assert [p.evaluation for p in seen] == list(range(1, 11))
    assert seen[-1].fraction == 1
    assert seen[0].image.shape == (1, 3, 32, 32)
    assert found.history[0]["learning_rate"] == 0.02
    assert found.history[9]["learning_rate"] == pytest.approx(0.02 * 0.7**5)
    row = found.history[0]
    assert row["total"] == pytest.approx(sum(w * row[n] for n, w in found.term_weights.items()))
    assert found.generator.settings["batch"] == 3
    assert found.generator.settings["style_layers"] == dict.fromkeys(LAYERS, 1.0)
    assert not found.generator.training


def test_seeds(stripes, tiny):
    one, two, other = (train(stripes, tiny, seed=seed).history for seed in (1, 1, 2))
    assert [row["total"] for row in one] == [row["total"] for row in two]
    assert one[0]["total"] != other[0]["total"]


def weights(generator):
    return torch.cat([t.flatten().double() for t in generator.state_dict().values()])


class Killed(BaseException):
    pass


@pytest.mark.parametrize("normalization", ["instance", "batch"])
@pytest.mark.parametrize("at", [3, 6, 7])
def test_resumed_equals_uninterrupted(stripes, tiny, tmp_path, normalization, at):
    def kill(progress):
        if progress.evaluation == at:
            raise Killed

    options = {"checkpoint_every": 3, "steps": 10, "diversity": 0.1}
    whole = train(stripes, tiny, small(normalization=normalization), **options)
    path = tmp_path / "run.training"
    with pytest.raises(Killed):
        train(stripes, tiny, small(normalization=normalization), checkpoint=path, callback=kill,
              **options)  # fmt: skip
    found = train(stripes, tiny, small(normalization=normalization), checkpoint=path, **options)
    assert torch.equal(weights(found.generator), weights(whole.generator))
    assert [r["total"] for r in found.history] == [r["total"] for r in whole.history]
    again = train(stripes, tiny, small(normalization=normalization), checkpoint=path, **options)
    assert torch.equal(weights(again.generator), weights(whole.generator))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.02}, "learning_rate was 0.01 and is 0.02 now"),
        ({"seed": 1}, "seed was 0 and is 1 now"),
        ({"steps": 12}, "steps was 6 and is 12 now"),
        ({"generator": small(seed=1)}, "first weights was"),
        ({"generator": small(width=3)}, "first weights was|generator was"),
    ],
)
def test_foreign_checkpoints_are_refused(stripes, tiny, tmp_path, change, message):
    path = tmp_path / "run"
    train(stripes, tiny, checkpoint=path)
    with pytest.raises(ValueError, match=f"is a checkpoint of another run: ({message})"):
        train(stripes, tiny, checkpoint=path, **change)
    with pytest.raises(ValueError, match="style was '48×48"):
        train(1 - stripes, tiny, checkpoint=path)


def test_files_that_are_no_checkpoints(stripes, tiny, tmp_path):
    from nst_tutorial.texture_networks.files import save_generator

    path = tmp_path / "run"
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="run: not a checkpoint of a training, or damaged"):
        train(stripes, tiny, checkpoint=path)
    save_generator(small(), path)
    with pytest.raises(ValueError, match="it is a nst_tutorial generator"):
        train(stripes, tiny, checkpoint=path)


def test_a_flipped_bit_is_not_resumed(stripes, tiny, tmp_path):
    path = tmp_path / "run"
    train(stripes, tiny, checkpoint=path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="run: not a checkpoint of a training, or damaged .its ch"):
        train(stripes, tiny, checkpoint=path)


@pytest.mark.parametrize("missing", ["identity", "history", "generator.last.bias", "adam.0.step"])
def test_checkpoints_that_hold_something_else(stripes, tiny, tmp_path, missing):
    path = tmp_path / "run"
    train(stripes, tiny, checkpoint=path)
    header, state = checkpoint.read_tensors(path, FORMAT, "checkpoint")
    for part in (header, state):
        part.pop(missing, None)
    checkpoint.write_tensors(path, state, header)
    with pytest.raises(ValueError, match="run: not a checkpoint of a training, or damaged"):
        train(stripes, tiny, checkpoint=path)


def test_stopping(stripes, tiny):
    found = train(stripes, tiny, callback=lambda progress: progress.evaluation == 2)
    assert (found.stopped, len(found.history)) == ("callback", 2)

    def interrupt(progress):
        if progress.evaluation == 3:
            raise KeyboardInterrupt

    found = train(stripes, tiny, callback=interrupt)
    assert (found.stopped, len(found.history)) == ("interrupted", 3)
    assert found.generator.settings["steps"] == 3


def test_diversity_keeps_samples_apart(stripes, tiny):
    def spread(diversity):
        generator = train(stripes, tiny, steps=60, diversity=diversity, batch=3).generator
        images = generator.sample(32, count=6)
        return float(torch.pdist(images.flatten(1).double()).mean())

    assert spread(3.0) > 1.1 * spread(0.0)


def test_a_loss_that_is_not_finite_is_not_followed(stripes, tiny, monkeypatch):
    real, calls = training.BatchObjective.value_and_gradient, []

    def sometimes(self, images, contents=None):
        evaluation = real(self, images, contents)
        calls.append(0)
        if len(calls) in bad:
            evaluation.gradient.fill_(float("nan"))
        return evaluation

    monkeypatch.setattr(training.BatchObjective, "value_and_gradient", sometimes)
    bad = {3, 4}
    result = train(stripes, tiny, steps=8)
    events = [row["evaluation"] for row in result.history if "event" in row]
    assert events == [3, 4]
    assert weights(result.generator).isfinite().all()
    calls.clear()
    bad = {1}
    with pytest.raises(DivergedError, match="not finite at step 1: take a smaller learning_rate"):
        train(stripes, tiny)


def scripted(monkeypatch, totals):
    """The losses of a training are these; its gradients stay what they are."""
    real, numbers = training.BatchObjective.value_and_gradient, iter(totals)

    def value_and_gradient(self, images, contents=None):
        evaluation = real(self, images, contents)
        return replace(evaluation, total=next(numbers))

    monkeypatch.setattr(training.BatchObjective, "value_and_gradient", value_and_gradient)


def weights_before_each_step(monkeypatch):
    seen, real = [], training._evaluate

    def evaluate(generator, *rest):
        seen.append(weights(generator))
        return real(generator, *rest)

    monkeypatch.setattr(training, "_evaluate", evaluate)
    return seen


@pytest.mark.parametrize(
    ("totals", "step", "message"),
    [
        (
            [9, 3, 1, 5, 900, 800, 700],
            3,
            "the loss rose from 4.33 at step 3 to 700: the network is",
        ),
        ([9, 3] + [math.nan] * 10, 2, "the loss or its gradient is not finite at step 12: the net"),
    ],
)
def test_a_training_that_diverges_keeps_its_best_weights(
    stripes, tiny, monkeypatch, totals, step, message
):
    """Step 3: the mean of 9, 3 and 1 is the least; later means hold 900."""
    seen = weights_before_each_step(monkeypatch)
    scripted(monkeypatch, totals)
    result = train(stripes, tiny, steps=len(totals) + 5 * math.isnan(totals[-1]))
    assert result.diverged.startswith(message)
    assert len(result.history) == len(totals)
    assert (result.stopped == "diverged") == math.isnan(totals[-1])
    assert torch.equal(weights(result.generator), seen[step - 1])
    assert not torch.equal(seen[step - 1], seen[step])
    assert result.generator.settings["weights_of_step"] == step


def test_a_loss_that_comes_back_has_not_diverged(stripes, tiny, monkeypatch):
    """The last three decide, and one of them is small."""
    scripted(monkeypatch, [9, 3, 1, 5000, 5000, 400, 5000])
    result = train(stripes, tiny, steps=7)
    assert (result.diverged, result.stopped) == ("", None)
    assert "weights_of_step" not in result.generator.settings


@pytest.mark.parametrize(("steps", "limit"), [(29, 100), (30, 10)])
def test_the_overshoot_of_adams_first_steps_is_no_divergence(
    stripes, tiny, monkeypatch, steps, limit
):
    for factor in (0.99, 1.01):
        with monkeypatch.context() as patch:
            scripted(patch, [2.0, *[1.0] * 12, *[limit * factor] * steps])
            result = train(stripes, tiny, steps=steps)
        assert bool(result.diverged) == (factor > 1)


def test_a_training_that_was_never_better_than_its_beginning(stripes, tiny, monkeypatch):
    with pytest.raises(DivergedError, match=r"rose from .* at step 1 to .*e\+\d\d: take a smaller"):
        train(stripes, tiny, steps=4, learning_rate=1000)
    scripted(monkeypatch, [9] + [math.inf] * 10)
    with pytest.raises(DivergedError, match="is not finite at step 11: take a smaller learning_ra"):
        train(stripes, tiny, steps=40)


def test_the_best_weights_survive_a_checkpoint(stripes, tiny, monkeypatch, tmp_path):
    seen = weights_before_each_step(monkeypatch)
    scripted(monkeypatch, [9, 3, 1, 5, 900, 800, 700])
    options = {"steps": 7, "checkpoint": tmp_path / "run", "checkpoint_every": 4}

    def no_more(*rest):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(training, "_keep_best", no_more)
        with pytest.raises(Killed):
            train(stripes, tiny, callback=lambda progress: progress.evaluation == 4, **options)
    result = train(stripes, tiny, **options)
    assert len(seen) == 7
    assert "at step 3 to 700" in result.diverged
    assert torch.equal(weights(result.generator), seen[2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch must be a whole number ≥ 1, got 0"),
        ({"size": 8}, "size must be a whole number ≥ 16, got 8"),
        ({"size": (32, 64)}, r"size must be a whole number ≥ 16, got \(32, 64\)"),
        ({"size": 10**6}, "size must be one or two numbers up to 30000"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0, got 0"),
        ({"diversity": -1.0}, "diversity must be finite and ≥ 0"),
        ({"diversity": 1.0, "batch": 1}, "batch must be at least 2"),
        ({"size": 30_000}, "a batch of 2 pictures of 30000 pixels a side would take [0-9]+.* GB"),
        ({"batch": 10**9}, "a batch of 1000000000 pictures of 32 pixels a side would take"),
        ({"steps": 10**12}, "steps must be at most 1000000, got 1000000000000"),
        ({"learning_rate": 1e300}, r"learning_rate must be at most 1000, got 1e\+300"),
        ({"steps": -1}, "steps must be a whole number ≥ 0, got -1"),
        ({"kernel": "gramm"}, "unknown kernel 'gramm'"),
        ({"method": "lbfgs"}, "unknown option .method."),
        ({"contents": [torch.rand(1, 3, 40, 40)]}, "learns from contents"),
        ({"generator": small(stylizes=True)}, "learns from contents"),
    ],
)
def test_bad_arguments(stripes, tiny, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        train(stripes, tiny, **options)


def test_the_network_decides_number_type_and_device(stripes):
    model = VGG19("random", channels=(4, 6, 8, 8, 8), device="cpu")
    found = train(stripes.float(), model, steps=1)
    assert found.generator.last.weight.dtype == torch.float32
