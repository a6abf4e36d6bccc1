"""Backbones, attention and grouped norms."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from training.errors import WeightsError
from training.networks.attention import SelfAttention2d
from training.networks.backbones import IBN, NAMES, AttentionSettings, build_backbone
from training.networks.embedding import EmbeddingNetwork, ExportedNetwork
from training.networks.normalisation import GroupedBatchNorm2d, set_norm_group
from training.weights import load_weights, read_state


@pytest.mark.parametrize("name", NAMES)
def test_backbones_reduce_sixteenfold_and_say_their_channels(name: str) -> None:
    backbone = build_backbone(name, height=64, width=32, pretrained=False).eval()
    with torch.inference_mode():
        assert backbone(torch.zeros(2, 3, 64, 32)).shape == (2, backbone.channels, 4, 2)


@pytest.mark.parametrize("name", NAMES)
def test_attention_starts_as_the_pretrained_network_or_its_skip(name: str) -> None:
    torch.manual_seed(0)
    plain = build_backbone(name, height=64, width=32, pretrained=False)
    attending = copy.deepcopy(plain)
    attending.attend(64, 32, AttentionSettings(blocks=1))
    x = torch.randn(2, 3, 64, 32)
    with torch.inference_mode():
        y = attending.eval()(x)
    assert y.shape == plain.eval()(x).shape
    assert sum(isinstance(m, SelfAttention2d) for m in attending.modules()) == 1
    if name in ("resnet18", "efficientnet_lite0"):  # the block is added, and adds nothing yet
        torch.testing.assert_close(y, plain(x).relu(), atol=1e-5, rtol=1e-4)


def test_ibn_stands_in_the_first_norm_of_layers_1_to_3() -> None:
    backbone = build_backbone("resnet50_ibn_a", height=64, width=32, pretrained=False)
    names = {name for name, module in backbone.named_modules() if isinstance(module, IBN)}
    assert len(names) == 3 + 4 + 6
    assert all(name.startswith(("layer1", "layer2", "layer3")) and name.endswith("bn1") for name in names)


def test_attention_follows_equations_10_to_14() -> None:
    torch.manual_seed(0)
    attention = SelfAttention2d(6, 4, 3, 2, heads=1, sigmoid=True).double()
    nn.init.normal_(attention.station)
    x = torch.randn(1, 6, 3, 2, dtype=torch.float64)
    a = torch.sigmoid(x + attention.station)[0].reshape(6, 6).T  # positions x channels
    w, b = attention.query_key_value.weight[:, :, 0, 0], attention.query_key_value.bias
    q, k, v = (a @ w[i * 4 : i * 4 + 4].T + b[i * 4 : i * 4 + 4] for i in range(3))
    expected = torch.softmax(q @ k.T / math.sqrt(4), dim=1) @ v
    torch.testing.assert_close(attention(x)[0].reshape(4, 6).T, expected)


def test_heads_must_divide_the_channels() -> None:
    with pytest.raises(ValueError, match="3 heads"):
        SelfAttention2d(8, 8, 2, 2, heads=3)


def test_grouped_norm_normalises_each_group_by_itself() -> None:
    norm = nn.BatchNorm2d(3)
    x = torch.randn(8, 3, 4, 4) + torch.arange(8)[:, None, None, None]
    expected = torch.cat([copy.deepcopy(norm)(x[:4]), copy.deepcopy(norm)(x[4:])])
    set_norm_group(norm, 4)
    assert isinstance(norm, GroupedBatchNorm2d)
    torch.testing.assert_close(norm(x), expected)


def test_grouped_norm_in_evaluation_is_the_plain_norm() -> None:
    norm = nn.BatchNorm2d(3).eval()
    x = torch.randn(8, 3, 4, 4)
    expected = norm(x)
    set_norm_group(norm, 4)
    torch.testing.assert_close(norm(x), expected)


def test_grouped_norm_of_equal_groups_moves_its_statistics_as_one_batch_would() -> None:
    plain, grouped = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    set_norm_group(grouped, 4)
    half = torch.randn(4, 3, 2, 2)
    plain(half)
    grouped(torch.cat([half, half]))
    torch.testing.assert_close(grouped.running_mean, plain.running_mean)
    torch.testing.assert_close(grouped.running_var, plain.running_var)


def test_group_zero_puts_the_plain_norms_back() -> None:
    network = EmbeddingNetwork(build_backbone("efficientnet_lite0", height=64, width=32, pretrained=False))
    before = [type(module) for module in network.modules()]
    set_norm_group(network, 16)
    assert [type(module) for module in network.modules()] != before
    set_norm_group(network, 0)
    assert [type(module) for module in network.modules()] == before


def test_a_group_of_the_whole_batch_is_the_plain_network() -> None:
    torch.manual_seed(0)
    network = EmbeddingNetwork(build_backbone("efficientnet_lite0", height=64, width=32, pretrained=False))
    x = torch.randn(8, 3, 64, 32)
    expected = copy.deepcopy(network).features(x).neck
    set_norm_group(network, 8)
    torch.testing.assert_close(network.features(x).neck, expected, atol=1e-4, rtol=1e-3)


def test_embeddings_have_unit_length() -> None:
    network = EmbeddingNetwork(build_backbone("resnet18", height=64, width=32), pooling="gem").eval()
    embeddings = ExportedNetwork(network)(torch.randint(0, 255, (3, 64, 32, 3), dtype=torch.uint8))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))


def test_bundled_weights_fill_the_whole_efficientnet() -> None:
    backbone = build_backbone("efficientnet_lite0", height=64, width=32, pretrained=False)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    load_weights(backbone, "efficientnet_lite0")
    same = [key for key, value in backbone.state_dict().items() if value.equal(before[key])]
    assert [key for key in same if not key.endswith("num_batches_tracked")] == []


def test_weights_saved_under_torchvision_names_are_found(tmp_path) -> None:
    from torchvision.models import resnet50

    given = resnet50(weights=None)
    torch.save(given.state_dict(), tmp_path / "weights.pth")
    backbone = build_backbone("resnet50", height=64, width=32, weights=tmp_path / "weights.pth")
    torch.testing.assert_close(backbone.stem[0].weight, given.conv1.weight)
    torch.testing.assert_close(backbone.layer4[2].conv3.weight, given.layer4[2].conv3.weight)


def test_weights_of_another_network_are_refused(tmp_path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="does not fit"):
        build_backbone("resnet50", height=64, width=32, weights=tmp_path / "weights.pth")


class Evil:
    """Would run code when unpickled."""

    def __reduce__(self):
        return (print, ("this must not be printed",))


def test_a_weights_file_that_would_run_code_is_refused(tmp_path, capsys) -> None:
    torch.save({"weight": Evil()}, tmp_path / "weights.pth")
    with pytest.raises(WeightsError, match="read safely"):
        read_state(tmp_path / "weights.pth")
    assert "must not" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_damaged_and_missing_weights_are_told_apart(tmp_path, name: str) -> None:
    with pytest.raises(WeightsError, match="no weights file at"):
        read_state(tmp_path / name)
    (tmp_path / name).write_bytes(b"these are no weights")
    with pytest.raises(WeightsError, match=r"fetch it again"):
        read_state(tmp_path / name)
